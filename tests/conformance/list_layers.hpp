// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "conformance/layers.hpp"
#include "conformance/listed_layer.hpp"
#include "minrnn/core/random.hpp"

namespace minrnn::conformance {

template <class Descriptor, class S>
AnyLayer<S> make_layer(Size size, std::uint64_t seed) {
  return AnyLayer<S>(Descriptor::template make<S>(size.inputs, size.outputs, Random(seed).stream(0)));
}

/// Compiles the layers of a group and adds them to listed_layers().
template <class Group>
bool list_layers() {
  for_each_layer(Group{}, []<class D>(D) {
    listed_layers().push_back({std::string(D::name), D::mixes, D::stochastic, D::positive_state, D::exact, D::smooth,
                               D::example_seed, make_layer<D, float>, make_layer<D, double>});
  });
  return true;
}

}  // namespace minrnn::conformance
