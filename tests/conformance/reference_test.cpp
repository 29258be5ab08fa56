// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <type_traits>
#include <vector>

#include "conformance/listed_layer.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "reference/min_lstm_reference.hpp"
#include "reference/published_log_scan.hpp"
#include "support/run.hpp"
#include "support/weights.hpp"

namespace minrnn::tests {
namespace {

using conformance::erase;
using Layer = conformance::AnyLayer<double>;

/// The learnt initial state, or zero.
Matrix<double> initial_of(const Layer& layer, bool positive) {
  Matrix<double> h_0 = Matrix<double>::Zero(layer.output_size(), 1);
  const auto all = weights_of(layer);
  if (const auto learnt = all.find("h_0"); learnt != all.end())
    h_0 =
        positive ? Matrix<double>(learnt->second.unaryExpr([](double x) { return reference::g(x); })) : learnt->second;
  return h_0;
}

template <class Reference>
void expect_reference(const Layer& layer, bool positive, Reference&& reference) {
  for (const auto& [time, batch] : {std::pair<Index, Index>{1, 1}, {30, 3}, {40, 9}, {2100, 1}}) {
    auto example = Example(layer, time, batch).with_starts({{time / 3, 0}, {time - 1, batch - 1}});
    const Matrix<double> initial = initial_of(layer, positive);
    const auto result = forward(layer, example);
    for (Index b = 0; b < batch; ++b) {
      const std::vector<std::uint8_t> starts(example.flags.begin() + b * time, example.flags.begin() + (b + 1) * time);
      const Matrix<double> h = reference(weights_of(layer), example.x.view().matrix(b), initial, initial, starts);
      // Double against double, by another way to write each gate.
      EXPECT_TRUE(close<double>(result.at("y").middleCols(b * time, time), h, 1e-13, "h"));
      EXPECT_TRUE(close<double>(result.at("state h").col(b), h.col(time - 1), 1e-13, "state"));
    }
  }
}

template <Candidate candidate, Arithmetic arithmetic = Arithmetic::linear>
void expect_min_gru() {
  constexpr bool positive = candidate == Candidate::positive;
  for (const bool learns : {false, true}) {
    Random random(4);
    const Layer layer = erase(MinGru<double, candidate, arithmetic>(
        6, 21, random.stream(0), {.forget_bias = 0.5, .learn_initial_state = learns}));
    expect_reference(layer, positive, [&](auto p, const auto& x, const auto& h_0, const auto& initial, auto& starts) {
      return reference::min_gru({p["w_z"], p["b_z"], p["w_h"], p["b_h"], positive}, x, h_0, initial, starts);
    });
  }
}

TEST(Reference, MinGruIsTheEquationsOfThePaper) {
  expect_min_gru<Candidate::positive>();
  expect_min_gru<Candidate::plain>();
  expect_min_gru<Candidate::positive, Arithmetic::log_space>();
}

template <GateScaling scaling, Candidate candidate, Arithmetic arithmetic = Arithmetic::linear>
void expect_min_lstm() {
  constexpr bool positive = candidate == Candidate::positive, normalised = scaling == GateScaling::normalised;
  for (const bool learns : {false, true}) {
    Random random(4);
    const Layer layer = erase(MinLstm<double, scaling, candidate, arithmetic>(
        6, 21, random.stream(0), {.forget_bias = 3, .learn_initial_state = learns}));
    expect_reference(layer, positive, [&](auto p, const auto& x, const auto& h_0, const auto& initial, auto& starts) {
      return reference::min_lstm({p["w_f"], p["b_f"], p["w_i"], p["b_i"], p["w_h"], p["b_h"], normalised, positive}, x,
                                 h_0, initial, starts);
    });
  }
}

TEST(Reference, MinLstmIsTheEquationsOfThePaper) {
  expect_min_lstm<GateScaling::normalised, Candidate::positive>();
  expect_min_lstm<GateScaling::normalised, Candidate::plain>();
  expect_min_lstm<GateScaling::normalised, Candidate::positive, Arithmetic::log_space>();
  expect_min_lstm<GateScaling::unnormalised, Candidate::positive>();
  expect_min_lstm<GateScaling::unnormalised, Candidate::plain>();
  expect_min_lstm<GateScaling::unnormalised, Candidate::positive, Arithmetic::log_space>();
}

// In double, and short, the published listing gives the same numbers as well.
TEST(Reference, MinGruIsThePublishedListing) {
  Random random(8);
  const Layer layer = erase(MinGru<double, Candidate::positive, Arithmetic::log_space>(5, 7, random.stream(0),
                                                                                       {.learn_initial_state = true}));
  const Example example(layer, 50, 1);
  auto p = weights_of(layer);
  const auto softplus = [](double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))); };
  const auto log_g = [&](double x) { return x >= 0 ? std::log(x + 0.5) : -softplus(-x); };
  Matrix<double> log_coeffs(7, 50), log_values(7, 51);
  for (Index i = 0; i < 7; ++i) {
    log_values(i, 0) = log_g(p["h_0"](i, 0));
    for (Index t = 0; t < 50; ++t) {
      const double k = reference::affine(p["w_z"], p["b_z"], example.x.view().matrix(0), i, t);
      log_coeffs(i, t) = -softplus(k);
      log_values(i, t + 1) =
          -softplus(-k) + log_g(reference::affine(p["w_h"], p["b_h"], example.x.view().matrix(0), i, t));
    }
  }
  const Matrix<double> h = reference::published_log_scan(log_coeffs, log_values);
  EXPECT_TRUE(close<double>(forward(layer, example).at("y"), h, 1e-12));  // 50 steps of a sum of up to 50
}

/// Inputs so large that every gate is 0 or 1 to the last bit, or both of minLSTM's underflow.
template <class L>
void expect_finite_at_the_ends(std::string_view name) {
  Random random(6);
  const auto layer = erase(L(3, 18, random.stream(0), {.learn_initial_state = true}));
  for (const double scale : {1e2, 1e4, 1e8}) {
    Example example(layer, 12, 2);
    for (Index i = 0; i < example.x.size(); ++i) example.x.data()[i] *= static_cast<typename L::Scalar>(scale);
    for (const auto& [what, matrix] : train(layer, example))
      EXPECT_TRUE(matrix.allFinite()) << name << ", inputs of " << scale << ": " << what;
  }
}

TEST(Reference, SaturatedGatesGiveNumbers) {
  expect_finite_at_the_ends<MinGru<float>>("MinGru");
  expect_finite_at_the_ends<MinGru<float, Candidate::plain>>("MinGru plain");
  expect_finite_at_the_ends<MinGru<float, Candidate::positive, Arithmetic::log_space>>("MinGru log_space");
  expect_finite_at_the_ends<MinLstm<float>>("MinLstm");
  expect_finite_at_the_ends<MinLstm<float, GateScaling::normalised, Candidate::positive, Arithmetic::log_space>>(
      "MinLstm log_space");
  expect_finite_at_the_ends<MinLstm<float, GateScaling::unnormalised>>("MinLstm unnormalised");
  expect_finite_at_the_ends<MinLstm<double>>("MinLstm in double");

  // Both gates of minLSTM underflow together; their quotient is one half, as in the limit.
  Random random(1);
  MinLstm<float> layer(1, 1, random.stream(0));
  visit_parameters(layer, [](const Name& name, auto& p) {
    p.value.setConstant(name.str() == "b_f" || name.str() == "b_i" ? -1000 : name.str() == "b_h" ? 1 : 0);
  });
  auto state = layer.initial_state(1);
  MinLstm<float>::Cache cache;
  const Eigen::Matrix<float, 1, 1> x(0);
  EXPECT_FLOAT_EQ(layer.step(x, state, cache, context()).column(0)[0], 0.75f);
  EXPECT_FLOAT_EQ(layer.step(x, state, cache, context()).column(0)[0], 1.125f);
}

TEST(Reference, LogSpaceRefusesANegativeState) {
  Random random(1);
  const auto layer = erase(MinGru<float, Candidate::positive, Arithmetic::log_space>(2, 3, random.stream(0)));
  using L = std::remove_const_t<decltype(layer)>;
  const Example example(layer, 4, 2);
  auto state = layer.initial_state(2);
  Matrix<float>& h = *matrices_of<L>(state).at(0);
  h(1, 1) = -0.25f;
  const Matrix<float> before = h;
  L::Cache cache;
  EXPECT_THROW(layer.forward(example.input(), state, cache, context()), std::invalid_argument);
  EXPECT_THROW(layer.infer(example.input(), state, cache, context()), std::invalid_argument);
  EXPECT_THROW(layer.step(example.input().frame(0), state, cache, context()), std::invalid_argument);
  EXPECT_EQ(h, before);
}

}  // namespace
}  // namespace minrnn::tests
