// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// A first layer on Eigen tensors.
//
// A sequence is a block of (features, time, batch), features fastest: an Eigen::Tensor<S, 3> of these dimensions goes
// in as it is, and comes out by `.tensor()`, never copied. This program shows for a minGRU layer that
//   1. forward over the whole sequence and one step per frame give the same numbers, bit for bit;
//   2. so does forward over two chunks, with the state carried from one to the next;
//   3. backward gives the slope of the loss: for the input, the initial state and the weights.
#include <minrnn/minrnn.hpp>

#include <cmath>
#include <cstdio>

using minrnn::Index;
using Tensor = Eigen::Tensor<double, 3>;

int main() {
  const Index features = 3, hidden = 4, time = 10, batch = 2;
  minrnn::Random random(1);
  minrnn::MinGru<double> layer(features, hidden, random.stream(0));

  Tensor x(features, time, batch);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = random.normal();

  // Three things: the layer has the weights, the state what the past left behind, the cache what one call keeps for its
  // backward, its result among them.
  minrnn::MinGru<double>::Cache cache;
  auto state = layer.initial_state(batch);
  const Tensor y = layer.forward(x, state, cache).tensor();  // a copy, because the cache is used again below
  std::printf("x (%td, %td, %td) gives y (%td, %td, %td)\n", x.dimension(0), x.dimension(1), x.dimension(2),
              y.dimension(0), y.dimension(1), y.dimension(2));

  // 1. Frame by frame: any column-major Eigen matrix (features, batch) is a frame; here they lie in x.
  const minrnn::SequenceView<const double> input = x;
  bool same = true;
  auto stream = layer.initial_state(batch);
  for (Index t = 0; t < time; ++t) {
    const auto h = layer.step(input.frame(t), stream, cache).matrix();  // (hidden, batch)
    for (Index b = 0; b < batch; ++b)
      for (Index i = 0; i < hidden; ++i) same &= h(i, b) == y(i, t, b);
  }
  same &= stream.h == state.h;
  std::printf("step by step: %s\n", same ? "the same bits" : "DIFFERENT");

  // 2. In chunks.
  stream = layer.initial_state(batch);
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 7}, {7, 3}}) {
    const auto part = layer.forward(input.chunk(first, count), stream, cache);
    for (Index b = 0; b < batch; ++b)
      for (Index t = 0; t < count; ++t)
        for (Index i = 0; i < hidden; ++i) same &= part.column(t, b)[i] == y(i, first + t, b);
  }
  std::printf("in two chunks: %s\n", same ? "the same bits" : "DIFFERENT");

  // 3. The loss is half the sum of y^2, so dL/dy = y; nothing follows the final state, so its gradient enters as zero.
  const auto loss = [&](const Tensor& at, const minrnn::MinGru<double>& by, double initial) {
    auto h = by.initial_state(batch);
    h.h(0, 0) += initial;
    minrnn::MinGru<double>::Cache scratch;
    const Eigen::Tensor<double, 0> sum = by.forward(at, h, scratch).tensor().square().sum();
    return 0.5 * sum();
  };
  state = layer.initial_state(batch);
  layer.forward(x, state, cache);
  auto dstate = zero_state(layer, batch);  // in dL/d(final state), out dL/d(initial state)
  zero_gradients(layer);                   // backward adds
  const Tensor dx = layer.backward(y, dstate, cache).tensor();

  double worst = 0;
  const double step = 1e-5;  // of central differences, which are good to about 1e-9 here
  const auto compare = [&](const char* what, double slope, double above, double below) {
    const double difference = (above - below) / (2 * step);
    std::printf("%-28s backward %+.9f   differences %+.9f\n", what, slope, difference);
    worst = std::max(worst, std::abs(slope - difference));
  };
  Tensor above = x, below = x;
  above(1, 4, 0) += step;
  below(1, 4, 0) -= step;
  compare("input (1, 4, 0)", dx(1, 4, 0), loss(above, layer, 0), loss(below, layer, 0));
  compare("initial state (0, 0)", dstate.h(0, 0), loss(x, layer, step), loss(x, layer, -step));
  visit_parameters(layer, [&](const minrnn::Name& name, auto& parameter) {
    double& weight = parameter.value(0, 0);
    const double kept = weight;
    const double high = (weight = kept + step, loss(x, layer, 0)), low = (weight = kept - step, loss(x, layer, 0));
    weight = kept;
    compare(name.str().c_str(), parameter.grad(0, 0), high, low);
  });
  return same && worst < 1e-7 ? 0 : 1;
}
