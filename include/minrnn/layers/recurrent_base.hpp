// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string_view>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/gates/step_gates.hpp"
#include "minrnn/kernels/gate_rows.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/layers/recurrent_state.hpp"

namespace minrnn::detail {

template <class S, StepGates Gates>
class Recurrent;

/// Parameters, state and cache of a layer of gates that see the state before, and the checks of its arguments.
template <class S, StepGates Gates>
class RecurrentBase {
 public:
  using Scalar = S;

  using State = RecurrentState<S, Gates::kHasCell>;

  class Cache : public CacheBase {
    friend Recurrent<S, Gates>;
    // kept for backward
    SequenceView<const S> x_;      // (F, T, B)
    Sequence<S> kept_;             // (K H, T, B) what the gates keep, K packets of a step
    Output<S> h_;                  // (H, T, B)
    Sequence<S> c_;                // (H, T, B) where there is a cell
    Matrix<S> first_h_, first_c_;  // (H, B) the state before the first step
    // results and scratch
    Output<S> dx_;                       // (F, T, B)
    Sequence<S> p_, q_;                  // of each worker: p of a block and q of a step, or dp and dq of a block
    Sequence<S> frames_, before_;        // of each worker: x or dx (F, columns), and h_{t-1} (H, columns), of a block
    Sequence<S> through_;                // of each worker: W_hh^T dq of a step (H, group)
    Sequence<S> packed_;                 // of each worker: for add_outer_product
    PackedWeight<S> input_, recurrent_;  // W_ih and W_hh, or their transposes
    Matrix<S> recurrent_transposed_;     // (H, G H)
    Matrix<S> zero_;                     // (H) the state before a start
    Sequence<S> sums_;                   // of each group: dW_ih, dW_hh, db_ih, db_hh
  };

  Index input_size() const { return weight_ih_.cols(); }
  Index output_size() const { return weight_hh_.cols(); }
  State initial_state(Index batch) const { return State::zero(Gates::kName, output_size(), batch); }

  const Matrix<S>& weight_ih() const { return weight_ih_.value; }
  const Matrix<S>& weight_hh() const { return weight_hh_.value; }
  const Matrix<S>& bias_ih() const { return bias_ih_.value; }
  const Matrix<S>& bias_hh() const { return bias_hh_.value; }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "weight_ih", self.weight_ih_);
    visitor(scope / "weight_hh", self.weight_hh_);
    visitor(scope / "bias_ih", self.bias_ih_);
    visitor(scope / "bias_hh", self.bias_hh_);
  }

 protected:
  /// All parameters uniform in +-1 / sqrt(H), as torch.nn.GRU and torch.nn.LSTM.
  RecurrentBase(Index inputs, Index features, RandomStream stream) {
    Random random(stream);
    check_size(Gates::kName, "inputs", inputs);
    check_size(Gates::kName, "features", features);
    const double limit = 1 / std::sqrt(static_cast<double>(features));
    weight_ih_ = Parameter<S>(Gates::kCount * features, inputs, ReadBy::products);
    weight_hh_ = Parameter<S>(Gates::kCount * features, features, ReadBy::products);
    bias_ih_ = Parameter<S>(Gates::kCount * features);
    bias_hh_ = Parameter<S>(Gates::kCount * features);
    for (Parameter<S>* p : {&weight_ih_, &weight_hh_, &bias_ih_, &bias_hh_}) fill_symmetric(p->value, random, limit);
  }

  CacheBase::Sizes sizes() const { return {input_size(), output_size()}; }
  /// The multiply-adds of forward.
  double work(SequenceView<const S> x) const {
    return static_cast<double>(x.time() * x.batch()) * gated_work(bias_ih_.size(), input_size() + output_size());
  }

  void check_forward(SequenceView<const S> x, const State& state) const {
    check_input(Gates::kName, x, input_size());
    state.check_shape(Gates::kName, "state.h", "state.c", output_size(), x.batch());
  }
  void check_backward(SequenceView<const S> dy, const State& dstate, const Cache& cache) const {
    cache.check_backward(Gates::kName, sizes(), dy);
    dstate.check_shape(Gates::kName, "dstate.h", "dstate.c", output_size(), dy.batch());
  }

  Parameter<S> weight_ih_, weight_hh_;  // (G H, F), (G H, H)
  Parameter<S> bias_ih_, bias_hh_;      // (G H)
};

}  // namespace minrnn::detail
