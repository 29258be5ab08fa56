// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/attention/tile_products.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "minrnn/core/random.hpp"

namespace minrnn::tests {
namespace {

/// Small integers, whose sums are exact in any order.
template <class S>
Matrix<S> integers(Index rows, Index columns, Random& random) {
  Matrix<S> m(rows, columns);
  fill_normal(m, random, 3);
  return m.array().round();
}

template <class S>
void expect_products_of_transposed_columns() {
  Random random(1);
  constexpr Index kPanel = detail::ProductKernel<S>::kPanel;
  for (const Index features : {Index{1}, Index{6}, kPanel / 2, kPanel, 2 * kPanel + 3})
    for (const Index count : {Index{1}, kPanel / 2, kPanel / 2 + 1, kPanel, 3 * kPanel - 1}) {
      const Matrix<S> block = integers<S>(features + 2, count, random), z = integers<S>(features, 5, random);
      std::vector<S> memory(static_cast<std::size_t>(detail::TransposedColumns<S>::size(features, count)), S(99));
      const detail::TransposedColumns<S> transposed(memory.data(), features);
      transposed.fill({block.data() + 1, features, count, features + 2});
      const auto x = block.middleRows(1, features);
      for (Index first = 0; first < count; first += kPanel) {
        const Index part = count - first;
        Matrix<S> y(detail::padded<S>(part), 5);
        transposed.multiply(first, part, z, y);
        EXPECT_EQ(y.topRows(part), x.rightCols(part).transpose() * z) << features << ", " << count << " from " << first;
        EXPECT_TRUE((y.bottomRows(y.rows() - part).array() == 0).all()) << "the last panel is filled up with zeros";
      }
    }
}
TEST(TransposedColumns, MultiplyWhateverTheirNumber) {
  expect_products_of_transposed_columns<float>();
  expect_products_of_transposed_columns<double>();
}

TEST(AddProduct, AddsAColumnAfterTheOther) {
  Random random(2);
  const Index rows = detail::padded<float>(40);
  const Matrix<float> a = integers<float>(rows, 7, random), b = integers<float>(7, 13, random),
                      c = integers<float>(rows, 13, random);
  Matrix<float> sum = c;
  detail::add_product<float>(a, b, sum);
  EXPECT_EQ(sum, c + a * b);
}

}  // namespace
}  // namespace minrnn::tests
