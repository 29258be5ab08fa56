// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: std::invoke_result<
#include "minrnn/compose/stack.hpp"
#include "minrnn/layers/linear.hpp"

using namespace minrnn;

int main() {
  const Random random(1);
#ifdef MINRNN_WRONG
  // Two layers with the same weights, if it were called twice.
  const Stack net(2, [&] { return Linear<float>(3, 3, random.stream(0)); });
#else
  const Stack net(2, [&](Index i) { return Linear<float>(3, 3, random.stream(i)); });
#endif
}
