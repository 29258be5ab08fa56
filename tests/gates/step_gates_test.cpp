// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "minrnn/gates/gru.hpp"
#include "minrnn/gates/lstm.hpp"

namespace minrnn::tests {
namespace {

static_assert(detail::StepGates<detail::GruGates> && detail::StepGates<detail::LstmGates>);

using P = Packet<double>;

/// p, q and the state before, h or c, of one feature.
template <class G>
struct Arguments {
  detail::Array<P, G::kCount> p, q;
  P before;
};
template <class G>
Arguments<G> arguments(double size) {
  Arguments<G> a;
  for (Index gate = 0; gate < G::kCount; ++gate) {
    const double number = static_cast<double>(gate);
    a.p[gate] = P(size * (0.3 - 0.4 * number));
    a.q[gate] = P(size * (0.5 * number - 0.7));
  }
  a.before = P(0.6);
  return a;
}

/// dh h_t + dc c_t.
template <class G>
double loss(const Arguments<G>& a, double dh, double dc) {
  const auto step = G::forward(a.p, a.q, a.before);
  if constexpr (G::kHasCell)
    return dh * step.h.first() + dc * step.c.first();
  else
    return dh * step.h.first();
}
template <class G>
detail::StepAdjoint<P, G::kCount> backward(const Arguments<G>& a, double dh, double dc) {
  const auto step = G::forward(a.p, a.q, a.before);
  if constexpr (G::kHasCell)
    return G::backward(step.kept, detail::StepCell<P>{a.before, step.c, P(dc)}, P(dh));
  else
    return G::backward(step.kept, a.before, P(dh));
}

template <class G>
class StepGates : public ::testing::Test {};
using AllGates = ::testing::Types<detail::GruGates, detail::LstmGates>;
TYPED_TEST_SUITE(StepGates, AllGates);

TYPED_TEST(StepGates, BackwardIsTheDerivativeOfForward) {
  using G = TypeParam;
  constexpr double kStep = 1e-5, dh = 0.8, dc = -1.3;
  for (const double size : {0.1, 1.0, 4.0}) {
    const auto a = arguments<G>(size);
    const auto d = backward(a, dh, dc);
    // A loss of order 1 rounds to 1e-16: over two steps of 1e-5 that is 1e-11, and the third derivative adds as much.
    const auto expect_slope = [&](P derivative, auto&& argument_of, const char* name) {
      auto above = a, below = a;
      argument_of(above) = argument_of(above) + P(kStep);
      argument_of(below) = argument_of(below) - P(kStep);
      EXPECT_NEAR(derivative.first(), (loss(above, dh, dc) - loss(below, dh, dc)) / (2 * kStep), 2e-10)
          << name << ", size " << size;
    };
    for (Index gate = 0; gate < G::kCount; ++gate) {
      expect_slope(
          d.dp[gate], [&](auto& x) -> P& { return x.p[gate]; }, "p");
      expect_slope(
          d.dq[gate], [&](auto& x) -> P& { return x.q[gate]; }, "q");
      if (G::kSeesSum) {
        EXPECT_EQ(d.dq[gate].first(), d.dp[gate].first());
      }
    }
    expect_slope(
        d.d_before, [](auto& x) -> P& { return x.before; }, "before");
  }
}

TYPED_TEST(StepGates, OneAndTwoRegistersGiveTheSameBits) {
  using G = TypeParam;
  using Two = Packet<double, 2>;
  const auto a = arguments<G>(1);
  detail::Array<Two, G::kCount> p, q;
  for (Index gate = 0; gate < G::kCount; ++gate) {
    p[gate] = Two(a.p[gate].first());
    q[gate] = Two(a.q[gate].first());
  }
  const auto one = G::forward(a.p, a.q, a.before);
  const auto two = G::forward(p, q, Two(a.before.first()));
  EXPECT_EQ(two.h.high.first(), one.h.first());
  for (Index i = 0; i < G::kKept; ++i) EXPECT_EQ(two.kept[i].high.first(), one.kept[i].first());
}

}  // namespace
}  // namespace minrnn::tests
