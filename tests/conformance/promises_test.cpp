// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "conformance/fixture.hpp"
#include "support/check_layer.hpp"
#include "support/threads.hpp"

/// Every layer of the list keeps every promise of check_layer.
namespace minrnn::tests {
namespace {

using LayerAndPromise = std::tuple<conformance::ListedLayer, std::string>;

class Promise : public ::testing::TestWithParam<LayerAndPromise> {
 protected:
  static bool is(const char* promise) { return std::get<1>(GetParam()) == promise; }

  template <class S>
  static void expect_kept(const char* what, Size size, CheckLayerOptions options) {
    const auto& [layer, promise] = GetParam();
    options.promises = {promise};
    options.random_forward = layer.stochastic;
    options.seed = layer.example_seed;
    options.executor = make_executor;
    for (const Finding& finding : check_layer(layer.make<S>(size), options))
      ADD_FAILURE() << (std::is_same_v<S, float> ? "float, " : "double, ") << what << ": " << finding;
  }

  /// What a layer of the library gives to the bit as long as time is not divided.
  static std::set<std::string> exact() {
    if (std::get<0>(GetParam()).exact) return {"four_ways", "chunks", "starts", "segments", "independence"};
    return {"starts", "segments", "independence"};
  }
};

TEST_P(Promise, IsKeptInEveryRegime) {
  for (const auto& [regime, scale] :
       {std::pair{"ordinary", 1.0}, {"tiny", 1e-6}, {"saturating", 30.0}, {"zero", 0.0}}) {
    if (is("executors") && scale != 1) continue;  // what divides the work does not see the numbers
    if (is("gradients") && scale < 1 && !std::get<0>(GetParam()).smooth) continue;  // differences are none
    expect_kept<float>(regime, kSmall, {.input_scale = scale, .exact = exact()});
    expect_kept<double>(regime, kSmall, {.input_scale = scale, .exact = exact()});
  }
}

TEST_P(Promise, IsKeptAtOtherSizes) {
  expect_kept<float>("odd sizes", kOdd, {.time = 23, .exact = exact()});
  if (!is("gradients"))  // element by element; whole packets show the same
    expect_kept<double>("odd sizes", kOdd, {.time = 9, .exact = exact()});
  expect_kept<float>("whole packets", kLarge, {.exact = exact()});
  expect_kept<double>("whole packets", kLarge, {.exact = exact()});
  if (!is("executors"))  // whose examples have a length and a number of sequences of their own
    expect_kept<float>("several sequences to a tile", kOdd, {.time = 5, .batch = 34, .exact = exact()});
}

TEST_P(Promise, IsKeptWhereTimeIsDivided) {
  if (is("gradients")) GTEST_SKIP() << "element by element is too long; `chunks` compares with what is not divided";
  if (is("executors")) GTEST_SKIP() << "always has an example whose time is divided";
  expect_kept<float>("a long time", kSmall, {.time = kLong, .batch = 2});
  expect_kept<double>("a long time", kSmall, {.time = kLong, .batch = 2});
}

std::string promise_name(const ::testing::TestParamInfo<LayerAndPromise>& info) {
  return std::get<0>(info.param).name + "__" + std::get<1>(info.param);
}

INSTANTIATE_TEST_SUITE_P(AllLayers, Promise,
                         ::testing::Combine(::testing::ValuesIn(conformance::listed_layers()),
                                            ::testing::ValuesIn(promise_names())),
                         promise_name);

}  // namespace
}  // namespace minrnn::tests
