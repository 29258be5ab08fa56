// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/math/softmax.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "minrnn/core/random.hpp"

namespace minrnn::tests {
namespace {

template <class S>
std::vector<S> softmax_of(const std::vector<S>& x) {
  std::vector<S> y(x.size(), S(-1));
  softmax(Row<const S>(x.data()), static_cast<Index>(x.size()), Row<S>(y.data()));
  return y;
}

template <class S>
class Softmax : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Softmax, Scalars);

// Numbers that fill no packet, whole ones, and whole ones with a rest. The difference from the largest is rounded,
// which moves its exponential by half an eps for each unit of it, up to twice the scale; the other roundings are those
// of exp, of a sum, of a quotient and of a product.
TYPED_TEST(Softmax, IsTheOneOfLongDouble) {
  using S = TypeParam;
  Random random(7);
  for (const std::size_t n : {1u, 2u, 3u, 16u, 35u})
    for (const double scale : {0.1, 1.0, 30.0}) {
      std::vector<S> x;
      for (std::size_t i = 0; i < n; ++i) x.push_back(static_cast<S>(random.symmetric(scale)));
      long double sum = 0;
      for (const S x_i : x) sum += std::exp(static_cast<long double>(x_i));
      const auto y = softmax_of(x);
      for (std::size_t i = 0; i < n; ++i) {
        const auto wanted = static_cast<double>(std::exp(static_cast<long double>(x[i])) / sum);
        EXPECT_NEAR(static_cast<double>(y[i]), wanted,
                    wanted * (6 + scale) * static_cast<double>(std::numeric_limits<S>::epsilon()))
            << i << " of " << n << ", scale " << scale;
      }
    }
}

TYPED_TEST(Softmax, TakesNumbersOfAnySize) {
  using S = TypeParam;
  constexpr S kMost = std::numeric_limits<S>::max(), kInfinity = std::numeric_limits<S>::infinity();
  EXPECT_EQ(softmax_of<S>({kMost, -kMost, kMost}), (std::vector<S>{S(0.5), S(0), S(0.5)}));
  EXPECT_EQ(softmax_of<S>({S(-3), -kInfinity, S(-3), -kInfinity}), (std::vector<S>{S(0.5), S(0), S(0.5), S(0)}));
  for (const S none : {std::numeric_limits<S>::quiet_NaN(), kInfinity})
    for (const std::size_t at : {0u, 1u, 17u}) {
      std::vector<S> x(20, S(1));
      x[at] = none;
      for (const S y_i : softmax_of(x)) EXPECT_TRUE(std::isnan(y_i)) << none << " at " << at;
    }
}

}  // namespace
}  // namespace minrnn::tests
