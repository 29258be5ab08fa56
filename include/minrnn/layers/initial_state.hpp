// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>

#include "minrnn/core/columns.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/gates/scan_gates.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"

namespace minrnn::detail {

/// h_0 of a minimal layer, the state before the first frame and after a start, one for all sequences.
///
/// Equations   h_0 = g(parameter), or 0 where there is no parameter
/// Gradient    dparameter = g'(parameter) * dh_0
/// Shapes      parameter, h_0 (H)
template <class S, ScanGates Gates>
struct InitialState {
  Parameter<S> parameter;  // (H), or empty

  bool is_learned() const { return parameter.size() > 0; }

  void write(Row<S> h_0, Index features) const {
    const Row<const S> p = parameter.value;
    for_lanes<S>(features, [&](auto i) { h_0[i] = is_learned() ? Gates::candidate(p[i]) : Packet<S>(S(0)); });
  }
  /// h_0 in memory of the cache.
  Row<const S> row(Sequence<S>& memory, Index features) const {
    const Row<S> h_0 = memory.resize(features, 1, 1).row(0, 0);
    write(h_0, features);
    return h_0;
  }

  /// dh_0: what reached h_0 at starts. What reached the state before the first step belongs to it, too, where that
  /// state was h_0 bit for bit.
  MINRNN_NOINLINE void add_gradient(Matrix<S>& dh_0, Row<const S> h_0, const Matrix<S>& first_h,
                                    const Matrix<S>& dstate_h) {
    for (Index b = 0; b < dstate_h.cols(); ++b)
      if (std::equal(h_0.data, h_0.data + dh_0.rows(), first_h.col(b).data()))
        for (Index i = 0; i < dh_0.rows(); ++i) dh_0(i, 0) += dstate_h(i, b);
    const Row<const S> p = parameter.value, d = dh_0;
    const Row<S> grad = parameter.grad;
    for_lanes<S>(dh_0.rows(), [&](auto i) { grad[i] = fma(Gates::slope(Gates::candidate(p[i])), d[i], grad[i]); });
  }
};

}  // namespace minrnn::detail
