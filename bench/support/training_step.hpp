// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "data.hpp"
#include "threads.hpp"
#include "minrnn/core/layer.hpp"

namespace minrnn::bench {

/// The sizes of one measurement: F = H = size.
struct Shape {
  Index size, batch, time;
};

/// One training step of one layer: gradients to zero, forward, backward with dx, all parameter gradients and the
/// gradient of the initial state. Buffers are reused from step to step, as in a training loop.
template <SequenceLayer L>
class TrainingStep {
  using S = typename L::Scalar;

 public:
  explicit TrainingStep(Shape shape)
      : TrainingStep(shape, [&](Random& random) { return L(shape.size, shape.size, random); }) {}

  /// Of what make(random) gives.
  template <class Make>
  TrainingStep(Shape shape, Make&& make)
      : random_(1),
        layer_(make(random_)),
        x_(shape.size, shape.time, shape.batch),
        dy_(shape.size, shape.time, shape.batch) {
    fill(x_.view(), random_);
    fill(dy_.view(), random_);
  }

  void operator()() {
    zero_gradients(layer_);
    auto state = layer_.initial_state(x_.batch());
    layer_.forward(x_, state, cache_, context());
    layer_.backward(dy_, cache_, context());
  }

 private:
  Random random_;
  L layer_;
  Sequence<S> x_, dy_;  // (d, T, B)
  typename L::Cache cache_;
};

}  // namespace minrnn::bench
