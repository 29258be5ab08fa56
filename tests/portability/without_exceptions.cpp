// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Compiled with -fno-exceptions -fno-rtti, once as it is and once with a function of its own for failed checks: trains,
// streams, and then lets a check fail.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "minrnn/minrnn.hpp"

#ifdef __cpp_exceptions
#error "this test is about a program without exceptions"
#endif

using namespace minrnn;

#ifdef MINRNN_FAIL
void MINRNN_FAIL(const char* message) {
  const char* wanted = "MinGru: weight of the layer: wanted (9, 2), given (8, 2)";
  if (std::strcmp(message, wanted) == 0) std::_Exit(0);
  std::printf("wanted \"%s\", given \"%s\"\n", wanted, message);
  std::_Exit(1);
}
#endif

int main() {
  Random random(1);
  Sequential net{MinGru<float>(2, 8, random.stream(0)), Linear<float>(8, 1, random.stream(1))};
  Adam<float> adam(net, {.learning_rate = 0.01f});
  decltype(net)::Cache cache;
  Sequence<float> x(2, 16, 4), target(1, 16, 4), dy;
  double first = 0, last = 0;
  for (int i = 0; i < 100; ++i) {
    for (Index b = 0; b < 4; ++b)
      for (Index t = 0; t < 16; ++t) {
        x.view().column(t, b)[0] = static_cast<float>(random.uniform());
        x.view().column(t, b)[1] = t == 0;
        *target.view().column(t, b) = x.view().column(0, b)[0];
      }
    auto state = net.initial_state(4), dstate = state;
    last = mean_square(net.forward(x, state, cache), target, dy).loss;
    if (i == 0) first = last;
    zero_gradients(net);
    decltype(net)::State::visit(dstate, Name{}, [](const Name&, auto& m) { m.setZero(); });
    net.backward(dy, dstate, cache);
    adam.step(net);
  }
  if (!(last < first / 2)) {
    std::printf("the loss fell from %g to %g only\n", first, last);
    return 1;
  }

  const MinGru<float> layer(2, 8, random.stream(0));
  const MinGruCell<float, 2, 8> cell(layer);
  auto state = layer.initial_state(1);
  Eigen::Vector<float, 8> h = state.h;
  MinGru<float>::Cache streaming;
  const Eigen::Vector2f frame(0.5f, 1);
  layer.step(frame, state, streaming);
  cell.step(frame, h);
  if (h != state.h.col(0)) {
    std::printf("the cell does not walk as the layer\n");
    return 1;
  }

#ifndef MINRNN_FAIL
  std::signal(SIGABRT, [](int) { std::_Exit(0); });
#endif
  const MinGruCell<float, 2, 9> wider(layer);
  std::printf("a failed check went on\n");
  return 1;
}
