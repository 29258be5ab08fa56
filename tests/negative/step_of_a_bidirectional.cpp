// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: fixed.step(frame, state, cache, context)
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"

using namespace minrnn;

int main() {
  const Random random(1);
  const MinGru<float> gru(3, 4, random.stream(0));
#ifdef MINRNN_WRONG
  // The backward direction would begin with frames that are still to come.
  const Sequential net(Bidirectional(gru, gru), Linear<float>(8, 1, random.stream(1)));
#else
  const Sequential net(gru, Linear<float>(4, 1, random.stream(1)));
#endif
  auto state = net.initial_state(1);
  std::remove_const_t<decltype(net)>::Cache cache;
  const Matrix<float> frame = Matrix<float>::Zero(3, 1);
  net.step(frame, state, cache);
}
