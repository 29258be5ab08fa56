// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/gates/diagonal_gates.hpp"

#include <gtest/gtest.h>

#include <type_traits>

#include "minrnn/gates/diagonal_gru.hpp"
#include "minrnn/gates/diagonal_lstm.hpp"

namespace minrnn::tests {
namespace {

static_assert(detail::DiagonalGates<detail::DiagonalGruGates> && detail::DiagonalGates<detail::DiagonalLstmGates>);

using P = Packet<double>;

template <class G>
struct Arguments {
  detail::Array<P, G::kCount> k;
  detail::Array<P, G::kStates> before;
  detail::Array<P, G::kDiagonals> diagonal;

  explicit Arguments(double size) {
    detail::unroll<int{G::kCount}>([&](auto i) { k[i] = P(size * (0.3 - 0.4 * i)); });
    detail::unroll<int{G::kStates}>([&](auto i) { before[i] = P(0.6 - 1.1 * i); });
    detail::unroll<int{G::kDiagonals}>([&](auto i) { diagonal[i] = P(size * (0.9 - 0.5 * i)); });
  }
};

template <class G>
class DiagonalGatesOf : public ::testing::Test {};
using AllGates = ::testing::Types<detail::DiagonalGruGates, detail::DiagonalLstmGates>;
TYPED_TEST_SUITE(DiagonalGatesOf, AllGates);

TYPED_TEST(DiagonalGatesOf, BackwardIsTheDerivativeOfForward) {
  using G = TypeParam;
  constexpr double kStep = 1e-5;
  detail::Array<P, G::kStates> d;
  detail::unroll<int{G::kStates}>([&](auto i) { d[i] = P(0.8 - 2.1 * i); });
  const auto loss = [&](const Arguments<G>& a) {
    const auto step = G::forward(a.k, a.before, a.diagonal);
    double sum = 0;
    detail::unroll<int{G::kStates}>([&](auto i) { sum += d[i].first() * step.state[i].first(); });
    return sum;
  };
  for (const double size : {0.1, 1.0, 4.0}) {
    Arguments<G> a(size);
    const auto step = G::forward(a.k, a.before, a.diagonal);
    const auto adjoint = G::backward(step.kept, a.before, step.state, d, a.diagonal);
    const auto expect = [&](P& argument, P found, const char* what) {
      const P at = argument;
      argument = at + kStep;
      const double above = loss(a);
      argument = at - P(kStep);
      const double below = loss(a);
      argument = at;
      // Values of order 1 round to 1e-16, over two steps of 1e-5 that is 1e-11; the third derivative adds 1e-10 for
      // each unit of it.
      EXPECT_NEAR(found.first(), (above - below) / (2 * kStep), 2e-9) << G::kName << ' ' << what << ", size " << size;
    };
    detail::unroll<int{G::kCount}>([&](auto i) { expect(a.k[i], adjoint.dk[i], "k"); });
    detail::unroll<int{G::kStates}>([&](auto i) { expect(a.before[i], adjoint.dbefore[i], "state"); });
    detail::unroll<int{G::kDiagonals}>([&](auto i) { expect(a.diagonal[i], adjoint.ddiagonal[i], "diagonal"); });
  }
}

TYPED_TEST(DiagonalGatesOf, OnesThatAreShutKeepAndLetThroughNothingHoweverLarge) {
  using G = TypeParam;
  const auto is_gru = std::is_same_v<G, detail::DiagonalGruGates>;
  Arguments<G> a(0);
  const P shut(is_gru ? -1e300 : 1e300);  // z = 0, or f = 1: the state stays
  a.k[0] = shut;
  detail::unroll<int{G::kStates}>([&](auto i) { a.before[i] = P(1e300); });
  const auto step = G::forward(a.k, a.before, a.diagonal);
  detail::Array<P, G::kStates> d;
  detail::unroll<int{G::kStates}>([&](auto i) { d[i] = P(1e300); });
  const auto adjoint = G::backward(step.kept, a.before, step.state, d, a.diagonal);
  // The complement of a gate is e / (1 + e): with e = 1.8e308, 1 / (1 + e) is subnormal and rounded by 4.4e-16 of
  // itself, and each of two products by 1.1e-16.
  EXPECT_NEAR(step.state[G::kStates - 1].first() / 1e300, 1, 7e-16);
  EXPECT_EQ(adjoint.dk[0].first(), 0);
  EXPECT_NEAR(adjoint.dbefore[G::kStates - 1].first() / 1e300, 1, 7e-16);
}

}  // namespace
}  // namespace minrnn::tests
