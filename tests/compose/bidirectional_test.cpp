// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compose/bidirectional.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/token_model.hpp"
#include "support/check_layer.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

using Both = Bidirectional<MinGru<float>, Lstm<float>>;

// The type says that there is no step, and so does that of whatever it is a part of.
static_assert(SequenceMap<Both> && !SequenceLayer<Both>);
static_assert(SequenceMap<Named<"both", Both>> && !SequenceLayer<Named<"both", Both>>);
static_assert(SequenceMap<Residual<Both>> && !SequenceLayer<Residual<Both>>);
static_assert(SequenceMap<Highway<Both>> && !SequenceLayer<Highway<Both>>);
static_assert(SequenceMap<Stack<Both>> && !SequenceLayer<Stack<Both>>);
static_assert(SequenceMap<Sequential<Both, Linear<float>>> && !SequenceLayer<Sequential<Both, Linear<float>>>);
static_assert(SequenceMap<Sequential<Linear<float>, Both>> && !SequenceLayer<Sequential<Linear<float>, Both>>);
static_assert(SequenceLayer<Sequential<Linear<float>, MinGru<float>>> && SequenceLayer<Highway<MinGru<float>>>);

template <class Model>
concept HasStep = requires(const Model& model, typename Model::State& state, typename Model::Cache& cache,
                           FrameView<const std::int32_t> tokens) {
  model.step(tokens, state, cache);
};
static_assert(HasStep<TokenModel<MinGru<float>>> && !HasStep<TokenModel<Both>>);

/// The columns from the last to the first.
Matrix<float> from_end(const Matrix<float>& m) { return m.rowwise().reverse(); }

struct Parts {
  Random random{3};
  MinGru<float> gru{5, 6, random.stream(0)};
  Lstm<float> lstm{5, 7, random.stream(1)};
};

TEST(Bidirectional, IsItsTwoLayersEachInItsDirection) {
  Parts parts;
  Both net(parts.gru, parts.lstm);
  const auto example = Example<Both>(net, 11, 3).from_carried_state();
  const auto found = train(net, example);
  auto state = example.state(net), dstate = example.state_gradient(net);
  zero_gradients(parts.gru);
  zero_gradients(parts.lstm);
  Results<float> wanted{{"y", Matrix<float>(13, 33)}, {"dx", Matrix<float>(5, 33)}};
  Sequence<float> reversed(5, 11, 3), du(6, 11, 3), dv(7, 11, 3);
  for (Index b = 0; b < 3; ++b) {
    const auto dy = example.output_gradient().matrix(b);
    reversed.view().matrix(b) = from_end(example.input().matrix(b));
    du.view().matrix(b) = dy.topRows(6);
    dv.view().matrix(b) = from_end(dy.bottomRows(7));
  }
  MinGru<float>::Cache of_gru;
  Lstm<float>::Cache of_lstm;
  const auto u = parts.gru.forward(example.input(), state.forward, of_gru, context());
  const auto v = parts.lstm.forward(reversed.view(), state.backward, of_lstm, context());
  const auto du_dx = parts.gru.backward(du.view(), dstate.forward, of_gru, context());
  const auto dv_dx = parts.lstm.backward(dv.view(), dstate.backward, of_lstm, context());
  for (Index b = 0; b < 3; ++b) {
    wanted["y"].middleCols(11 * b, 11) << u.matrix(b), from_end(v.matrix(b));
    wanted["dx"].middleCols(11 * b, 11) = du_dx.matrix(b) + from_end(dv_dx.matrix(b));
  }
  add_state<Both>(wanted, "state", state);
  add_state<Both>(wanted, "dstate", dstate);
  visit_parameters(parts.gru, [&](const Name& name, const auto& p) { wanted["grad forward/" + name.str()] = p.grad; });
  visit_parameters(parts.lstm,
                   [&](const Name& name, const auto& p) { wanted["grad backward/" + name.str()] = p.grad; });
  EXPECT_TRUE(equal(found, wanted));
  EXPECT_TRUE(equal(infer(net, example), values_of(wanted)));
}

TEST(Bidirectional, AddsWhatItWouldConcatenate) {
  const Random random(3);
  const auto gru = [&](Index i) { return MinGru<float>(5, 6, random.stream(i)); };
  const Bidirectional concatenated(gru(0), gru(1)), added(gru(0), gru(1), Join::added);
  EXPECT_EQ(concatenated.output_size(), 12);
  EXPECT_EQ(added.output_size(), 6);
  const Example example(concatenated, 9, 2);
  const Matrix<float> both = infer(concatenated, example).at("y");
  auto state = added.initial_state(2);
  decltype(added)::Cache cache;
  EXPECT_TRUE(equal<float>(to_matrix(added.infer(example.input(), state, cache, context())),
                           Matrix<float>(both.topRows(6) + both.bottomRows(6))));
}

TEST(Bidirectional, HasStatesOfBothEnds) {
  // The backward layer begins behind the last frame and ends before the first.
  const Parts parts;
  const Both net(parts.gru, parts.lstm);
  const Example example(net, 6, 1);
  auto state = example.state(net);
  Both::Cache cache;
  net.infer(example.input(), state, cache);
  MinGru<float>::Cache of_gru;
  Lstm<float>::Cache of_lstm;
  auto h = parts.gru.initial_state(1);
  parts.gru.infer(example.input(), h, of_gru);
  EXPECT_EQ(state.forward.h, h.h);
  auto back = parts.lstm.initial_state(1);
  for (Index t = 6; t-- > 0;) parts.lstm.step(example.input().frame(t), back, of_lstm);
  EXPECT_EQ(state.backward.h, back.h);
  EXPECT_EQ(state.backward.c, back.c);
}

TEST(Bidirectional, GivesASegmentWhatItGivesItAlone) {
  const Parts parts;
  const Both net(parts.gru, parts.lstm);
  const Index time = 12;
  const auto example = Example<Both>(net, time, 1).with_starts({{0, 0}, {3, 0}, {4, 0}, {11, 0}}).from_carried_state();
  const Matrix<float> found = infer(net, example).at("y");
  const auto carried = example.state(net);
  const std::vector<Index> borders{0, 3, 4, 11, time};
  for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
    auto state = net.initial_state(1);
    if (borders[i + 1] == time) state.backward = carried.backward;
    Both::Cache cache;
    const Index count = borders[i + 1] - borders[i];
    const auto alone = net.infer(example.input().chunk(borders[i], count).with_starts(Starts{}), state, cache);
    EXPECT_TRUE(equal<float>(Matrix<float>(found.middleCols(borders[i], count)), to_matrix(alone))) << "segment " << i;
  }
}

TEST(Bidirectional, ScoresATokenByWhatComesAfterIt) {
  const Random random(4);
  const auto gru = [&](Index i) { return MinGru<float>(6, 6, random.stream(i)); };
  TokenModel model(5, 6, 1, random.stream(2),
                   Stack(2, [&](Index i) { return Bidirectional(gru(3 + 2 * i), gru(4 + 2 * i), Join::added); }));
  std::vector<std::int32_t> tokens{0, 3, 1, 4, 2, 2};
  const auto first_scores = [&] {
    decltype(model)::Cache cache;
    auto state = model.initial_state(1);
    const auto logits = model.forward(Tokens(tokens.data(), 1, 6), state, cache, context());
    zero_gradients(model);
    model.backward(logits, cache, context());
    return Matrix<float>(logits.matrix(0).col(0));
  };
  const Matrix<float> before = first_scores();
  visit_parameters(model, [](const Name& name, const auto& p) { EXPECT_FALSE(p.grad.isZero(0)) << name.str(); });
  tokens.back() = 0;
  EXPECT_NE(first_scores(), before);
}

/// A layer that does not see where segments start.
template <class L>
struct WithoutStarts : L {
  using Scalar = typename L::Scalar;
  using View = SequenceView<const Scalar>;

  explicit WithoutStarts(L layer) : L(std::move(layer)) {}
  View forward(View x, typename L::State& state, typename L::Cache& cache, const Context& context = {}) const {
    return L::forward(x.with_starts(Starts{}), state, cache, context);
  }
  View infer(View x, typename L::State& state, typename L::Cache& cache, const Context& context = {}) const {
    return L::infer(x.with_starts(Starts{}), state, cache, context);
  }
};

/// y_t = x_t and nothing of what x_{t+1} is, but for NaN.
struct LooksAhead : Linear<double> {
  using Linear<double>::Linear;
  SequenceView<const double> forward(SequenceView<const double> x, NoState& state, Cache& cache,
                                     const Context& context = {}) const {
    return spoil(x, Linear<double>::forward(x, state, cache, context));
  }
  SequenceView<const double> infer(SequenceView<const double> x, NoState& state, Cache& cache,
                                   const Context& context = {}) const {
    return spoil(x, Linear<double>::infer(x, state, cache, context));
  }

 private:
  static SequenceView<const double> spoil(SequenceView<const double> x, SequenceView<const double> y) {
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = 0; t + 1 < x.time(); ++t) *const_cast<double*>(y.column(t, b)) += 0 * *x.column(t + 1, b);
    return y;
  }
};

std::set<std::string> broken_promises(const std::vector<Finding>& findings) {
  std::set<std::string> promises;
  for (const Finding& finding : findings) promises.insert(finding.promise);
  return promises;
}

TEST(CheckLayerOfABidirectional, FindsInEitherDirectionWhatPassesAStart) {
  const Random random(1);
  const auto gru = [&](Index i) { return MinGru<double>(3, 4, random.stream(i)); };
  using Blind = WithoutStarts<MinGru<double>>;
  EXPECT_TRUE(check_layer(Bidirectional(gru(0), gru(1))).empty());
  const std::set<std::string> wanted{"starts", "segments"};
  EXPECT_EQ(broken_promises(check_layer(Bidirectional(Blind(gru(0)), gru(1)))), wanted);
  EXPECT_EQ(broken_promises(check_layer(Bidirectional(gru(0), Blind(gru(1))))), wanted);
}

TEST(CheckLayerOfABidirectional, FindsInEitherDirectionAFrameThatNothingShouldSee) {
  const Random random(1);
  const Linear<double> linear(3, 4, random.stream(0));
  const LooksAhead ahead(3, 4, random.stream(1));
  EXPECT_TRUE(check_layer(Bidirectional(linear, linear)).empty());
  EXPECT_EQ(broken_promises(check_layer(Bidirectional(ahead, linear))), std::set<std::string>{"segments"});
  EXPECT_EQ(broken_promises(check_layer(Bidirectional(linear, ahead))), std::set<std::string>{"starts"});
}

}  // namespace
}  // namespace minrnn::tests
