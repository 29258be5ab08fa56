// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "conformance/listed_layer.hpp"
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/recompute.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/layer_norm.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/running_max.hpp"
#include "minrnn/layers/running_mean.hpp"
#include "minrnn/layers/unfold.hpp"

/// The list of all layers and variants that the conformance suite and the allocation test run. A new layer is a
/// descriptor here and a word in its group's list; nothing else. The parts of a layer of layers are erased, so that
/// they are compiled once, with their own group.
namespace minrnn::conformance {

/// What holds for a layer unless its descriptor says otherwise. A descriptor names its layer and makes it:
///   static constexpr std::string_view name;
///   template <class S> static auto make(Index inputs, Index outputs, RandomStream stream);
/// where a layer whose sizes must be equal takes `inputs` for both.
struct Traits {
  static constexpr bool mixes = false;              // carries what it saw for any time: must learn to hold an impulse
  static constexpr bool stochastic = false;         // forward draws a mask: it is not infer
  static constexpr bool positive_state = false;     // refuses negative states
  static constexpr bool exact = true;               // chunks and steps give the same bits as one call
  static constexpr bool smooth = true;              // false: a slope jumps wherever frames are alike
  static constexpr std::uint64_t example_seed = 1;  // of those that keep off the corner of g, where a slope jumps
};

struct Mixer : Traits {
  static constexpr bool mixes = true;
};

struct LogSpaceMixer : Mixer {
  static constexpr bool positive_state = true;
};

struct LinearLayer : Traits {
  static constexpr std::string_view name = "linear";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Linear<S>(inputs, outputs, stream);
  }
};

struct LinearWithoutBias : Traits {
  static constexpr std::string_view name = "linear_without_bias";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Linear<S>(inputs, outputs, stream, {.bias = false});
  }
};

struct RmsNormLayer : Traits {
  static constexpr std::string_view name = "rms_norm";
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return RmsNorm<S>(inputs);
  }
};

struct LayerNormLayer : Traits {
  static constexpr std::string_view name = "layer_norm";
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return LayerNorm<S>(inputs);
  }
};

struct DropoutOfNothing : Traits {
  static constexpr std::string_view name = "dropout_of_nothing";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Dropout<S>(inputs, 0, stream);
  }
};

struct DropoutLayer : Traits {
  static constexpr std::string_view name = "dropout";
  static constexpr bool stochastic = true;
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Dropout<S>(inputs, 0.3, stream);
  }
};

struct MlpGelu : Traits {
  static constexpr std::string_view name = "mlp_gelu";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Mlp<S>(inputs, outputs, stream);
  }
};

struct MlpGated : Traits {
  static constexpr std::string_view name = "mlp_gated";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Mlp<S>(inputs, outputs, stream, {.form = MlpForm::gated});
  }
};

struct MlpExactGelu : Traits {
  static constexpr std::string_view name = "mlp_exact_gelu";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Mlp<S>(inputs, outputs, stream, {.gelu = GeluForm::exact});
  }
};

template <ActivationFunction function>
struct ActivationLayer : Traits {
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return Activation<S>(inputs, function);
  }
};
struct TanhActivation : ActivationLayer<ActivationFunction::tanh> {
  static constexpr std::string_view name = "activation_tanh";
};
struct SigmoidActivation : ActivationLayer<ActivationFunction::sigmoid> {
  static constexpr std::string_view name = "activation_sigmoid";
};
struct ReluActivation : ActivationLayer<ActivationFunction::relu> {
  static constexpr std::string_view name = "activation_relu";
  static constexpr bool smooth = false;
};
struct EluActivation : ActivationLayer<ActivationFunction::elu> {
  static constexpr std::string_view name = "activation_elu";
};
struct GeluActivation : ActivationLayer<ActivationFunction::gelu> {
  static constexpr std::string_view name = "activation_gelu";
};
struct ExactGeluActivation : ActivationLayer<ActivationFunction::exact_gelu> {
  static constexpr std::string_view name = "activation_exact_gelu";
};
struct SiluActivation : ActivationLayer<ActivationFunction::silu> {
  static constexpr std::string_view name = "activation_silu";
};
struct SoftmaxActivation : ActivationLayer<ActivationFunction::softmax> {
  static constexpr std::string_view name = "activation_softmax";
};

struct PreluLayer : Traits {
  static constexpr std::string_view name = "prelu";
  static constexpr bool smooth = false;
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return Prelu<S>(inputs);
  }
};

struct Conv1dLayer : Traits {
  static constexpr std::string_view name = "conv1d";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Conv1d<S>(inputs, 4, stream);
  }
};

struct Conv1dOfOneTap : Traits {
  static constexpr std::string_view name = "conv1d_of_one_tap";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Conv1d<S>(inputs, 1, stream);
  }
};

struct DilatedConv1d : Traits {
  static constexpr std::string_view name = "dilated_conv1d";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Conv1d<S>(inputs, 3, stream, {.dilation = 5});
  }
};

struct UnfoldLayer : Traits {
  static constexpr std::string_view name = "unfold";
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return Unfold<S>(inputs, 4);
  }
};

struct UnfoldOfOneFrame : Traits {
  static constexpr std::string_view name = "unfold_of_one_frame";
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return Unfold<S>(inputs, 1);
  }
};

struct DilatedUnfold : Traits {
  static constexpr std::string_view name = "dilated_unfold";
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return Unfold<S>(inputs, 3, {.dilation = 5});
  }
};

struct MinGruPositive : Mixer {
  static constexpr std::string_view name = "min_gru_positive";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinGru<S>(inputs, outputs, stream);
  }
};

struct MinGruPlain : Mixer {
  static constexpr std::string_view name = "min_gru_plain";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinGru<S, Candidate::plain>(inputs, outputs, stream);
  }
};

struct MinGruLogSpace : LogSpaceMixer {
  static constexpr std::string_view name = "min_gru_log_space";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinGru<S, Candidate::positive, Arithmetic::log_space>(inputs, outputs, stream);
  }
};

struct MinGruInitialState : Mixer {
  static constexpr std::string_view name = "min_gru_learnt_initial_state_and_forget_bias";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinGru<S>(inputs, outputs, stream, {.forget_bias = 1, .learn_initial_state = true});
  }
};

struct MinGruPlainInitialState : Mixer {
  static constexpr std::string_view name = "min_gru_plain_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinGru<S, Candidate::plain>(inputs, outputs, stream, {.learn_initial_state = true});
  }
};

struct MinGruLogSpaceInitialState : LogSpaceMixer {
  static constexpr std::string_view name = "min_gru_log_space_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinGru<S, Candidate::positive, Arithmetic::log_space>(inputs, outputs, stream,
                                                                 {.learn_initial_state = true});
  }
};

struct MinGruSigned : Mixer {
  static constexpr std::string_view name = "min_gru_signed";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return SignedMinGru<S>(inputs, outputs, stream);
  }
};

struct MinGruSignedInitialState : Mixer {
  static constexpr std::string_view name = "min_gru_signed_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return SignedMinGru<S>(inputs, outputs, stream, {.learn_initial_state = true});
  }
};

struct MinLstmPositive : Mixer {
  static constexpr std::string_view name = "min_lstm_positive";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinLstm<S>(inputs, outputs, stream);
  }
};

struct MinLstmPlain : Mixer {
  static constexpr std::string_view name = "min_lstm_plain";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinLstm<S, GateScaling::normalised, Candidate::plain>(inputs, outputs, stream);
  }
};

struct MinLstmLogSpace : LogSpaceMixer {
  static constexpr std::string_view name = "min_lstm_log_space";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinLstm<S, GateScaling::normalised, Candidate::positive, Arithmetic::log_space>(inputs, outputs, stream);
  }
};

struct MinLstmSigned : Mixer {
  static constexpr std::string_view name = "min_lstm_signed";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return SignedMinLstm<S>(inputs, outputs, stream);
  }
};

struct MinLstmSignedUnnormalised : Mixer {
  static constexpr std::string_view name = "min_lstm_signed_unnormalised_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return SignedMinLstm<S, GateScaling::unnormalised>(inputs, outputs, stream, {.learn_initial_state = true});
  }
};

struct MinLstmUnnormalised : Mixer {
  static constexpr std::string_view name = "min_lstm_unnormalised_learnt_initial_state_and_forget_bias";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinLstm<S, GateScaling::unnormalised>(inputs, outputs, stream,
                                                 {.forget_bias = 3, .learn_initial_state = true});
  }
};

struct MinLstmUnnormalisedPlain : Mixer {
  static constexpr std::string_view name = "min_lstm_unnormalised_plain";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinLstm<S, GateScaling::unnormalised, Candidate::plain>(inputs, outputs, stream);
  }
};

struct MinLstmUnnormalisedLogSpace : LogSpaceMixer {
  static constexpr std::string_view name = "min_lstm_unnormalised_log_space";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return MinLstm<S, GateScaling::unnormalised, Candidate::positive, Arithmetic::log_space>(inputs, outputs, stream);
  }
};

struct DiagonalGruLayer : Mixer {
  static constexpr std::string_view name = "diagonal_gru";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return DiagonalGru<S>(inputs, outputs, stream);
  }
};

struct DiagonalLstmLayer : Mixer {
  static constexpr std::string_view name = "diagonal_lstm";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return DiagonalLstm<S>(inputs, outputs, stream);
  }
};

struct RgLruLayer : Mixer {
  static constexpr std::string_view name = "rg_lru";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return RgLru<S>(inputs, outputs, stream);
  }
};

struct RgLruInitialState : Mixer {
  static constexpr std::string_view name = "rg_lru_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return RgLru<S>(inputs, outputs, stream, {.least_decay = 0.5, .learn_initial_state = true});
  }
};

struct GruLayer : Mixer {
  static constexpr std::string_view name = "gru";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Gru<S>(inputs, outputs, stream);
  }
};

struct LstmLayer : Mixer {
  static constexpr std::string_view name = "lstm";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Lstm<S>(inputs, outputs, stream);
  }
};

struct MambaLayer : Traits {
  static constexpr std::string_view name = "mamba";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Mamba<S>(inputs, stream, {.expansion = 3, .states = 4});
  }
};

/// Alone it has no bias: its gate is shut where its input is zero, and nothing that it holds comes out.
struct MambaBehindLinear : Mixer {
  static constexpr std::string_view name = "mamba_behind_linear";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Sequential(erase(Linear<S>(inputs, outputs, stream.stream(0))), erase(Mamba<S>(outputs, stream.stream(1))));
  }
};

/// A running softmax rounds otherwise where tiles begin elsewhere.
struct AttentionLayer : Traits {
  static constexpr std::string_view name = "attention";
  static constexpr bool exact = false;
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Attention<S>(inputs, 2, stream, {.head_size = 6, .window = 32});
  }
};

/// The window slides within the test: its ring is written over.
struct AttentionOfAShortWindow : Traits {
  static constexpr std::string_view name = "attention_of_a_short_window";
  static constexpr bool exact = false;
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Attention<S>(inputs, 1, stream, {.head_size = 4, .window = 3});
  }
};

/// Wider inside than outside: composition, not an option of the mixer.
struct Expansion : Mixer {
  static constexpr std::string_view name = "expansion";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Sequential(erase(MinGru<S>(inputs, 2 * outputs, stream.stream(0))),
                      erase(Linear<S>(2 * outputs, outputs, stream.stream(1))));
  }
};

struct ResidualLayer : Mixer {
  static constexpr std::uint64_t example_seed = 2;
  static constexpr std::string_view name = "residual";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Residual(Sequential(erase(RmsNorm<S>(inputs)), erase(MinGru<S>(inputs, inputs, stream))));
  }
};

struct StackOfMixers : Mixer {
  static constexpr std::string_view name = "stack";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Stack(
        3, [&](Index i) { return erase(MinLstm<S>(inputs, inputs, stream.stream(i), {.learn_initial_state = true})); });
  }
};

/// The block of the paper's language models, twice.
struct StackOfBlocks : Mixer {
  static constexpr std::string_view name = "stack_of_blocks";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Stack(2, [&](Index i) {
      const RandomStream own = stream.stream(i);
      return Sequential(
          named<"conv">(Residual(erase(Conv1d<S>(inputs, 3, own.stream(0))))),
          named<"mixer">(
              Residual(Sequential(erase(RmsNorm<S>(inputs)), erase(MinGru<S>(inputs, inputs, own.stream(1)))))),
          named<"mlp">(Residual(Sequential(erase(RmsNorm<S>(inputs)), erase(Mlp<S>(inputs, 2 * inputs, own.stream(2))),
                                           erase(Dropout<S>(inputs, 0, own.stream(3)))))));
    });
  }
};

struct StackWithDropout : Traits {
  static constexpr std::string_view name = "stack_with_dropout";
  static constexpr bool stochastic = true;
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Stack(2, [&](Index i) {
      const RandomStream own = stream.stream(i);
      return Residual(
          Sequential(erase(MinGru<S>(inputs, inputs, own.stream(0))), erase(Dropout<S>(inputs, 0.3, own.stream(1)))));
    });
  }
};

struct RecomputedBlocks : Mixer {
  static constexpr std::string_view name = "recomputed_blocks";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Recompute(Sequential(erase(Conv1d<S>(inputs, 3, stream.stream(0))),
                                erase(MinGru<S>(inputs, 2 * outputs, stream.stream(1), {.learn_initial_state = true})),
                                erase(Linear<S>(2 * outputs, outputs, stream.stream(2)))),
                     3);
  }
};

struct RecomputedDropout : Traits {
  static constexpr std::string_view name = "recomputed_dropout";
  static constexpr bool stochastic = true;
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Recompute(Residual(Sequential(erase(MinGru<S>(inputs, inputs, stream.stream(0))),
                                         erase(Dropout<S>(inputs, 0.3, stream.stream(1))))),
                     4);
  }
};

struct RunningMeanLayer : Traits {
  static constexpr std::string_view name = "running_mean";
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return RunningMean<S>(inputs);
  }
};

struct RunningMaxLayer : Traits {
  static constexpr std::string_view name = "running_max";
  static constexpr bool smooth = false;
  template <class S>
  static auto make(Index inputs, Index, RandomStream) {
    return RunningMax<S>(inputs);
  }
};

/// Around minGRU, as in PufferLib.
struct HighwayMinGru : Mixer {
  static constexpr std::string_view name = "highway_min_gru";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Highway(erase(MinGru<S>(inputs, inputs, stream.stream(0))), stream.stream(1));
  }
};

/// As torch.nn.GRU(bidirectional=True), but for directions of different sizes where those of y are odd.
struct BidirectionalGru : Mixer {
  static constexpr std::string_view name = "bidirectional_gru";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Bidirectional(erase(Gru<S>(inputs, outputs - outputs / 2, stream.stream(0))),
                         erase(Gru<S>(inputs, outputs / 2, stream.stream(1))));
  }
};

struct BidirectionalOfTwoKinds : Mixer {
  static constexpr std::string_view name = "bidirectional_of_two_kinds_added";
  template <class S>
  static auto make(Index inputs, Index outputs, RandomStream stream) {
    return Bidirectional(erase(MinGru<S>(inputs, outputs, stream.stream(0), {.learn_initial_state = true})),
                         erase(Lstm<S>(inputs, outputs, stream.stream(1))), Join::added);
  }
};

/// Layers of layers around what is not causal.
struct StackOfBidirectionals : Mixer {
  static constexpr std::string_view name = "stack_of_bidirectionals";
  template <class S>
  static auto make(Index inputs, Index, RandomStream stream) {
    return Stack(2, [&](Index i) {
      const RandomStream own = stream.stream(i);
      const auto direction = [&](Index k) { return erase(MinLstm<S>(inputs, inputs, own.stream(k))); };
      return Residual(
          Sequential(Bidirectional(direction(0), direction(1)), erase(Linear<S>(2 * inputs, inputs, own.stream(2)))));
    });
  }
};

template <class... Descriptors>
struct LayerList {};

template <class... Lists>
struct Concatenation;
template <class... Descriptors>
struct Concatenation<LayerList<Descriptors...>> {
  using type = LayerList<Descriptors...>;
};
template <class... Left, class... Right, class... Lists>
struct Concatenation<LayerList<Left...>, LayerList<Right...>, Lists...>
    : Concatenation<LayerList<Left..., Right...>, Lists...> {};

/// Groups that the files *_layers.cpp compile.
using FrameWiseLayers = LayerList<LinearLayer, LinearWithoutBias, RmsNormLayer, LayerNormLayer, DropoutOfNothing,
                                  DropoutLayer, MlpGelu, MlpGated, MlpExactGelu>;
using ActivationLayers = LayerList<TanhActivation, SigmoidActivation, ReluActivation, EluActivation, GeluActivation,
                                   ExactGeluActivation, SiluActivation, SoftmaxActivation, PreluLayer>;
using ConvolutionLayers =
    LayerList<Conv1dLayer, Conv1dOfOneTap, DilatedConv1d, UnfoldLayer, UnfoldOfOneFrame, DilatedUnfold>;
using MinGruLayers = LayerList<MinGruPositive, MinGruPlain, MinGruLogSpace>;
using MinGruInitialStateLayers = LayerList<MinGruInitialState, MinGruPlainInitialState, MinGruLogSpaceInitialState>;
using MinLstmLayers = LayerList<MinLstmPositive, MinLstmPlain, MinLstmLogSpace>;
using MinLstmUnnormalisedLayers = LayerList<MinLstmUnnormalised, MinLstmUnnormalisedPlain, MinLstmUnnormalisedLogSpace>;

using SignedLayers = LayerList<MinGruSigned, MinGruSignedInitialState, MinLstmSigned, MinLstmSignedUnnormalised>;
using DiagonalLayers = LayerList<DiagonalGruLayer, DiagonalLstmLayer, RgLruLayer, RgLruInitialState>;
using RecurrentLayers = LayerList<GruLayer, LstmLayer>;
using MambaLayers = LayerList<MambaLayer>;
using MambaMixers = LayerList<MambaBehindLinear>;
using AttentionLayers = LayerList<AttentionLayer, AttentionOfAShortWindow>;
using CompositionLayers = LayerList<Expansion, ResidualLayer, StackOfMixers>;
using BlockLayers = LayerList<StackOfBlocks>;
using StochasticLayers = LayerList<StackWithDropout, RecomputedDropout>;
using RecomputeLayers = LayerList<RecomputedBlocks>;
using PoolingLayers = LayerList<RunningMeanLayer, RunningMaxLayer>;
using HighwayLayers = LayerList<HighwayMinGru>;
using BidirectionalLayers = LayerList<BidirectionalGru, BidirectionalOfTwoKinds, StackOfBidirectionals>;

using LayersOfNoOthers =
    Concatenation<FrameWiseLayers, ActivationLayers, ConvolutionLayers, MinGruLayers, MinGruInitialStateLayers,
                  MinLstmLayers, MinLstmUnnormalisedLayers, SignedLayers, DiagonalLayers, RecurrentLayers, MambaLayers,
                  AttentionLayers, PoolingLayers>::type;
using LayersOfLayers = Concatenation<MambaMixers, CompositionLayers, BlockLayers, StochasticLayers, RecomputeLayers,
                                     HighwayLayers, BidirectionalLayers>::type;
using AllLayers = Concatenation<LayersOfNoOthers, LayersOfLayers>::type;

/// Calls body(descriptor) for each descriptor of a list.
template <class... Descriptors, class Body>
void for_each_layer(LayerList<Descriptors...>, Body&& body) {
  (body(Descriptors{}), ...);
}

}  // namespace minrnn::conformance
