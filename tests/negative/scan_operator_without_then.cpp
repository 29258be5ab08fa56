// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: op.then(op)
#include "minrnn/scan/stretches.hpp"

using namespace minrnn;

/// The map h -> max(h, b): a running maximum.
template <class P>
struct Maximum {
  using Carried = P;
  P a, b;

  static Maximum identity() { return {P(typename P::Scalar(1)), P(typename P::Scalar(-1e30))}; }
  Carried operator()(Carried h) const { return maximum(h, b); }
#ifndef MINRNN_WRONG
  Maximum then(const Maximum& next) const { return {a, maximum(b, next.b)}; }
#endif
  static Carried carried(P h) { return h; }
  static P value(Carried h) { return h; }
};

static_assert(ScanOperator<Maximum<Packet<float>>>);
