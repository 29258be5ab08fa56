// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>

#include "minrnn/core/check.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/rg_lru.hpp"
#include "minrnn/layers/minimal_layer.hpp"

namespace minrnn {

struct RgLruOptions {
  /// What a channel keeps of its state in a step with r = 1, sigmoid(lambda)^8, is drawn from between these.
  double least_decay = 0.9, most_decay = 0.999;
  /// Learn the state before the first frame and after a start, one for all sequences; else it is zero.
  bool learn_initial_state = false;
};

/// RG-LRU, the recurrence of Griffin: each channel forgets at a pace of its own, which a gate may slow down to a halt,
/// and what enters is scaled so that the state keeps its size.
///
/// Equations   r_t = sigmoid(W_r x_t + b_r),  i_t = sigmoid(W_i x_t + b_i),  v_t = W_h x_t + b_h
///             a_t = sigmoid(lambda)^(8 r_t),  h_t = a_t h_{t-1} + sqrt(1 - a_t^2) (i_t v_t)
///             Griffin's own form has v = x: it is W_h = 1, b_h = 0 with F = H, behind a linear layer
/// Shapes      x (F, T, B), h (H, T, B); W (H, F), b and lambda (H); state h (H, B)
/// Gradient    delta_t = dh_t + a_{t+1} delta_{t+1};  the rest in gates/rg_lru.hpp
/// Parameters  w_r, b_r, lambda, w_i, b_i, w_h, b_h; h_0 (H) with learn_initial_state. Weights and biases begin as
///             those of minGRU
/// Memory      kept for backward: 4 H scalars per step (r, i, v and h)
/// Throws      std::invalid_argument for a size below 1, a wrong shape, decays that are not 0 < least <= most < 1
/// Source      De et al. 2024, "Griffin: Mixing Gated Linear Recurrences with Local Attention for Efficient Language
///             Models", arXiv:2402.19427
template <class S>
class RgLru : public detail::MinimalLayer<S, detail::RgLruGates> {
 public:
  using Gates = detail::RgLruGates;  // by which a cell knows its layer

  RgLru(Index inputs, Index features, RandomStream stream, const RgLruOptions& options = {})
      : detail::MinimalLayer<S, Gates>(inputs, features, stream, {.learn_initial_state = options.learn_initial_state}) {
    const double least = options.least_decay, most = options.most_decay;
    detail::check_that(detail::is_finite(most) && most < 1, Gates::kName, "most_decay", "a number below 1", most);
    detail::check_that(detail::is_finite(least) && least > 0 && least <= most, Gates::kName, "least_decay",
                       "a number above 0, not above most_decay", least);
    Random random(stream.stream(0));
    for (Index i = 0; i < features; ++i) {
      const double root = std::pow(least + (most - least) * random.uniform(), 1.0 / 8);
      this->diagonal_[0].value(i, 0) = static_cast<S>(std::log(root / (1 - root)));
    }
  }
};

}  // namespace minrnn
