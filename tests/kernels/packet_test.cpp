// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <utility>
#include <vector>

namespace minrnn::tests {
namespace {

template <class S>
class PacketOf : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(PacketOf, Scalars);

TYPED_TEST(PacketOf, ReadsAsMathematics) {
  using P = Packet<TypeParam>;
  const P two(2), three(3);
  EXPECT_EQ((two + three).first(), 5);
  EXPECT_EQ((two - three).first(), -1);
  EXPECT_EQ((two * three).first(), 6);
  EXPECT_EQ((three / two).first(), TypeParam(1.5));
  EXPECT_EQ((-two).first(), -2);
  EXPECT_EQ(fma(two, three, P(1)).first(), 7);
  EXPECT_EQ(minimum(two, three).first(), 2);
  EXPECT_EQ(maximum(two, three).first(), 3);
  EXPECT_EQ(absolute(P(-4)).first(), 4);
  EXPECT_EQ(select(two < three, P(1), P(0)).first(), 1);
  EXPECT_EQ(select(three < two, P(1), P(0)).first(), 0);
  EXPECT_EQ(select(three < three, P(1), P(0)).first(), 0);
  EXPECT_EQ(select(two == three, P(1), P(0)).first(), 0);
  EXPECT_EQ(select(two == two, P(1), P(0)).first(), 1);
}

template <class P>
void expect_all_finite_to_see_every_lane() {
  using S = typename P::Scalar;
  std::vector<S> numbers(static_cast<std::size_t>(P::size));
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = i % 2 == 0 ? std::numeric_limits<S>::max() : -std::numeric_limits<S>::denorm_min();
  EXPECT_TRUE(all_finite(P::load(numbers.data())));
  for (S& number : numbers)
    for (const S bad : {std::numeric_limits<S>::infinity(), -std::numeric_limits<S>::infinity(),
                        std::numeric_limits<S>::quiet_NaN(), -std::numeric_limits<S>::quiet_NaN()}) {
      const S kept = std::exchange(number, bad);
      EXPECT_FALSE(all_finite(P::load(numbers.data()))) << bad << " at " << &number - numbers.data();
      number = kept;
    }
}

TYPED_TEST(PacketOf, KnowsWhetherAllOfItIsFinite) {
  expect_all_finite_to_see_every_lane<Packet<TypeParam>>();
  expect_all_finite_to_see_every_lane<Packet<TypeParam, 2>>();
  expect_all_finite_to_see_every_lane<Packet<TypeParam, 4>>();
}

TYPED_TEST(PacketOf, LoadsStoresAndReduces) {
  using P = Packet<TypeParam>;
  std::vector<TypeParam> from(static_cast<std::size_t>(P::size) + 1), to(from.size(), 0);
  TypeParam sum = 0;
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<TypeParam>(i) - 2;
  for (std::size_t i = 1; i < from.size(); ++i) sum += from[i];
  const P p = P::load(from.data() + 1);  // not aligned
  p.store(to.data() + 1);
  EXPECT_EQ(to[0], 0);
  for (std::size_t i = 1; i < from.size(); ++i) EXPECT_EQ(to[i], from[i]);
  EXPECT_EQ(p.sum(), sum);
  EXPECT_EQ(p.largest(), from.back());
}

TYPED_TEST(PacketOf, LanesCoverEveryElementOnceAndNoMore) {
  using P = Packet<TypeParam>;
  for (Index n = 0; n <= 3 * P::size + 1; ++n) {
    std::vector<TypeParam> from(static_cast<std::size_t>(n), 3), to(static_cast<std::size_t>(n) + 1, 10);
    Index calls = 0;
    minrnn::for_lanes<TypeParam>(n, [&](auto lanes) {
      ++calls;
      lanes.store(to.data(), lanes.load(to.data()) + lanes.load(from.data()));
    });
    EXPECT_EQ(calls, (n + P::size - 1) / P::size);
    for (Index i = 0; i < n; ++i) EXPECT_EQ(to[static_cast<std::size_t>(i)], 13) << i << " of " << n;
    EXPECT_EQ(to.back(), 10) << "writes beyond " << n;
  }
}

TYPED_TEST(PacketOf, PartialLanesHoldZeroBeyondTheirCount) {
  using P = Packet<TypeParam>;
  if constexpr (P::size > 1) {
    const std::vector<TypeParam> from(static_cast<std::size_t>(P::size), 7);
    const P p = minrnn::detail::PartialLanes<TypeParam>{0, P::size - 1}.load(from.data());
    EXPECT_EQ(p.sum(), 7 * static_cast<TypeParam>(P::size - 1));
  } else {
    EXPECT_EQ(P::size, 1) << "a packet of one scalar has no part";
  }
}

TEST(Unroll, CallsInOrder) {
  std::vector<int> calls;
  minrnn::detail::unroll<4>([&](auto i) {
    static_assert(i >= 0);
    calls.push_back(i);
  });
  EXPECT_EQ(calls, (std::vector<int>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace minrnn::tests
