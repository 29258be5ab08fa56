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
      : TrainingStep(shape, [&](RandomStream stream) { return L(shape.size, shape.size, stream); }) {}

  /// Of what make(stream) gives.
  template <class Make>
  TrainingStep(Shape shape, Make&& make)
      : layer_(make(Random(1).stream(0))),
        x_(shape.size, shape.time, shape.batch),
        dy_(shape.size, shape.time, shape.batch) {
    Random random(1);
    fill(x_.view(), random);
    fill(dy_.view(), random);
  }

  void operator()() {
    zero_gradients(layer_);
    auto state = layer_.initial_state(x_.batch());
    layer_.forward(x_, state, cache_, context());
    layer_.backward(dy_, cache_, context());
  }

 private:
  L layer_;
  Sequence<S> x_, dy_;  // (d, T, B)
  typename L::Cache cache_;
};

}  // namespace minrnn::bench
