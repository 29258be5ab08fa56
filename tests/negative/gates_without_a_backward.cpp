// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: G::backward(kept, passed, dh)
#include "minrnn/gates/gru.hpp"
#include "minrnn/layers/recurrent.hpp"

using namespace minrnn;

/// The gates of a user's cell, as far as they are written.
struct MyGates {
  static constexpr std::string_view kName = "Mine";
  static constexpr Index kCount = 3, kKept = 4;
  static constexpr bool kHasCell = false, kSeesSum = false;

  template <class P>
  static auto forward(const detail::Array<P, 3>& p, const detail::Array<P, 3>& q, P h_before) {
    return detail::GruGates::forward(p, q, h_before);
  }
#ifndef MINRNN_WRONG
  template <class P>
  static auto backward(const detail::Array<P, 4>& kept, P h_before, P dh) {
    return detail::GruGates::backward(kept, h_before, dh);
  }
#endif
};

int main() { using Layer [[maybe_unused]] = detail::Recurrent<float, MyGates>; }
