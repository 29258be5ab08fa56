// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: pass a stream of the generator: random.stream(0), random.stream(1), ...
#include "minrnn/layers/linear.hpp"

int main() {
  minrnn::Random random(1);
#ifdef MINRNN_WRONG
  minrnn::Linear<float> layer(2, 3, random);
#else
  minrnn::Linear<float> layer(2, 3, random.stream(0));
#endif
}
