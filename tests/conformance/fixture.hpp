// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "conformance/layers.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/testing/gradient_check.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"
#include "support/threads.hpp"

/// What the suites of the conformance tests share.
namespace minrnn::tests {

/// The largest disagreement of any gradient of any layer, told when all tests are done.
class WorstGradient : public ::testing::Environment {
 public:
  struct Found {
    double error = -1;
    std::string layer, where;
  };
  static Found& found() {
    static Found worst;
    return worst;
  }
  static void note(std::string_view layer, const GradientCheckResult& result) {
    if (!std::isnan(found().error) && !(result.error <= found().error))
      found() = {result.error, std::string(layer), result.where};
  }
  void TearDown() override {
    if (!(found().error < 0))
      std::cout << "worst gradient error: " << found().error << " (" << found().layer << ", " << found().where << ")\n";
  }
};
inline ::testing::Environment* const worst_gradient = ::testing::AddGlobalTestEnvironment(new WorstGradient);

/// Sums over time, and a state handed over in another form, round differently: some hundred units of 1.1e-16 (double)
/// or 6e-8 (float) relative to the largest element.
template <class S>
inline constexpr double kRounding = std::is_same_v<S, float> ? 1e-5 : 1e-12;

template <class Descriptor>
class Conformance : public ::testing::Test {
 protected:
  struct Size {
    Index inputs, outputs;
  };
  // Less than a packet; and whole packets, with and without a rest, of float and double.
  static constexpr Size kSmall{5, 7}, kLarge{17, 16}, kOdd{6, 35};
  // So many steps of few sequences are divided into stretches.
  static constexpr Index kLong = 2100;

  template <class S>
  static auto make(Size size = kSmall, std::uint64_t seed = 1) {
    return Descriptor::template make<S>(size.inputs, size.outputs, Random(seed).stream(0));
  }

  /// Equal bits where the layer promises them.
  template <class S>
  static ::testing::AssertionResult agree(const Results<S>& a, const Results<S>& b) {
    return Descriptor::exact ? equal_but_sums(a, b, kRounding<S>) : close(a, b, kRounding<S>);
  }

  template <class L>
  static std::vector<Example<L>> examples(const L& layer, Index time, Index batch,
                                          std::initializer_list<std::pair<Index, Index>> starts) {
    std::vector<Example<L>> list;
    list.push_back(Example<L>(layer, time, batch));
    list.push_back(Example<L>(layer, time, batch, 8).from_carried_state());
    list.push_back(Example<L>(layer, time, batch, 9).with_starts(starts).from_carried_state());
    return list;
  }

  /// The message of the std::invalid_argument that `body` throws.
  template <class Body>
  static std::string message_of(Body&& body) {
    try {
      body();
    } catch (const std::invalid_argument& error) {
      return error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << "another exception: " << error.what();
      return {};
    }
    ADD_FAILURE() << "no exception";
    return {};
  }
};

struct LayerNames {
  template <class Descriptor>
  static std::string GetName(int) {
    return std::string(Descriptor::name);
  }
};

template <class List>
struct TypesOf;
template <class... Descriptors>
struct TypesOf<conformance::LayerList<Descriptors...>> {
  using type = ::testing::Types<Descriptors...>;
};

}  // namespace minrnn::tests
