// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/conv1d.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "minrnn/core/check.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

TEST(Conv1d, RefusesADilationBelowOneAndATailBeyondAllSizes) {
  const RandomStream stream = Random(1).stream(0);
  const auto message = [&](Index dilation) {
    return message_of<std::invalid_argument>([&] { Conv1d<float>(3, 4, stream, {.dilation = dilation}); });
  };
  EXPECT_EQ(message(0), "Conv1d: dilation: wanted a size of at least 1, given 0");
  EXPECT_NE(message(detail::kMostSize).find("Conv1d: dilation: wanted a product of at most"), std::string::npos);
}

TEST(Conv1d, RefusesTheCacheAndTheStateOfAnotherDilation) {
  const RandomStream stream = Random(1).stream(0);
  Conv1d<float> near_by(3, 4, stream), apart(3, 4, stream, {.dilation = 2});
  Conv1d<float>::Cache cache;
  auto state = apart.initial_state(1), other = near_by.initial_state(1);
  EXPECT_EQ(state.tail.rows(), 3 * 3 * 2);
  const Matrix<float> x = Matrix<float>::Ones(3, 5);
  const auto y = apart.forward(x, state, cache);
  EXPECT_THROW(near_by.backward(y, cache), std::invalid_argument);
  EXPECT_THROW(apart.forward(x, other, cache), std::invalid_argument);
}

}  // namespace
}  // namespace minrnn::tests
