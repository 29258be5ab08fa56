// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: Parameterised
#include "minrnn/core/parameter.hpp"

struct Weights {
  minrnn::Parameter<float> w{3, 2};
#ifndef MINRNN_WRONG
  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
  }
#endif
};

int main() {
  Weights weights;
  minrnn::zero_gradients(weights);
}
