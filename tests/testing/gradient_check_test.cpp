// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/testing/gradient_check.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "minrnn/core/parameter.hpp"

namespace minrnn::tests {
namespace {

/// h_t = decay * h_{t-1} + gain * x_t + shift feature by feature, whose backward is right but for one planted error.
class Leaky {
 public:
  enum class Error { none, gain, shift_by_little, dx, dstate, forgets_starts, nan };
  using Scalar = double;

  struct State {
    Matrix<double> h;
    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "h", self.h);
    }
  };
  class Cache {
    friend Leaky;
    SequenceView<const double> x_;
    Sequence<double> y_, dx_;
    Matrix<double> first_;

   public:
    Cache() = default;
    Cache(Cache&&) = default;
    Cache& operator=(Cache&&) = default;
  };

  Leaky(Index features, Error error) : gain_(features), shift_(features), error_(error) {
    Random random(3);
    fill_normal(gain_.value, random, 1);
    fill_normal(shift_.value, random, 1);
  }
  Index input_size() const { return gain_.size(); }
  Index output_size() const { return gain_.size(); }
  State initial_state(Index batch) const { return {Matrix<double>::Zero(gain_.size(), batch)}; }

  SequenceView<const double> forward(SequenceView<const double> x, State& state, Cache& cache,
                                     const Context& = {}) const {
    cache.x_ = x;
    cache.first_ = state.h;
    const auto y = cache.y_.resize(x.features(), x.time(), x.batch());
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = 0; t < x.time(); ++t)
        for (Index i = 0; i < x.features(); ++i)
          y.column(t, b)[i] = state.h(i, b) = (x.starts(t, b) ? 0 : kDecay * state.h(i, b)) +
                                              gain_.value(i, 0) * x.column(t, b)[i] + shift_.value(i, 0);
    return y;
  }
  SequenceView<const double> infer(SequenceView<const double> x, State& state, Cache& cache,
                                   const Context& = {}) const {
    return forward(x, state, cache);
  }
  FrameView<const double> step(FrameView<const double> x, State& state, Cache& cache, const Context& = {}) const {
    return forward(x.sequence(), state, cache).frame(0);
  }
  SequenceView<const double> backward(SequenceView<const double> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }
  SequenceView<const double> backward(SequenceView<const double> dy, State& dstate, Cache& cache, const Context& = {}) {
    const auto x = cache.x_;
    const auto dx = cache.dx_.resize(x.features(), x.time(), x.batch());
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = x.time() - 1; t >= 0; --t)
        for (Index i = 0; i < x.features(); ++i) {
          const double delta = dy.column(t, b)[i] + dstate.h(i, b);
          gain_.grad(i, 0) += delta * (error_ == Error::gain && i == 2 ? 1 : x.column(t, b)[i]);
          shift_.grad(i, 0) += delta * (error_ == Error::shift_by_little ? 1 + 1e-5 : 1);
          dx.column(t, b)[i] = delta * gain_.value(i, 0) * (error_ == Error::dx && t == 4 ? 2 : 1);
          dstate.h(i, b) = x.starts(t, b) && error_ != Error::forgets_starts ? 0 : kDecay * delta;
        }
    if (error_ == Error::dstate) dstate.h(1, 2) += 1;
    if (error_ == Error::nan) gain_.grad(0, 0) = std::numeric_limits<double>::quiet_NaN();
    return dx;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "gain", self.gain_);
    visitor(scope / "shift", self.shift_);
  }

 private:
  static constexpr double kDecay = 0.7;
  Parameter<double> gain_, shift_;
  Error error_;
};
static_assert(SequenceLayer<Leaky>);

GradientCheckResult check(Leaky::Error error, const GradientCheckOptions& options = {}) {
  return check_gradients(Leaky(5, error), options);
}

TEST(GradientCheck, AcceptsARightGradient) {
  const auto result = check(Leaky::Error::none);
  EXPECT_GT(result.error, 0);
  EXPECT_LT(result.error, 1e-8);
  EXPECT_FALSE(result.where.empty());
}

TEST(GradientCheck, NamesTheElementThatIsWrong) {
  const auto gain = check(Leaky::Error::gain);
  EXPECT_GT(gain.error, 1e-3);
  EXPECT_EQ(gain.where, "gain(2, 0)");
  EXPECT_NEAR(std::abs(gain.analytic - gain.numeric) / std::max({1.0, std::abs(gain.analytic), std::abs(gain.numeric)}),
              gain.error, 1e-15);

  const auto shift = check(Leaky::Error::shift_by_little);
  EXPECT_GT(shift.error, 1e-6) << "one part in 1e5";
  EXPECT_EQ(shift.where.substr(0, 6), "shift(");

  const auto dx = check(Leaky::Error::dx);
  EXPECT_GT(dx.error, 1e-3);
  EXPECT_EQ(dx.where.substr(0, 2), "x(");
  EXPECT_NE(dx.where.find(", 4, "), std::string::npos) << dx.where;

  const auto dstate = check(Leaky::Error::dstate);
  EXPECT_GT(dstate.error, 1e-3);
  EXPECT_EQ(dstate.where, "state h(1, 2)");
}

TEST(GradientCheck, SeesAnErrorAtAStartOnlyWhereThereIsOne) {
  std::vector<std::uint8_t> flags(21, 0);
  flags[3] = 1;
  EXPECT_LT(check(Leaky::Error::forgets_starts).error, 1e-8);
  EXPECT_GT(check(Leaky::Error::forgets_starts, {.starts = flags.data()}).error, 1e-3);
  EXPECT_LT(check(Leaky::Error::none, {.starts = flags.data()}).error, 1e-8);
}

TEST(GradientCheck, TakesNanForTheWorst) {
  const auto result = check(Leaky::Error::nan);
  EXPECT_TRUE(std::isnan(result.error));
  EXPECT_EQ(result.where, "gain(0, 0)") << "though right elements come after it";
}

TEST(GradientCheck, LeavesTheLayerAsItWas) {
  Leaky layer(5, Leaky::Error::none);
  visit_parameters(layer, [](const Name&, auto& p) { p.grad.setConstant(7); });
  std::vector<Matrix<double>> before, after;
  const auto keep = [&](std::vector<Matrix<double>>& to) {
    visit_parameters(layer, [&](const Name&, const auto& p) {
      to.push_back(p.value);
      to.push_back(p.grad);
    });
  };
  keep(before);
  check_gradients(layer);
  keep(after);
  EXPECT_EQ(before, after);
}

TEST(GradientCheck, FollowsItsOptions) {
  const auto first = check(Leaky::Error::gain), again = check(Leaky::Error::gain);
  EXPECT_EQ(first.analytic, again.analytic) << "the same seed, the same answer";
  EXPECT_NE(first.analytic, check(Leaky::Error::gain, {.seed = 2}).analytic);
  EXPECT_LT(check(Leaky::Error::dx, {.time = 4}).error, 1e-8) << "the planted error is at t = 4";
  EXPECT_LT(check(Leaky::Error::none, {.time = 1, .batch = 1}).error, 1e-8);
}

TEST(GradientCheck, RefusesAStepThatIsNone) {
  for (const double step : {0.0, -1e-5, std::nan(""), std::numeric_limits<double>::infinity()})
    EXPECT_THROW(check(Leaky::Error::none, {.step = step}), std::invalid_argument) << step;
}

}  // namespace
}  // namespace minrnn::tests
