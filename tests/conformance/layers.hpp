// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>

#include "minrnn/compose/recompute.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rms_norm.hpp"

/// The list of all layers and variants that the conformance suite, the allocation test and the benchmarks run. A new
/// layer is a descriptor here and a word in its group's list; nothing else.
namespace minrnn::conformance {

/// What holds for a layer unless its descriptor says otherwise. A descriptor names its layer and makes it:
///   static constexpr std::string_view name;
///   template <class S> static auto make(Index inputs, Index outputs, Random& random);
/// where a layer whose sizes must be equal takes `inputs` for both.
struct Traits {
  static constexpr bool mixes = false;               // carries what it saw for any time: must learn to hold an impulse
  static constexpr bool stochastic = false;          // forward draws a mask: it is not infer
  static constexpr bool positive_state = false;      // refuses negative states
  static constexpr bool exact = true;                // chunks and steps give the same bits as one call
  static constexpr std::uint64_t gradient_seed = 1;  // of the gradient check: an example that keeps off the corner of g
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
  static auto make(Index inputs, Index outputs, Random& random) {
    return Linear<S>(inputs, outputs, random);
  }
};

struct LinearWithoutBias : Traits {
  static constexpr std::string_view name = "linear_without_bias";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return Linear<S>(inputs, outputs, random, {.bias = false});
  }
};

struct RmsNormLayer : Traits {
  static constexpr std::string_view name = "rms_norm";
  template <class S>
  static auto make(Index inputs, Index, Random&) {
    return RmsNorm<S>(inputs);
  }
};

struct DropoutOfNothing : Traits {
  static constexpr std::string_view name = "dropout_of_nothing";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Dropout<S>(inputs, 0, random);
  }
};

struct DropoutLayer : Traits {
  static constexpr std::string_view name = "dropout";
  static constexpr bool stochastic = true;
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Dropout<S>(inputs, 0.3, random);
  }
};

struct MlpGelu : Traits {
  static constexpr std::string_view name = "mlp_gelu";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return Mlp<S>(inputs, outputs, random);
  }
};

struct MlpGated : Traits {
  static constexpr std::string_view name = "mlp_gated";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return Mlp<S>(inputs, outputs, random, {.form = MlpForm::gated});
  }
};

struct Conv1dLayer : Traits {
  static constexpr std::string_view name = "conv1d";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Conv1d<S>(inputs, 4, random);
  }
};

struct Conv1dOfOneTap : Traits {
  static constexpr std::string_view name = "conv1d_of_one_tap";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Conv1d<S>(inputs, 1, random);
  }
};

struct MinGruPositive : Mixer {
  static constexpr std::string_view name = "min_gru_positive";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinGru<S>(inputs, outputs, random);
  }
};

struct MinGruPlain : Mixer {
  static constexpr std::string_view name = "min_gru_plain";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinGru<S, Candidate::plain>(inputs, outputs, random);
  }
};

struct MinGruLogSpace : LogSpaceMixer {
  static constexpr std::string_view name = "min_gru_log_space";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinGru<S, Candidate::positive, Arithmetic::log_space>(inputs, outputs, random);
  }
};

struct MinGruInitialState : Mixer {
  static constexpr std::string_view name = "min_gru_learnt_initial_state_and_forget_bias";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinGru<S>(inputs, outputs, random, {.forget_bias = 1, .learn_initial_state = true});
  }
};

struct MinGruPlainInitialState : Mixer {
  static constexpr std::string_view name = "min_gru_plain_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinGru<S, Candidate::plain>(inputs, outputs, random, {.learn_initial_state = true});
  }
};

struct MinGruLogSpaceInitialState : LogSpaceMixer {
  static constexpr std::string_view name = "min_gru_log_space_learnt_initial_state";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinGru<S, Candidate::positive, Arithmetic::log_space>(inputs, outputs, random,
                                                                 {.learn_initial_state = true});
  }
};

struct MinLstmPositive : Mixer {
  static constexpr std::string_view name = "min_lstm_positive";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinLstm<S>(inputs, outputs, random);
  }
};

struct MinLstmPlain : Mixer {
  static constexpr std::string_view name = "min_lstm_plain";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinLstm<S, GateScaling::normalised, Candidate::plain>(inputs, outputs, random);
  }
};

struct MinLstmLogSpace : LogSpaceMixer {
  static constexpr std::string_view name = "min_lstm_log_space";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinLstm<S, GateScaling::normalised, Candidate::positive, Arithmetic::log_space>(inputs, outputs, random);
  }
};

struct MinLstmUnnormalised : Mixer {
  static constexpr std::string_view name = "min_lstm_unnormalised_learnt_initial_state_and_forget_bias";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinLstm<S, GateScaling::unnormalised>(inputs, outputs, random,
                                                 {.forget_bias = 3, .learn_initial_state = true});
  }
};

struct MinLstmUnnormalisedPlain : Mixer {
  static constexpr std::string_view name = "min_lstm_unnormalised_plain";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinLstm<S, GateScaling::unnormalised, Candidate::plain>(inputs, outputs, random);
  }
};

struct MinLstmUnnormalisedLogSpace : LogSpaceMixer {
  static constexpr std::string_view name = "min_lstm_unnormalised_log_space";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return MinLstm<S, GateScaling::unnormalised, Candidate::positive, Arithmetic::log_space>(inputs, outputs, random);
  }
};

struct GruLayer : Mixer {
  static constexpr std::string_view name = "gru";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return Gru<S>(inputs, outputs, random);
  }
};

struct LstmLayer : Mixer {
  static constexpr std::string_view name = "lstm";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    return Lstm<S>(inputs, outputs, random);
  }
};

struct MambaLayer : Traits {
  static constexpr std::string_view name = "mamba";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Mamba<S>(inputs, random, {.expansion = 3, .states = 4});
  }
};

/// Alone it has no bias: its gate is shut where its input is zero, and nothing that it holds comes out.
struct MambaBehindLinear : Mixer {
  static constexpr std::string_view name = "mamba_behind_linear";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    Linear<S> linear(inputs, outputs, random);
    return Sequential(std::move(linear), Mamba<S>(outputs, random));
  }
};

/// A running softmax rounds otherwise where tiles begin elsewhere.
struct AttentionLayer : Traits {
  static constexpr std::string_view name = "attention";
  static constexpr bool exact = false;
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Attention<S>(inputs, 2, random, {.head_size = 6, .window = 32});
  }
};

/// The window slides within the test: its ring is written over.
struct AttentionOfAShortWindow : Traits {
  static constexpr std::string_view name = "attention_of_a_short_window";
  static constexpr bool exact = false;
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Attention<S>(inputs, 1, random, {.head_size = 4, .window = 3});
  }
};

/// Wider inside than outside: composition, not an option of the mixer.
struct Expansion : Mixer {
  static constexpr std::string_view name = "expansion";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    MinGru<S> mixer(inputs, 2 * outputs, random);
    return Sequential(std::move(mixer), Linear<S>(2 * outputs, outputs, random));
  }
};

struct ResidualLayer : Mixer {
  static constexpr std::uint64_t gradient_seed = 3;
  static constexpr std::string_view name = "residual";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Residual(Sequential(RmsNorm<S>(inputs), MinGru<S>(inputs, inputs, random)));
  }
};

struct StackOfMixers : Mixer {
  static constexpr std::uint64_t gradient_seed = 2;
  static constexpr std::string_view name = "stack";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Stack(3, [&] { return MinLstm<S>(inputs, inputs, random, {.learn_initial_state = true}); });
  }
};

/// The block of the paper's language models, twice.
struct StackOfBlocks : Mixer {
  static constexpr std::string_view name = "stack_of_blocks";
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Stack(2, [&] {
      Conv1d<S> conv(inputs, 3, random);
      MinGru<S> mixer(inputs, inputs, random);
      Mlp<S> mlp(inputs, 2 * inputs, random);
      return Sequential<Residual<Conv1d<S>>, Residual<Sequential<RmsNorm<S>, MinGru<S>>>,
                        Residual<Sequential<RmsNorm<S>, Mlp<S>, Dropout<S>>>>::
          named({"conv", "mixer", "mlp"}, Residual(std::move(conv)),
                Residual(Sequential(RmsNorm<S>(inputs), std::move(mixer))),
                Residual(Sequential(RmsNorm<S>(inputs), std::move(mlp), Dropout<S>(inputs, 0, random))));
    });
  }
};

struct StackWithDropout : Traits {
  static constexpr std::string_view name = "stack_with_dropout";
  static constexpr bool stochastic = true;
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    return Stack(2, [&] {
      MinGru<S> mixer(inputs, inputs, random);
      return Residual(Sequential(std::move(mixer), Dropout<S>(inputs, 0.3, random)));
    });
  }
};

struct RecomputedBlocks : Mixer {
  static constexpr std::uint64_t gradient_seed = 3;
  static constexpr std::string_view name = "recomputed_blocks";
  template <class S>
  static auto make(Index inputs, Index outputs, Random& random) {
    Conv1d<S> conv(inputs, 3, random);
    MinGru<S> mixer(inputs, 2 * outputs, random, {.learn_initial_state = true});
    return Recompute(Sequential(std::move(conv), std::move(mixer), Linear<S>(2 * outputs, outputs, random)), 3);
  }
};

struct RecomputedDropout : Traits {
  static constexpr std::string_view name = "recomputed_dropout";
  static constexpr bool stochastic = true;
  template <class S>
  static auto make(Index inputs, Index, Random& random) {
    MinGru<S> mixer(inputs, inputs, random);
    return Recompute(Residual(Sequential(std::move(mixer), Dropout<S>(inputs, 0.3, random))), 4);
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

/// Groups that compile in one translation unit each.
using FrameWiseLayers =
    LayerList<LinearLayer, LinearWithoutBias, RmsNormLayer, DropoutOfNothing, DropoutLayer, MlpGelu, MlpGated>;
using ConvolutionLayers = LayerList<Conv1dLayer, Conv1dOfOneTap>;
using MinGruLayers = LayerList<MinGruPositive, MinGruPlain, MinGruLogSpace>;
using MinGruInitialStateLayers = LayerList<MinGruInitialState, MinGruPlainInitialState, MinGruLogSpaceInitialState>;
using MinLstmLayers = LayerList<MinLstmPositive, MinLstmPlain, MinLstmLogSpace>;
using MinLstmUnnormalisedLayers = LayerList<MinLstmUnnormalised, MinLstmUnnormalisedPlain, MinLstmUnnormalisedLogSpace>;

using RecurrentLayers = LayerList<GruLayer, LstmLayer>;
using MambaLayers = LayerList<MambaLayer>;
using MambaMixers = LayerList<MambaBehindLinear>;
using AttentionLayers = LayerList<AttentionLayer, AttentionOfAShortWindow>;
using CompositionLayers = LayerList<Expansion, ResidualLayer, StackOfMixers>;
using BlockLayers = LayerList<StackOfBlocks>;
using StochasticLayers = LayerList<StackWithDropout, RecomputedDropout>;
using RecomputeLayers = LayerList<RecomputedBlocks>;

using AllLayers =
    Concatenation<FrameWiseLayers, ConvolutionLayers, MinGruLayers, MinGruInitialStateLayers, MinLstmLayers,
                  MinLstmUnnormalisedLayers, RecurrentLayers, MambaLayers, MambaMixers, AttentionLayers,
                  CompositionLayers, BlockLayers, StochasticLayers, RecomputeLayers>::type;

/// Calls body(descriptor) for each descriptor of a list.
template <class... Descriptors, class Body>
void for_each_layer(LayerList<Descriptors...>, Body&& body) {
  (body(Descriptors{}), ...);
}

}  // namespace minrnn::conformance
