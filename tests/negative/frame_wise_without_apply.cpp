// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: fixed.apply(x, cache, context)
#include "minrnn/core/output.hpp"
#include "minrnn/layers/frame_wise.hpp"

using namespace minrnn;

struct Half : FrameWise<Half, float> {
  struct Cache : CacheBase {
    Output<float> y, dx;
  };
  Index input_size() const { return 3; }
  Index output_size() const { return 3; }
  CacheBase::Sizes cache_sizes() const { return {3, 3}; }
  static SequenceView<const float> half(SequenceView<const float> x, Output<float>& result) {
    const SequenceView<float> y = result.resize(3, x.time(), x.batch(), x);
    for (Index b = 0; b < x.batch(); ++b) y.matrix(b) = x.matrix(b) / 2;
    return y;
  }
#ifndef MINRNN_WRONG
  SequenceView<const float> apply(SequenceView<const float> x, Cache& cache, const Context&) const {
    return half(x, cache.y);
  }
#endif
  SequenceView<const float> adjoint(SequenceView<const float> dy, Cache& cache, const Context&) {
    cache.check_backward("Half", cache_sizes(), dy);
    return half(dy, cache.dx);
  }
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

static_assert(FrameMap<Half>);
static_assert(SequenceLayer<Half>);
