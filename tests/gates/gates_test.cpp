// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/gates/min_gru.hpp"
#include "minrnn/gates/min_lstm.hpp"

#include <gtest/gtest.h>

#include "support/accuracy.hpp"

namespace minrnn::tests {
namespace {

template <class S>
class Gates : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Gates, Scalars);

TYPED_TEST(Gates, AGateInOneNumberKeepsBothItsSides) {
  using S = TypeParam;
  const double eps = static_cast<double>(std::numeric_limits<S>::epsilon());
  for (const S x : {S(0), S(1e-6), S(0.1), S(1), S(5), S(30), S(80)})
    for (const S k : {x, -x}) {
      const auto exact = sigmoid_pair(Packet<S>(k));
      const auto back = detail::unpack(detail::pack(exact, Packet<S>(k)));
      EXPECT_NEAR(back.value.first() / exact.value.first(), 1, 2 * eps) << k;
      EXPECT_NEAR(back.complement.first() / exact.complement.first(), 1, 2 * eps) << k;
    }
  for (const S k : {S(1e4), S(-1e4)}) {
    const auto back = detail::unpack(detail::pack(sigmoid_pair(Packet<S>(k)), Packet<S>(k)));
    EXPECT_EQ(k > 0 ? back.value.first() : back.complement.first(), S(1));
    EXPECT_EQ(k > 0 ? back.complement.first() : back.value.first(), S(0)) << "shut";
  }
}

TYPED_TEST(Gates, OneThatIsShutLetsNothingThroughHoweverLarge) {
  using S = TypeParam;
  using P = Packet<S>;
  using MinGru = detail::MinGruGates<Candidate::plain, Arithmetic::linear>;
  using MinLstm = detail::MinLstmGates<GateScaling::unnormalised, Candidate::plain, Arithmetic::linear>;
  const S large = S(1e30), shut = S(-1e30);
  {
    const auto step = MinGru::forward<P>({P(shut), P(large)});
    EXPECT_EQ(step.input.first(), S(0));
    const auto d = MinGru::backward(step.kept, P(S(1)), P(large));
    EXPECT_EQ(d.dh_before.first(), large);
    EXPECT_EQ(d.dk[0].first(), S(0)) << "not the smallest normal number times 1e60";
    EXPECT_EQ(d.dk[1].first(), S(0));
  }
  {
    const auto step = MinGru::forward<P>({P(large), P(large)});
    EXPECT_EQ(step.decay.first(), S(0));
    const auto d = MinGru::backward(step.kept, P(shut), P(large));
    EXPECT_EQ(d.dh_before.first(), S(0));
    EXPECT_EQ(d.dk[0].first(), S(0));
  }
  {
    const auto step = MinLstm::forward<P>({P(shut), P(large), P(large)});
    EXPECT_EQ(step.decay.first(), S(0));
    const auto d = MinLstm::backward(step.kept, P(large), P(large));
    EXPECT_EQ(d.dh_before.first(), S(0));
    EXPECT_EQ(d.dk[0].first(), S(0));
    EXPECT_EQ(d.dk[1].first(), S(0));
  }
  using Normalised = detail::MinLstmGates<GateScaling::normalised, Candidate::plain, Arithmetic::linear>;
  EXPECT_EQ(Normalised::forward<P>({P(shut), P(S(0)), P(S(1))}).decay.first(), S(0));
  EXPECT_EQ(Normalised::forward<P>({P(S(0)), P(shut), P(large)}).input.first(), S(0));
}

TYPED_TEST(Gates, ADecayThatFlipsIsOneMinusTwiceTheGate) {
  using S = TypeParam;
  using P = Packet<S>;
  using MinGru = detail::MinGruGates<Candidate::plain, Arithmetic::linear, Decay::flip>;
  using MinLstm = detail::MinLstmGates<GateScaling::normalised, Candidate::plain, Arithmetic::linear, Decay::flip>;
  const double eps = static_cast<double>(std::numeric_limits<S>::epsilon());
  for (const S k : {S(-1e30), S(-20), S(-1), S(-1e-3), S(0), S(0.5), S(7), S(1e30)}) {
    const auto step = MinGru::forward<P>({P(k), P(S(3))});
    const double wanted = std::tanh(-static_cast<double>(k) / 2);  // 1 - 2 sigmoid(k)
    EXPECT_NEAR(static_cast<double>(step.decay.first()), wanted, 2 * eps) << k;
    EXPECT_NEAR(static_cast<double>(MinGru::decay(step.kept).first()), wanted, 2 * eps) << k;
    // f = i: nothing is kept; f alone: all of it, i alone: all of it with the other sign.
    EXPECT_EQ(MinLstm::forward<P>({P(k), P(k), P(S(3))}).decay.first(), S(0)) << k;
  }
  EXPECT_EQ(MinLstm::forward<P>({P(S(0)), P(S(-1e30)), P(S(3))}).decay.first(), S(1));
  EXPECT_EQ(MinLstm::forward<P>({P(S(-1e30)), P(S(0)), P(S(3))}).decay.first(), S(-1));
}

TYPED_TEST(Gates, NormalisedOnesAreRightHoweverFarTheyAreShut) {
  using S = TypeParam;
  using P = Packet<S>;
  using G = detail::MinLstmGates<GateScaling::normalised, Candidate::plain, Arithmetic::linear>;
  const double eps = static_cast<double>(std::numeric_limits<S>::epsilon());
  const auto decay = [](S k_f, S k_i) {
    return static_cast<double>(G::forward<P>({P(k_f), P(k_i), P(S(1))}).decay.first());
  };
  for (const S far : {S(1e3), S(1e10), S(1e20), S(1e30)}) {
    EXPECT_EQ(decay(-far, -far), 0.5) << far;
    EXPECT_EQ(decay(far, far), 0.5) << far;
    EXPECT_EQ(decay(-far, S(0.3)), 0) << far;
    EXPECT_NEAR(decay(S(0.3), -far), 1, eps) << far;
    EXPECT_EQ(decay(-2 * far, -far), 0) << far;
  }
  for (const double a : {-95.0, -88.0, -87.0, -86.6, -86.4, -80.0, -30.0, 0.001})  // around the end of float's room
    for (const double b : {-88.0, -87.0, -86.4, -80.0, 0.3, 90.0}) {
      const double f = 1 / (1 + std::exp(-a)), i = 1 / (1 + std::exp(-b));
      // a and b of 80 are themselves rounded by 80 eps; what is below the smallest normal number may be nothing.
      const double wanted = f / (f + i);
      EXPECT_NEAR(decay(static_cast<S>(a), static_cast<S>(b)), wanted, 200 * eps * wanted + 1.2e-38) << a << ", " << b;
    }
}

template <class S>
S number(Packet<S> x) {
  return x.first();
}
template <class S>
S number(const Scaled<Packet<S>>& x) {
  return value_of(x).first();
}

/// What forward keeps and backward makes of it, against central differences of forward in the same arithmetic.
template <class G, class S>
void expect_slopes(std::initializer_list<S> pre) {
  using P = Packet<S>;
  using K = detail::Array<S, G::kCount>;
  const S before = S(0.7), step = S(1e-5);
  const auto forward = [](const K& k) {
    detail::Array<P, G::kCount> packets;
    for (int i = 0; i < G::kCount; ++i) packets[i] = P(k[i]);
    return G::forward(packets);
  };
  const auto h = [&](const K& k) {
    const auto [decay, input, kept] = forward(k);
    return number(decay) * before + number(input);
  };
  K k;
  std::copy(pre.begin(), pre.end(), k.data());
  const auto at_k = forward(k);
  const auto [dk, dh_before, ddiagonal] = G::backward(at_k.kept, P(before), P(S(1)));
  // Values up to 30 round to 4e-15: over two steps of 1e-5 that is 4e-10, and the third derivative adds as much.
  EXPECT_NEAR(dh_before.first(), number(at_k.decay), 1e-15);
  EXPECT_EQ(dh_before.first(), G::decay(at_k.kept).first());
  for (int i = 0; i < G::kCount; ++i) {
    auto above = k, below = k;
    above[i] += step;
    below[i] -= step;
    EXPECT_NEAR(dk[i].first(), (h(above) - h(below)) / (2 * step), 2e-9) << G::kName << " gate " << i;
  }
}

template <Candidate candidate, Arithmetic arithmetic>
void expect_all_slopes() {
  using namespace detail;
  for (const double a : {-30.0, -2.0, 0.3, 4.0, 30.0})
    for (const double b : {-30.0, -1.0, 0.2, 2.0, 30.0}) {
      expect_slopes<MinGruGates<candidate, arithmetic>, double>({a, b});
      for (const double c : {-1.5, 0.4}) {
        expect_slopes<MinLstmGates<GateScaling::normalised, candidate, arithmetic>, double>({a, b, c});
        expect_slopes<MinLstmGates<GateScaling::unnormalised, candidate, arithmetic>, double>({a, b, c});
      }
    }
}

TEST(GateSlopes, AreThoseOfForward) {
  expect_all_slopes<Candidate::positive, Arithmetic::linear>();
  expect_all_slopes<Candidate::plain, Arithmetic::linear>();
  expect_all_slopes<Candidate::positive, Arithmetic::log_space>();
}

}  // namespace
}  // namespace minrnn::tests
