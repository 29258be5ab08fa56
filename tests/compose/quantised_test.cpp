// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compose/quantised.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/embedding.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

constexpr WeightFormat kFormats[] = {WeightFormat::bf16, WeightFormat::int8};

/// The weight that a quantised one stands for, in double, which rounds nothing.
template <class L>
Matrix<double> weight_of(const Quantised<L>& narrow, const std::string& wanted) {
  Matrix<double> weight, scale;
  const auto take = [&](const Name& name, const auto& m, auto&& number) {
    if (name.str() == wanted + "/scale") scale = Matrix<double>(m.rows(), m.cols());
    if (name.str() == wanted) weight = Matrix<double>(m.rows(), m.cols());
    for (Index r = 0; r < m.rows(); ++r)
      for (Index c = 0; c < m.cols(); ++c) {
        if (name.str() == wanted) weight(r, c) = number(m(r, c));
        if (name.str() == wanted + "/scale") scale(r, c) = number(m(r, c));
      }
  };
  Quantised<L>::visit(narrow, Name{}, [&](const Name& name, const auto& m) {
    using M = std::remove_cvref_t<decltype(m)>;
    if constexpr (std::is_same_v<M, minrnn::detail::StoredMatrix<minrnn::detail::Bf16>>)
      take(name, m, [](auto x) { return static_cast<double>(widened(x)); });
    else if constexpr (requires { m(0, 0); })
      take(name, m, [](auto x) { return static_cast<double>(x); });
  });
  if (scale.size() == 0) return weight;
  return scale.cols() == 1 && scale.rows() == weight.rows() ? Matrix<double>(scale.col(0).asDiagonal() * weight)
                                                            : Matrix<double>(weight * scale.row(0).asDiagonal());
}

template <class S>
class QuantisedOf : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(QuantisedOf, Scalars);

TYPED_TEST(QuantisedOf, WeightsAreOffByHalfAStep) {
  using S = TypeParam;
  Random random(1);
  Matrix<S> w = random_matrix<S>(19, 37, random, 0.1);
  w.row(3).setZero();
  w.row(4) *= S(1e-30);
  w.row(5) *= S(1e30);
  w.row(6) *= std::numeric_limits<S>::min();
  w(7, 7) = S(5);  // by far the largest of its row
  const Linear<S> layer(w);
  const Matrix<double> full = w.template cast<double>();
  const Matrix<double> bf16 = weight_of(quantise(layer, WeightFormat::bf16), "w"),
                       int8 = weight_of(quantise(layer, WeightFormat::int8), "w");
  for (Index r = 0; r < w.rows(); ++r) {
    const double step =
        std::max(full.row(r).cwiseAbs().maxCoeff() / 127, static_cast<double>(std::numeric_limits<S>::min()));
    for (Index c = 0; c < w.cols(); ++c) {
      // Of 8 significant bits, or where float has less than that, of the last that bf16 has.
      EXPECT_LE(std::abs(bf16(r, c) - full(r, c)), std::max(0x1p-8 * std::abs(full(r, c)), 0x1p-134)) << r << ", " << c;
      // The scale itself is rounded to S: 127 times 2^-24 of a step at most.
      EXPECT_LE(std::abs(int8(r, c) - full(r, c)), step * (0.5 + 127 * 0x1p-24)) << r << ", " << c;
    }
  }
  EXPECT_TRUE((int8.row(3).array() == 0).all()) << "a row of zeros";
}

/// |y' - y| <= sum_k (|x_k| s_r + |w'_rk| s) / 2 and what is rounded behind it: the sum to S, its scale, and a
/// multiply-add for each slice.
TYPED_TEST(QuantisedOf, AProductIsOffByNoMoreThanItsSteps) {
  using S = TypeParam;
  Random random(1);
  for (const Index depth : {5, 300, 1500}) {
    const Matrix<S> w = random_matrix<S>(21, depth, random), bias = random_matrix<S>(21, 1, random);
    const Linear<S> layer(w, bias);
    const Matrix<S> x = random_matrix<S>(depth, 6, random);
    NoState none;
    const auto narrow = quantise(layer, WeightFormat::int8);
    typename Linear<S>::Cache cache;
    const Matrix<S> y = to_matrix(narrow.infer(x, none, cache));
    const Matrix<double> weight = weight_of(narrow, "w");
    for (Index j = 0; j < x.cols(); ++j)
      for (Index r = 0; r < w.rows(); ++r) {
        double wanted = static_cast<double>(bias(r, 0)), bound = 0, size = std::abs(wanted);
        const double s_r = static_cast<double>(w.row(r).cwiseAbs().maxCoeff()) / 127;
        for (Index first = 0; first < depth; first += 1024) {
          const Index n = std::min<Index>(1024, depth - first);
          // 2^13 s <= max |x|
          const double s = static_cast<double>(x.col(j).segment(first, n).cwiseAbs().maxCoeff()) * 0x1p-13;
          for (Index k = first; k < first + n; ++k) {
            const double x_k = static_cast<double>(x(k, j)), w_k = static_cast<double>(w(r, k));
            wanted += w_k * x_k;
            size += std::abs(w_k * x_k);
            bound += (std::abs(x_k) * s_r + std::abs(weight(r, k)) * s) / 2;
          }
        }
        const double rounding = 8 * static_cast<double>(std::numeric_limits<S>::epsilon()) * size;
        EXPECT_LE(std::abs(static_cast<double>(y(r, j)) - wanted), bound + rounding) << depth << ": " << r << ", " << j;
      }
  }
}

/// An embedding alone.
template <class S>
struct Table {
  using Scalar = S;
  struct State {};
  using Cache = typename Embedding<S>::Cache;

  State initial_state(Index) const { return {}; }
  SequenceView<const S> infer(Tokens tokens, State&, Cache& cache, const Context&) const {
    return embedding.forward(tokens, cache);
  }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Embedding<S>::visit(self.embedding, scope, visitor);
  }

  Embedding<S> embedding;
};

TYPED_TEST(QuantisedOf, ATableHasAScaleForEachSymbol) {
  using S = TypeParam;
  const Table<S> table{Embedding<S>(11, 6, Random(1).stream(0))};
  Matrix<double> full;
  visit_parameters(table, [&](const Name&, const auto& p) { full = p.value.template cast<double>(); });
  Matrix<std::int32_t> tokens(1, 11);
  for (Index t = 0; t < 11; ++t) tokens(0, t) = static_cast<std::int32_t>((5 * t) % 11);
  for (const WeightFormat format : kFormats) {
    const auto narrow = quantise(table, format);
    typename Table<S>::State state;
    typename Table<S>::Cache cache;
    const auto y = narrow.infer(tokens, state, cache);
    for (Index t = 0; t < 11; ++t) {
      const auto column = full.col(tokens(0, t));
      const double step = format == WeightFormat::int8 ? column.cwiseAbs().maxCoeff() / 127 : 0;
      for (Index i = 0; i < 6; ++i)  // and one rounding of scale q
        EXPECT_LE(std::abs(static_cast<double>(y.column(t, 0)[i]) - column(i)),
                  std::max(step * (0.5 + 254 * 0x1p-24), (1 - (step > 0)) * 0x1p-8 * std::abs(column(i))));
    }
  }
}

TEST(Quantised, RefusesWeightsThatAreNoNumbersByTheirName) {
  constexpr float kMost = std::numeric_limits<float>::max(), kInfinity = std::numeric_limits<float>::infinity();
  const Sequential net(named<"mixer">(MinGru<float>(5, 7, Random(1).stream(0))),
                       Linear<float>(7, 2, Random(1).stream(1)));
  const auto message = [&](const std::string& spoilt, float value, WeightFormat format) -> std::string {
    auto bad = net;
    visit_parameters(bad, [&](const Name& name, auto& p) {
      if (name.is(spoilt)) p.value(1, 0) = value;
    });
    try {
      quantise(bad, format);
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return {};
  };
  for (const WeightFormat format : kFormats)
    for (const float value : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity}) {
      const std::string text = message("mixer/w_h", value, format);
      EXPECT_NE(text.find("quantise: mixer/w_h: wanted"), std::string::npos) << text;
      EXPECT_NE(text.find("at (1, 0)"), std::string::npos) << text;
      EXPECT_EQ(message("mixer/b_h", value, format), "") << "a bias stays as it is, whatever it is";
    }
  EXPECT_NE(message("1/w", kMost, WeightFormat::bf16).find("quantise: 1/w: wanted"), std::string::npos);
  EXPECT_EQ(message("1/w", kMost, WeightFormat::int8), "");
  EXPECT_EQ(message("1/w", 0x1.fep127f, WeightFormat::bf16), "") << "the largest of 16 bits";
}

TEST(Quantised, IsAValueOfItsOwn) {
  const MinGru<float> layer(33, 20, Random(1).stream(0));
  const Example example(layer, 5, 2);
  const auto before = infer(layer, example);
  for (const WeightFormat format : kFormats) {
    auto narrow = quantise(layer, format);
    EXPECT_EQ(narrow.format(), format);
    EXPECT_EQ(narrow.input_size(), 33);
    EXPECT_EQ(narrow.output_size(), 20);
    const Example narrow_example(narrow, 5, 2);
    const auto wanted = infer(narrow, narrow_example);
    const auto copy = narrow;
    const auto moved = std::move(narrow);
    EXPECT_TRUE(equal(infer(copy, Example(copy, 5, 2)), wanted));
    EXPECT_TRUE(equal(infer(moved, Example(moved, 5, 2)), wanted));
    auto state = moved.initial_state(1);
    MinGru<float>::Cache cache;
    const Matrix<float> x = Matrix<float>::Ones(33, 1);
    EXPECT_THROW(narrow.step(x, state, cache), std::invalid_argument) << "moved from";
    EXPECT_TRUE(equal(infer(layer, example), before)) << "the layer it was made of stays as it was";
  }
}

TYPED_TEST(QuantisedOf, ALanguageModelStreamsWhatItInfers) {
  using S = TypeParam;
  using Mixer = MinGru<S>;
  const LanguageModel<Mixer> model(
      {.vocabulary = 70, .dim = 40, .layers = 2}, Random(1).stream(0),
      [](Index inputs, Index features, RandomStream stream) { return Mixer(inputs, features, stream); });
  Matrix<std::int32_t> text(1, 40);
  for (Index t = 0; t < 40; ++t) text(0, t) = static_cast<std::int32_t>((7 * t) % 70);
  for (const WeightFormat format : kFormats) {
    const auto narrow = quantise(model, format);
    EXPECT_EQ(narrow.vocabulary_size(), 70);
    typename Quantised<LanguageModel<Mixer>>::Cache cache;
    auto state = narrow.initial_state(1), stream = narrow.initial_state(1);
    const Matrix<S> wanted = to_matrix(narrow.infer(text, state, cache, context()));
    for (Index t = 0; t < 40; ++t) {
      const Matrix<std::int32_t> token = text.col(t);
      const Matrix<S> logits = narrow.step(token, stream, cache, {.executor = nullptr}).matrix();
      EXPECT_TRUE(equal<S>(logits, wanted.col(t))) << t;
    }
  }
}

}  // namespace
}  // namespace minrnn::tests
