// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/output.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "support/compare.hpp"

namespace minrnn::tests {
namespace {

TEST(Output, LiesApartFromWhatIsRead) {
  Output<float> output;
  Sequence<float> x(3, 4, 2);
  const SequenceView<float> first = output.resize(3, 4, 2, x.view());
  EXPECT_EQ(output.resize(3, 4, 2, x.view()).data(), first.data()) << "no need to change";
  const SequenceView<float> second = output.resize(3, 4, 2, first.chunk(2, 1));
  EXPECT_NE(second.data(), first.data());
  const SequenceView<float> third = output.resize(3, 4, 2, first, second);
  EXPECT_NE(third.data(), first.data());
  EXPECT_NE(third.data(), second.data());
  EXPECT_EQ(output.view().data(), third.data());
  // A larger one takes no memory from what is read.
  std::fill_n(third.data(), third.size(), 5.0f);
  const SequenceView<float> larger = output.resize(3, 1, 100, third);
  std::fill_n(larger.data(), larger.size(), 7.0f);
  for (Index i = 0; i < third.size(); ++i) EXPECT_EQ(third.data()[i], 5);
}

TEST(LastResult, CopiesAnArgumentThatLiesInTheLastResult) {
  Sequence<float> y(3, 4, 2), elsewhere(3, 4, 2);
  for (Index i = 0; i < y.size(); ++i) y.data()[i] = static_cast<float>(i);
  const std::uint8_t flags[] = {0, 0, 1, 0, 0, 1, 0, 0};
  LastResult<float> last;
  const SequenceView<const float> result = std::as_const(y).view();
  EXPECT_EQ(last.keep(result).data(), y.data()) << "there was no result yet";
  EXPECT_EQ(last.note(result).data(), y.data());
  EXPECT_EQ(last.keep(std::as_const(elsewhere).view()).data(), elsewhere.data());
  EXPECT_EQ(last.keep(result.chunk(1, 0)).data(), y.data() + 3) << "nothing is read of an empty one";

  const SequenceView<const float> part = result.chunk(1, 2).with_starts(Starts{flags + 1, 4});
  const SequenceView<const float> kept = last.keep(part);
  EXPECT_TRUE(kept.data() < y.data() || kept.data() >= y.data() + y.size());
  EXPECT_TRUE(equal<float>(to_matrix(kept), to_matrix(part)));
  for (Index b = 0; b < 2; ++b)
    for (Index t = 0; t < 2; ++t) EXPECT_EQ(kept.starts(t, b), part.starts(t, b));
  std::fill_n(y.data(), y.size(), -1.0f);
  EXPECT_EQ(kept.column(0, 0)[0], 3) << "a copy";

  last.note(FrameView<const float>(elsewhere.data(), 3, 2));
  EXPECT_EQ(last.keep(result).data(), y.data()) << "no result any more";
  const SequenceView<const float> first_frame(elsewhere.data(), 3, 1);
  EXPECT_NE(last.keep(first_frame).data(), elsewhere.data());
}

}  // namespace
}  // namespace minrnn::tests
