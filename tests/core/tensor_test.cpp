// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/tensor.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <type_traits>

#include "support/message.hpp"

namespace minrnn::tests {
namespace {

/// (3, 4, 2), where element (f, t, b) is 100 b + 10 t + f.
Eigen::Tensor<float, 3> counted() {
  Eigen::Tensor<float, 3> tensor(3, 4, 2);
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 4; ++t)
      for (Index f = 0; f < 3; ++f) tensor(f, t, b) = static_cast<float>(100 * b + 10 * t + f);
  return tensor;
}

template <class View>
void expect_counted(const View& view) {
  ASSERT_EQ(view.features(), 3);
  ASSERT_EQ(view.time(), 4);
  ASSERT_EQ(view.batch(), 2);
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 4; ++t)
      for (Index f = 0; f < 3; ++f) EXPECT_EQ(view.column(t, b)[f], static_cast<float>(100 * b + 10 * t + f));
}

TEST(SequenceView, IsATensorWithoutACopy) {
  Eigen::Tensor<float, 3> tensor = counted();
  const SequenceView<float> view = tensor;
  expect_counted(view);
  EXPECT_EQ(view.data(), tensor.data());
  *view.column(2, 1) = 7;
  EXPECT_EQ(tensor(0, 2, 1), 7);
}

TEST(SequenceView, IsAConstTensorOrAMapWithoutACopy) {
  const Eigen::Tensor<float, 3> tensor = counted();
  const SequenceView<const float> view = tensor;
  expect_counted(view);
  EXPECT_EQ(view.data(), tensor.data());
  static_assert(!std::is_constructible_v<SequenceView<float>, const Eigen::Tensor<float, 3>&>);
  static_assert(!std::is_constructible_v<SequenceView<float>, Eigen::Tensor<float, 2>&>);
  static_assert(!std::is_constructible_v<SequenceView<float>, Eigen::Tensor<double, 3>&>);
  static_assert(!std::is_constructible_v<SequenceView<float>, Eigen::Tensor<float, 3, Eigen::RowMajor>&>);

  Eigen::Tensor<float, 3> storage = counted();
  Eigen::TensorMap<Eigen::Tensor<float, 3>> map(storage.data(), 3, 4, 2);
  const SequenceView<float> of_map = map;
  expect_counted(of_map);
  EXPECT_EQ(of_map.data(), storage.data());
  const Eigen::TensorMap<const Eigen::Tensor<float, 3>> fixed(storage.data(), 3, 4, 2);
  const SequenceView<const float> of_fixed = fixed;
  expect_counted(of_fixed);
  const SequenceView<const float> from_mutable = SequenceView<float>(map);
  EXPECT_EQ(from_mutable.data(), storage.data());
}

TEST(SequenceView, IsATemporaryMapButNoTemporaryTensor) {
  using Tensor = Eigen::Tensor<float, 3>;
  static_assert(!std::is_convertible_v<Tensor, SequenceView<float>>);
  static_assert(!std::is_convertible_v<Tensor, SequenceView<const float>>);
  static_assert(!std::is_convertible_v<const Tensor, SequenceView<const float>>);
  static_assert(!std::is_convertible_v<Eigen::TensorFixedSize<float, Eigen::Sizes<3, 4, 2>>, SequenceView<float>>);
  static_assert(std::is_convertible_v<Tensor&, SequenceView<float>>);
  static_assert(std::is_convertible_v<const Tensor&, SequenceView<const float>>);
  static_assert(std::is_convertible_v<Eigen::TensorMap<const Tensor>, SequenceView<const float>>);
  static_assert(!std::is_convertible_v<Eigen::TensorMap<const Tensor>, SequenceView<float>>);
  Tensor tensor = counted();
  const SequenceView<float> view = Eigen::TensorMap<Tensor>(tensor.data(), 3, 4, 2);
  expect_counted(view);
  const SequenceView<const float> again = view.tensor();
  EXPECT_EQ(again.data(), tensor.data());
}

TEST(SequenceView, GivesATensorMapBack) {
  Eigen::Tensor<float, 3> tensor = counted();
  const SequenceView<float> view = tensor;
  auto map = view.tensor();
  EXPECT_EQ(map.data(), tensor.data());
  EXPECT_EQ(map.dimension(0), 3);
  EXPECT_EQ(map.dimension(1), 4);
  EXPECT_EQ(map.dimension(2), 2);
  map(1, 3, 1) = 5;
  EXPECT_EQ(tensor(1, 3, 1), 5);
  EXPECT_EQ(message_of<std::invalid_argument>([&] { view.chunk(1, 2).tensor(); }),
            "SequenceView::tensor: view: wanted a contiguous block, given one with a batch stride");
  EXPECT_EQ(view.sequences(1, 1).chunk(1, 2).tensor()(2, 0, 0), 112) << "one sequence has no batch stride";
}

}  // namespace
}  // namespace minrnn::tests
