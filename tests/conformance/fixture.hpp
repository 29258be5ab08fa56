// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <ostream>
#include <string>
#include <type_traits>

#include "conformance/listed_layer.hpp"

namespace minrnn::conformance {

/// How a test of a layer names it.
inline void PrintTo(const ListedLayer& layer, std::ostream* out) { *out << layer.name; }

}  // namespace minrnn::conformance

namespace minrnn::tests {

using conformance::AnyLayer;
using conformance::kLarge;
using conformance::kOdd;
using conformance::kSmall;
using conformance::Size;

/// So many steps of few sequences are divided into stretches.
inline constexpr Index kLong = 2100;

/// Sums over time, and a state handed over in another form, round differently: some hundred units of 1.1e-16 (double)
/// or 6e-8 (float) relative to the largest element.
template <class S>
inline constexpr double kRounding = std::is_same_v<S, float> ? 1e-5 : 1e-12;

/// A test of each layer of the list, made known by MINRNN_TEST_ALL_LAYERS.
class LayerTest : public ::testing::TestWithParam<conformance::ListedLayer> {
 protected:
  template <class S>
  static AnyLayer<S> make(Size size = kSmall, std::uint64_t seed = 1) {
    return GetParam().make<S>(size, seed);
  }
};

inline std::string layer_name(const ::testing::TestParamInfo<conformance::ListedLayer>& info) {
  return info.param.name;
}

}  // namespace minrnn::tests

#define MINRNN_TEST_ALL_LAYERS(suite) \
  INSTANTIATE_TEST_SUITE_P(AllLayers, suite, ::testing::ValuesIn(conformance::listed_layers()), layer_name)
