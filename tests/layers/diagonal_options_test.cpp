// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/diagonal_options.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"

#include "support/message.hpp"
#include "support/weights.hpp"

namespace minrnn::tests {
namespace {

constexpr Index kFeatures = 5;

template <class L>
auto weights_with(const DiagonalOptions& options) {
  return weights_of(L(3, kFeatures, Random(1).stream(0), options));
}

Matrix<double> column(double a, double b, double c, double d, double e) {
  return Matrix<double>{{a}, {b}, {c}, {d}, {e}};
}

TEST(DiagonalOptions, SpreadTheForgetBiasEvenly) {
  EXPECT_EQ(weights_of(DiagonalGru<double>(3, kFeatures, Random(1).stream(0)))["b_z"], column(0, -.25, -.5, -.75, -1));
  EXPECT_EQ(weights_of(DiagonalLstm<double>(3, kFeatures, Random(1).stream(0)))["b_f"], column(0, -.25, -.5, -.75, -1));
  const DiagonalOptions options{.first_forget_bias = 2, .last_forget_bias = 6};
  EXPECT_EQ(weights_with<DiagonalGru<double>>(options)["b_z"], column(-2, -3, -4, -5, -6));
  EXPECT_EQ(weights_with<DiagonalLstm<double>>(options)["b_f"], column(2, 3, 4, 5, 6));
  const DiagonalGru<double> single(3, 1, Random(1).stream(0), options);
  EXPECT_EQ(weights_of(single)["b_z"], (Matrix<double>{{-2}}));
}

TEST(DiagonalOptions, KeepTheSigmoidOfTheForgetBiasAtFirst) {
  const DiagonalOptions options{.first_forget_bias = 1, .last_forget_bias = 5, .deviation = 0};
  DiagonalGru<double> gru(3, kFeatures, Random(1).stream(0), options);
  DiagonalLstm<double> lstm(3, kFeatures, Random(1).stream(0), options);
  visit_parameters(lstm, [](const Name& name, auto& p) {
    if (name.is("c_f")) p.value.setZero();
  });
  const Matrix<double> nothing = Matrix<double>::Zero(3, 1);
  DiagonalGru<double>::Cache gru_cache;
  DiagonalLstm<double>::Cache lstm_cache;
  auto of_gru = gru.initial_state(1);
  auto of_lstm = lstm.initial_state(1);
  of_gru.h.setConstant(0.5);
  of_lstm.c.setConstant(0.5);
  gru.step(nothing, of_gru, gru_cache);
  lstm.step(nothing, of_lstm, lstm_cache);
  for (Index i = 0; i < kFeatures; ++i) {
    const double kept = 0.5 / (1 + std::exp(-static_cast<double>(1 + i)));
    EXPECT_NEAR(of_gru.h(i, 0), kept, 1e-12);
    EXPECT_NEAR(of_lstm.c(i, 0), kept, 1e-12);
  }
}

TEST(DiagonalOptions, ScaleTheDiagonalWeightsAndNothingElse) {
  auto two = weights_with<DiagonalLstm<double>>({}), half = weights_with<DiagonalLstm<double>>({.deviation = 0.5});
  for (const char* name : {"a_f", "a_g", "a_o"}) EXPECT_EQ(two[name], 4 * half[name]) << name;
  for (const char* name : {"c_f", "c_o", "w_f", "w_g", "w_o", "b_f", "b_g", "b_o"})
    EXPECT_EQ(two[name], half[name]) << name;
}

TEST(DiagonalOptions, AreFiniteNumbers) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto message = [](const DiagonalOptions& options) {
    return message_of<std::invalid_argument>([&] { weights_with<DiagonalGru<double>>(options); });
  };
  EXPECT_EQ(message({.first_forget_bias = nan}), "DiagonalGru: first_forget_bias: wanted a finite number, given nan");
  EXPECT_EQ(message({.last_forget_bias = nan}), "DiagonalGru: last_forget_bias: wanted a finite number, given nan");
  EXPECT_EQ(message({.deviation = -1}),
            "DiagonalGru: deviation: wanted a finite number of at least 0, given -1.000000");
}

}  // namespace
}  // namespace minrnn::tests
