// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// Values and every gradient agree with PyTorch's in double (tests/golden/make_golden.py).
#include <gtest/gtest.h>

#include "conformance/listed_layer.hpp"
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
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
#include "minrnn/layers/unfold.hpp"
#include "support/golden.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

using conformance::AnyLayer;
using conformance::erase;
using minrnn::detail::erased::AnyCache;
using minrnn::detail::erased::AnyState;

const std::map<std::string, GoldenCase>& layers() {
  static const auto cases = read_golden("layers.txt");
  return cases;
}
const std::map<std::string, GoldenCase>& blocks() {
  static const auto cases = read_golden("blocks.txt");
  return cases;
}

const std::map<std::string, GoldenCase>& compositions() {
  static const auto cases = read_golden("compose.txt");
  return cases;
}

const std::map<std::string, GoldenCase>& frames() {
  static const auto cases = read_golden("frames.txt");
  return cases;
}

/// |a - b| <= tolerance max(1, |b|) for every element.
template <class S>
void expect_near(const S* actual, const Matrix<double>& wanted, double tolerance, const std::string& what) {
  for (Index i = 0; i < wanted.size(); ++i) {
    const double b = wanted.data()[i];
    ASSERT_NEAR(static_cast<double>(actual[i]), b, tolerance * std::max(1.0, std::abs(b))) << what << ", element " << i;
  }
}

template <class S>
void check(const std::string& name, AnyLayer<S> layer, const GoldenCase& golden, double tolerance) {
  SCOPED_TRACE(name);
  const auto x = golden_sequence<S>(golden.at("x")), dy = golden_sequence<S>(golden.at("dy"));
  const auto y = golden_sequence<double>(golden.at("y")), dx = golden_sequence<double>(golden.at("dx"));
  visit_parameters(layer, [&](const Name& parameter, Parameter<S>& p) {
    p.value = golden_weight<S>(golden.at("parameter/" + parameter.str()));
  });
  const auto state_of = [&](const std::string& prefix) {
    auto state = layer.initial_state(x.batch());
    AnyState<S>::visit(state, Name{}, [&](const Name& part, Matrix<S>& m) {
      m = golden_state<S>(golden.at(prefix + "/" + part.str()));
    });
    return state;
  };
  const auto expect_state = [&](const AnyState<S>& state, const std::string& prefix) {
    AnyState<S>::visit(state, Name{}, [&](const Name& part, const Matrix<S>& m) {
      expect_near(m.data(), golden_state<double>(golden.at(prefix + "/" + part.str())), tolerance,
                  prefix + "/" + part.str());
    });
  };
  const auto flat = [](const Sequence<double>& s) {
    return Matrix<double>(Eigen::Map<const Matrix<double>>(s.data(), s.size(), 1));
  };

  AnyCache cache;
  auto state = state_of("state"), dstate = state_of("dfinal");
  expect_near(layer.forward(x.view(), state, cache, context()).data(), flat(y), tolerance, "y");
  expect_state(state, "final");
  expect_near(layer.backward(dy.view(), dstate, cache, context()).data(), flat(dx), tolerance, "dx");
  expect_state(dstate, "dstate");
  visit_parameters(layer, [&](const Name& parameter, Parameter<S>& p) {
    expect_near(p.grad.data(), golden_weight<double>(golden.at("gradient/" + parameter.str())), tolerance,
                "gradient of " + parameter.str());
  });
}

/// Double to 1e-12, float to 1e-5, at both sizes: (5, 7) fills no packet, (8, 16) whole ones.
template <template <class> class Layer>
void check_layer(const std::string& name) {
  Random random(1);
  for (const auto& [inputs, features] : {std::pair<Index, Index>{5, 7}, {8, 16}}) {
    const std::string sized = name + "_" + std::to_string(inputs) + "_" + std::to_string(features);
    check(sized, erase(Layer<double>(inputs, features, random.stream(0))), layers().at(sized), 1e-12);
    check(sized, erase(Layer<float>(inputs, features, random.stream(0))), layers().at(sized), 1e-5);
  }
}
template <template <class> class Layer, class... Arguments>
void check_block(const std::string& name, Index features, Arguments... arguments) {
  Random random(1);
  const std::string sized = name + "_" + std::to_string(features);
  const auto make = [&]<class S>(S) {
    if constexpr (sizeof...(Arguments) == 2)  // heads stand before the random numbers
      return std::apply([&](Index heads, auto options) { return Layer<S>(features, heads, random.stream(0), options); },
                        std::tuple(arguments...));
    else
      return Layer<S>(features, random.stream(0), arguments...);
  };
  check(sized, erase(make(double())), blocks().at(sized), 1e-12);
  check(sized, erase(make(float())), blocks().at(sized), 1e-5);
}

constexpr auto positive = Candidate::positive, plain = Candidate::plain;
constexpr auto normalised = GateScaling::normalised, unnormalised = GateScaling::unnormalised;

template <class S>
using MinGruPositive = MinGru<S>;
template <class S>
using MinGruLog = MinGru<S, positive, Arithmetic::log_space>;
template <class S>
using MinGruPlain = MinGru<S, plain>;
template <class S>
using MinLstmPositive = MinLstm<S>;
template <class S>
using MinLstmLog = MinLstm<S, normalised, positive, Arithmetic::log_space>;
template <class S>
using MinLstmPlain = MinLstm<S, normalised, plain>;
template <class S>
using MinLstmUnnormalised = MinLstm<S, unnormalised>;
template <class S>
using SignedMinLstmNormalised = SignedMinLstm<S>;
template <class S>
using SignedMinLstmUnnormalised = SignedMinLstm<S, unnormalised>;
template <class S>
using MinLstmUnnormalisedLog = MinLstm<S, unnormalised, positive, Arithmetic::log_space>;
template <class S>
using MinLstmUnnormalisedPlain = MinLstm<S, unnormalised, plain>;

TEST(Golden, Gru) { check_layer<Gru>("gru"); }
TEST(Golden, Lstm) { check_layer<Lstm>("lstm"); }
TEST(Golden, MinGru) { check_layer<MinGruPositive>("min_gru_positive"); }
TEST(Golden, MinGruInLogSpace) { check_layer<MinGruLog>("min_gru_positive"); }
TEST(Golden, MinGruPlain) { check_layer<MinGruPlain>("min_gru_plain"); }
TEST(Golden, MinLstm) { check_layer<MinLstmPositive>("min_lstm_normalised_positive"); }
TEST(Golden, MinLstmInLogSpace) { check_layer<MinLstmLog>("min_lstm_normalised_positive"); }
TEST(Golden, MinLstmPlain) { check_layer<MinLstmPlain>("min_lstm_normalised_plain"); }
TEST(Golden, MinLstmUnnormalised) { check_layer<MinLstmUnnormalised>("min_lstm_unnormalised_positive"); }
TEST(Golden, MinLstmUnnormalisedInLogSpace) { check_layer<MinLstmUnnormalisedLog>("min_lstm_unnormalised_positive"); }
TEST(Golden, MinLstmUnnormalisedPlain) { check_layer<MinLstmUnnormalisedPlain>("min_lstm_unnormalised_plain"); }

TEST(Golden, SignedMinGru) { check_layer<SignedMinGru>("min_gru_signed"); }
TEST(Golden, SignedMinLstm) { check_layer<SignedMinLstmNormalised>("min_lstm_normalised_signed"); }
TEST(Golden, SignedMinLstmUnnormalised) { check_layer<SignedMinLstmUnnormalised>("min_lstm_unnormalised_signed"); }

TEST(Golden, DiagonalGru) { check_layer<DiagonalGru>("diagonal_gru"); }
TEST(Golden, DiagonalLstm) { check_layer<DiagonalLstm>("diagonal_lstm"); }
TEST(Golden, RgLru) { check_layer<RgLru>("rg_lru"); }

TEST(Golden, MambaBlock) {
  check_block<Mamba>("mamba", 5, MambaOptions{.expansion = 2, .states = 3, .kernel = 4, .delta_rank = 2});
  check_block<Mamba>("mamba", 8, MambaOptions{.expansion = 2, .states = 4, .kernel = 3, .delta_rank = 1});
}
// The state comes from frames before, and the ring is written over.
TEST(Golden, AttentionOverAWindow) {
  check_block<Attention>("attention", 5, 2, AttentionOptions{.head_size = 4, .window = 4});
  check_block<Attention>("attention", 8, 1, AttentionOptions{.head_size = 16, .window = 6});
}

template <template <class> class Layer>
void check_bidirectional(const std::string& name) {
  const Random random(1);
  for (const auto& [inputs, features] : {std::pair<Index, Index>{5, 7}, {8, 8}}) {
    const std::string sized = name + "_" + std::to_string(inputs) + "_" + std::to_string(features);
    const auto make = [&, inputs = inputs, features = features]<class S>(S) {
      return AnyLayer<S>(Bidirectional(erase(Layer<S>(inputs, features, random.stream(0))),
                                       erase(Layer<S>(inputs, features, random.stream(1)))));
    };
    check(sized, make(double()), compositions().at(sized), 1e-12);
    check(sized, make(float()), compositions().at(sized), 1e-5);
  }
}
TEST(Golden, BidirectionalGru) { check_bidirectional<Gru>("bidirectional_gru"); }
TEST(Golden, BidirectionalLstm) { check_bidirectional<Lstm>("bidirectional_lstm"); }

TEST(Golden, HighwayAroundMinGru) {
  const Random random(1);
  for (const Index size : {5, 8}) {
    const std::string sized = "highway_min_gru_" + std::to_string(size);
    const auto make = [&]<class S>(S) {
      return AnyLayer<S>(Highway(erase(MinGru<S>(size, size, random.stream(0))), random.stream(1)));
    };
    check(sized, make(double()), compositions().at(sized), 1e-12);
    check(sized, make(float()), compositions().at(sized), 1e-5);
  }
}

/// make(S(), F) makes a layer of frames.
template <class Make>
void check_frames(const std::string& name, const Make& make) {
  for (const Index features : {5, 8}) {
    const std::string sized = name + "_" + std::to_string(features);
    check(sized, AnyLayer<double>(make(double(), features)), frames().at(sized), 1e-12);
    check(sized, AnyLayer<float>(make(float(), features)), frames().at(sized), 1e-5);
  }
}
TEST(Golden, LayerNorm) {
  check_frames("layer_norm", []<class S>(S, Index features) { return LayerNorm<S>(features); });
}
TEST(Golden, RmsNormOfAnotherEpsilon) {
  check_frames("rms_norm_1e-2", []<class S>(S, Index features) { return RmsNorm<S>(features, {.epsilon = 1e-2}); });
}
TEST(Golden, MlpWithTheExactGelu) {
  const Random random(1);
  for (const auto& [name, form] : {std::pair{"mlp_exact_gelu", MlpForm::gelu}, {"mlp_exact_gated", MlpForm::gated}})
    check_frames(name, [&, form = form]<class S>(S, Index features) {
      return Mlp<S>(features, 2 * features + 1, random.stream(0), {.form = form, .gelu = GeluForm::exact});
    });
}

TEST(Golden, Activations) {
  using F = ActivationFunction;
  for (const auto& [name, function] : {std::pair{"tanh", F::tanh},
                                       {"sigmoid", F::sigmoid},
                                       {"relu", F::relu},
                                       {"elu", F::elu},
                                       {"gelu", F::gelu},
                                       {"exact_gelu", F::exact_gelu},
                                       {"silu", F::silu},
                                       {"softmax", F::softmax}})
    check_frames(name, [function = function]<class S>(S, Index features) { return Activation<S>(features, function); });
}

TEST(Golden, Conv1dOfAllFeatures) {
  const Random random(1);
  const auto make = [&]<class S>(S, Index features) {
    const Index outputs = features == 5 ? 7 : 16, kernel = features == 5 ? 3 : 4, dilation = features == 5 ? 2 : 1;
    return Sequential(erase(Unfold<S>(features, kernel, {.dilation = dilation})),
                      erase(Linear<S>(kernel * features, outputs, random.stream(0))));
  };
  check_frames("conv1d", make);
}
TEST(Golden, Prelu) {
  check_frames("prelu", []<class S>(S, Index features) { return Prelu<S>(features); });
}

TEST(Golden, NoCaseIsLeftOut) {
  EXPECT_EQ(layers().size(), 2 * 14u);
  EXPECT_EQ(blocks().size(), 2 * 2u);
  EXPECT_EQ(compositions().size(), 2 * 3u);
  EXPECT_EQ(frames().size(), 2 * 14u);
}

}  // namespace
}  // namespace minrnn::tests
