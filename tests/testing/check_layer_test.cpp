// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/testing/check_layer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "minrnn/core/thread_pool.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "support/check_layer.hpp"
#include "testing/faulty_layer.hpp"

namespace minrnn::tests {
namespace {

using Promises = std::set<std::string>;

std::string all_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) text += to_string(finding) + "\n";
  return text;
}

Promises broken(const std::vector<Finding>& findings) {
  Promises promises;
  for (const Finding& finding : findings) promises.insert(finding.promise);
  return promises;
}

/// y = log x: a layer that takes positive inputs alone, without parameters or state.
class Log : public FrameWise<Log, double> {
 public:
  struct Cache : CacheBase {
    Sequence<double> x, y, dx;  // (F, T, B)
  };
  Index input_size() const { return 2; }
  Index output_size() const { return 2; }
  CacheBase::Sizes cache_sizes() const { return {2, 2}; }
  SequenceView<const double> apply(SequenceView<const double> x, Cache& cache, const Context&) const {
    minrnn::detail::check_sequence("Log", "x", x, 2);
    const auto kept = cache.x.resize(2, x.time(), x.batch()), y = cache.y.resize(2, x.time(), x.batch());
    for (Index b = 0; b < x.batch(); ++b) {
      if (!(x.matrix(b).array() > 0).all()) throw std::invalid_argument("Log: x: wanted numbers above 0");
      kept.matrix(b) = x.matrix(b);
      y.matrix(b) = x.matrix(b).array().log();
    }
    return y;
  }
  SequenceView<const double> adjoint(SequenceView<const double> dy, Cache& cache, const Context&) {
    cache.check_backward("Log", cache_sizes(), dy);
    const auto dx = cache.dx.resize(2, dy.time(), dy.batch());
    for (Index b = 0; b < dy.batch(); ++b) dx.matrix(b) = dy.matrix(b).cwiseQuotient(cache.x.view().matrix(b));
    return dx;
  }
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

/// Expects that a fault is found as a breach of these promises and of no other.
void expect_found(Fault fault, const Promises& promises) {
  const auto findings = check_layer(FaultyLayer<double>(3, fault));
  EXPECT_EQ(broken(findings), promises) << "fault " << static_cast<int>(fault) << ":\n" << all_of(findings);
}

TEST(CheckLayer, FindsNothingInALayerThatKeepsItsPromises) {
  expect_found(Fault::none, {});
  for (const auto& options : {CheckLayerOptions{.time = 4, .batch = 2}, {.time = 13, .batch = 5, .seed = 7}})
    EXPECT_EQ(all_of(check_layer(FaultyLayer<double>(1, Fault::none), options)), "");
}

TEST(CheckLayer, FindsAWrongGradient) {
  expect_found(Fault::wrong_dw, {"gradients"});
  expect_found(Fault::dstate_of_one_where_none_is_given, {"gradients"});
  const auto findings = check_layer(FaultyLayer<double>(3, Fault::wrong_dx_of_one_element));
  ASSERT_FALSE(findings.empty());
  EXPECT_EQ(findings[0].promise, "gradients");
  EXPECT_EQ(findings[0].where.substr(0, 10), "dx(1, 9) =") << "frame 2 of sequence 1";
  EXPECT_NEAR(findings[0].difference, 1e-5, 1e-8);
  EXPECT_LT(findings[0].allowed, 1e-6);
}

TEST(CheckLayer, FindsAWrongGradientInFloat) {
  EXPECT_EQ(all_of(check_layer(FaultyLayer<float>(3, Fault::none))), "");
  EXPECT_EQ(broken(check_layer(FaultyLayer<float>(3, Fault::half_of_dw))), Promises{"gradients"});
  EXPECT_EQ(broken(check_layer(FaultyLayer<float>(3, Fault::dstate_of_one_where_none_is_given))),
            Promises{"gradients"});
}

TEST(CheckLayer, TakesInputsFromItsCaller) {
  const auto positive = [](Random& random, Eigen::Ref<Eigen::VectorXd> frame) {
    for (double& x : frame) x = 0.5 + random.uniform();
  };
  EXPECT_EQ(all_of(check_layer(Log(), {.poison = false, .frame = positive})), "");
  EXPECT_THROW(check_layer(Log(), {.frame = positive}), std::invalid_argument) << "NaN is not positive";
  EXPECT_THROW(check_layer(Log(), {.poison = false}), std::invalid_argument) << "nor is half of the normal numbers";
}

TEST(CheckLayer, FindsABackwardThatDoesNotAddTheSameAgain) {
  expect_found(Fault::backward_changes_its_cache, {"accumulation"});
  expect_found(Fault::gradient_replaces_the_sum, {"accumulation", "chunks"});
}

TEST(CheckLayer, FindsWaysThatDiffer) {
  expect_found(Fault::step_differs, {"four_ways"});
  EXPECT_EQ(broken(check_layer(FaultyLayer<double>(3, Fault::step_rounds_otherwise), {.exact = {"four_ways"}})),
            Promises{"four_ways"});
  expect_found(Fault::step_rounds_otherwise, {});
  expect_found(Fault::infer_differs, {"four_ways"});
  expect_found(Fault::chunks_differ, {"four_ways", "chunks", "segments"});
  expect_found(Fault::two_frames_teach_nothing, {"chunks"});
}

TEST(CheckLayer, FindsWhatIsWrongWithNoFramesOrNoSequences) {
  expect_found(Fault::no_frames_reset_the_state, {"chunks", "empty_blocks"});
  expect_found(Fault::no_sequences_are_one, {"empty_blocks"});
}

TEST(CheckLayer, FindsWhatPassesAStart) {
  expect_found(Fault::past_times_zero, {"starts"});
  expect_found(Fault::starts_are_ignored, {"gradients", "starts", "segments"});
  expect_found(Fault::gradient_times_zero, {"segments"});
  expect_found(Fault::gradient_passes_starts, {"gradients", "segments"});
}

TEST(CheckLayer, FindsWhatSeesAhead) {
  expect_found(Fault::frame_ahead_times_zero, {"causality", "segments"});
  expect_found(Fault::gradient_behind_times_zero, {"causality"});
}

TEST(CheckLayer, FindsWhatSeesAnotherSequence) {
  for (const Fault fault :
       {Fault::neighbour_times_zero, Fault::infinite_neighbour_counts, Fault::large_neighbour_counts})
    expect_found(fault, {"independence"});
}

TEST(CheckLayer, FindsCopiesThatShareAndCachesThatMayNotMove) {
  expect_found(Fault::copies_share, {"copies"});
  expect_found(Fault::cache_suffers_from_moves, {"copies"});
}

TEST(CheckLayer, FindsThatExecutorsDiffer) {
  expect_found(Fault::workers_differ, {"executors"});
  expect_found(Fault::workers_of_infer_differ, {"executors"});
}

TEST(CheckLayer, LendsExecutorsOfItsCaller) {
  std::set<Index> made;
  const auto make = [&](Index workers) {
    made.insert(workers);
    return std::make_unique<ThreadPool>(1);  // so that the fault does not show
  };
  const FaultyLayer<double> layer(3, Fault::workers_differ);
  EXPECT_EQ(all_of(check_layer(layer, {.promises = {"executors"}, .executor = make})), "");
  EXPECT_EQ(made, (std::set<Index>{1, 2, 3, 4}));
}

TEST(CheckLayer, FindsStreamsThatTouch) { expect_found(Fault::last_cache_is_remembered, {"cache_reuse", "streams"}); }

TEST(CheckLayer, FindsWhatACacheCarriesOver) {
  expect_found(Fault::larger_batch_leaves_something, {"cache_reuse"});
  expect_found(Fault::weights_stay_in_the_cache, {"fresh_caches"});
  expect_found(Fault::infer_leaves_a_valid_cache, {"refusal"});
}

TEST(CheckLayer, FindsShapesThatAreNotRefused) {
  for (const Fault fault : {Fault::features_are_not_checked, Fault::state_is_not_checked, Fault::dstate_is_not_checked,
                            Fault::another_exception, Fault::state_changes_before_the_check})
    expect_found(fault, {"wrong_shapes"});
  expect_found(Fault::dy_is_not_checked, {"refusal", "wrong_shapes"});
}

TEST(CheckLayer, ChecksThePromisesThatItIsAskedFor) {
  const FaultyLayer<double> layer(3, Fault::starts_are_ignored);
  EXPECT_EQ(broken(check_layer(layer)), (Promises{"gradients", "starts", "segments"}));
  EXPECT_EQ(broken(check_layer(layer, {.promises = {"copies", "segments"}})), Promises{"segments"});
  EXPECT_THROW(check_layer(layer, {.promises = {"segment"}}), std::invalid_argument);
  EXPECT_THROW(check_layer(layer, {.exact = {"segment"}}), std::invalid_argument);
}

TEST(CheckLayer, LeavesTheLayerAsItWas) {
  FaultyLayer<double> layer(3, Fault::none);
  visit_parameters(layer, [](const Name&, auto& p) { p.grad.setConstant(7); });
  const FaultyLayer<double> before = layer;
  check_layer(layer);
  visit_parameters(layer, [&](const Name&, const auto& p) {
    visit_parameters(before, [&](const Name&, const auto& kept) {
      EXPECT_EQ(p.value, kept.value);
      EXPECT_EQ(p.grad, kept.grad);
    });
  });
}

TEST(CheckLayer, RefusesTooFewFramesOrSequences) {
  EXPECT_THROW(check_layer(FaultyLayer<double>(3, Fault::none), {.time = 3}), std::invalid_argument);
  EXPECT_THROW(check_layer(FaultyLayer<double>(3, Fault::none), {.batch = 1}), std::invalid_argument);
}

TEST(CheckLayer, AFindingSaysWhatAndWhere) {
  EXPECT_EQ(to_string(Finding{"four_ways", "step: y(1, 2)", 0.5, 0.25}),
            "four_ways: step: y(1, 2): differs by 0.5, allowed 0.25");
  EXPECT_EQ(to_string(Finding{"refusal", "backward after infer is not refused", std::nan(""), 0}),
            "refusal: backward after infer is not refused");
}

}  // namespace
}  // namespace minrnn::tests
