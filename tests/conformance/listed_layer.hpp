// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "minrnn/core/types.hpp"
#include "minrnn/testing/any_layer.hpp"

/// The layers of the list as values, so that a test is compiled once and not once for each layer. The layers themselves
/// are compiled in the files *_layers.cpp, which put them here before main begins.
namespace minrnn::conformance {

using minrnn::detail::erased::AnyLayer;

struct Size {
  Index inputs, outputs;
};
// Less than a packet; and whole packets, with and without a rest, of float and double.
inline constexpr Size kSmall{5, 7}, kLarge{17, 16}, kOdd{6, 35};

/// A descriptor of the list (layers.hpp), its type erased.
struct ListedLayer {
  std::string name;
  bool mixes, stochastic, positive_state, exact, smooth;
  std::uint64_t example_seed;
  AnyLayer<float> (*make_float)(Size, std::uint64_t seed);
  AnyLayer<double> (*make_double)(Size, std::uint64_t seed);

  template <class S>
  AnyLayer<S> make(Size size = kSmall, std::uint64_t seed = 1) const {
    if constexpr (std::is_same_v<S, float>)
      return make_float(size, seed);
    else
      return make_double(size, seed);
  }
};

/// A layer of the library, its type erased. The files *_layers.cpp compile it, once for all tests.
template <class L>
AnyLayer<typename L::Scalar> erase(L layer);

inline std::vector<ListedLayer>& listed_layers() {
  static std::vector<ListedLayer> layers;
  return layers;
}

}  // namespace minrnn::conformance
