// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: optimizer.step(net, context)
#include "minrnn/layers/linear.hpp"
#include "minrnn/optim/optimizer.hpp"

using namespace minrnn;

struct Descent {
  std::int64_t done = 0;
#ifndef MINRNN_WRONG
  template <Parameterised L>
  bool step(L& layer, const Context& = {}) {
    visit_parameters(layer, [](const Name&, auto& p) { p.value -= 0.1f * p.grad; });
    ++done;
    return true;
  }
#endif
  std::int64_t steps() const { return done; }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "step", self.done);
  }
};

static_assert(Optimizer<Descent, Linear<float>>);
