// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <span>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/gates/diagonal.hpp"
#include "minrnn/kernels/frames.hpp"
#include "minrnn/kernels/gate_products.hpp"
#include "minrnn/kernels/gradient_panels.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/product.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/scan/gate_blocks.hpp"

namespace minrnn::detail {

/// What layers have in common whose gates multiply the input alone, so that their products are hoisted over time: the
/// parameters, the cache, and the way from x to k and from dk to the gradients. What k does to the state is for
/// `Layer`, which derives from this.
///
/// Equations   k_t = W x_t + b for each gate
/// Gradient    dW = sum dk_t x_t^T;  db = sum dk_t;  dx_t = W^T dk_t
/// Shapes      G gates; W (H, F), b (H) and diagonal weights (H); x (F, T, B); k (G H, T, B), gate after gate
template <class S, class Gates, class Layer>
class GatedLayer {
 protected:
  static constexpr Index kGates = Gates::kCount, kDiagonals = Gates::kDiagonals;
  using Gradients = GateGradients<S, kGates, kDiagonals>;

 public:
  using Scalar = S;

  class Cache : public CacheBase {
    friend GatedLayer;
    friend Layer;
    // kept for backward
    SequenceView<const S> x_;  // (F, T, B)
    Sequence<S> kept_;         // (G H, T, B) of the gates; behind these, in the same rows, the states that are not h
    Output<S> h_;              // (H, T, B)
    Matrix<S> first_;          // (H, B) for each state, below each other: before the first step
    // results and scratch
    Output<S> dx_;                   // (F, T, B)
    Sequence<S> block_;              // k (G H, 1, B) of a step; dk of a block of each worker, or (G H, T, B), or k
    Sequence<S> product_;            // of each worker
    PackedGates<S, kGates> packed_;  // W and b
    PackedWeight<S> transposed_;     // W^T (F, G H)
    PackedWeight<S> narrow_;         // W of one gate after the other
    Sequence<S> h_0_;                // (H) the initial state
    Matrix<S> carry_;                // (H, B) planes below each other: the state as the recurrence carries it
    Sequence<S> sums_;               // of each tile: dW and db of each gate, gradients of diagonal weights, dh_0
    Matrix<S> dh_0_;                 // (H)
  };

  Index input_size() const { return w_[0].cols(); }
  Index output_size() const { return w_[0].rows(); }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    for (Index gate = 0; gate < kGates; ++gate) {
      visitor(scope / Gates::kWeights[gate], self.w_[gate]);
      visitor(scope / Gates::kBiases[gate], self.b_[gate]);
      unroll<kDiagonals>([&](auto i) {
        if (Gates::kDiagonalWeights[i].gate == gate)
          visitor(scope / Gates::kDiagonalWeights[i].name, self.diagonal_[i]);
      });
    }
  }

  /// The weight (H, F) and the bias (H) of one gate, in the order of the layer's equations.
  const Matrix<S>& weight(Index gate) const { return w_[gate].value; }
  const Matrix<S>& bias(Index gate) const { return b_[gate].value; }
  /// One of the diagonal weights (H), in the order in which they are visited.
  const Matrix<S>& diagonal(Index i) const { return diagonal_[i].value; }

 protected:
  /// All parameters zero.
  GatedLayer(Index inputs, Index features) {
    check_size(Gates::kName, "inputs", inputs);
    check_size(Gates::kName, "features", features);
    for (Index gate = 0; gate < kGates; ++gate) {
      w_[gate] = Parameter<S>(features, inputs, ReadBy::products);
      b_[gate] = Parameter<S>(features);
    }
    unroll<kDiagonals>([&](auto i) { diagonal_[i] = Parameter<S>(features); });
  }

  Index block_steps() const { return steps_in_cache((kGates + 1) * output_size() + input_size()); }
  CacheBase::Sizes sizes() const { return {input_size(), output_size()}; }

  Array<Row<const S>, kDiagonals> diagonals() const {
    Array<Row<const S>, kDiagonals> rows;
    unroll<kDiagonals>([&](auto i) { rows[i] = Row<const S>(diagonal_[i].value); });
    return rows;
  }

  /// k of one frame, (G H, B).
  Columns<S> gates_of_frame(FrameView<const S> x, Cache& cache) const {
    const Index features = output_size();
    const SequenceView<S> k = cache.block_.resize(kGates * features, 1, x.batch());
    const Columns<S> k_t = k.frame(0).columns();
    if (x.batch() == 1 && !w_[0].is_narrow())
      multiply_gates(w_, b_, x.data(), k.data());
    else
      for (Index gate = 0; gate < kGates; ++gate)
        multiply_unpacked(w_[gate], x.columns(), b_[gate].value, k_t.features(gate * features, features));
    return k_t;
  }

  /// k of many frames, block by block.
  GateBlocks<S, kGates> gates_of(SequenceView<const S> x, Cache& cache, const Context& context) const {
    const SequenceView<S> scratch = cache.product_.resize(PackedGates<S, kGates>::kScratch, 1, context.workers());
    SequenceView<const S> ready;
    if (w_[0].is_narrow())
      ready = gates_of_narrow(x, cache, context);
    else
      cache.packed_.pack(w_, b_);
    return {x, cache.packed_, scratch, output_size(), block_steps(), ready};
  }

  /// Adds to the gradients of all parameters and returns dx. walk(gradients) has to hand the dk of every stretch to
  /// `GateGradients::run`. dh_0 may be null, where nobody asks for it.
  template <class Walk>
  SequenceView<const S> add_gradients(SequenceView<const S> dy, Cache& cache, const Tiling& tiling, Matrix<S>* dh_0,
                                      const Context& context, Walk&& walk) {
    const SequenceView<const S> x = cache.x_;
    const Index inputs = input_size(), features = output_size(), rows = kGates * features;
    const bool in_panels = Gradients::keeps_dk(inputs, features);
    const SequenceView<S> dx = cache.dx_.resize(inputs, x.time(), x.batch(), dy, x);
    const SequenceView<S> dk = in_panels ? cache.block_.resize(rows, x.time(), x.batch())
                                         : cache.block_.resize(rows, block_steps(), context.workers());
    const SequenceView<S> scratch = cache.product_.resize(kOuterScratch<S>, 1, context.workers());
    cache.transposed_.resize(inputs, rows);
    for (Index gate = 0; gate < kGates; ++gate) cache.transposed_.set_transposed(gate * features, w_[gate].value);
    const auto all = gradients(dh_0);
    auto of_tiles = all;
    if (in_panels) std::fill_n(of_tiles.begin(), kGates, nullptr);
    const typename Gradients::Sums sums(cache.sums_, tiling.count(), context, of_tiles);
    walk(Gradients{x, cache.transposed_, dx, dk, scratch, sums, features, block_steps()});
    sums.add();
    if (in_panels) add_products_in_panels<S>(context, dk, x, std::span(all).first(kGates), cache.sums_, cache.product_);
    return dx;
  }

  Array<Parameter<S>, kGates> w_, b_;         // (H, F), (H) per gate
  Array<Parameter<S>, kDiagonals> diagonal_;  // (H)

 private:
  /// k of all frames at once: (G H, T, B).
  MINRNN_NOINLINE SequenceView<const S> gates_of_narrow(SequenceView<const S> x, Cache& cache,
                                                        const Context& context) const {
    constexpr Index kBlock = 192;
    const Index features = output_size();
    const SequenceView<S> k = cache.block_.resize(kGates * features, x.time(), x.batch());
    const Frames frames({static_cast<double>(w_[0].size())}, x);
    for (Index gate = 0; gate < kGates; ++gate) {
      cache.narrow_.prepare(w_[gate], frames.count());
      parallel_for(context, frames.tiles(), frames.work(), [&](Index tile, Index) {
        for (auto block = frames.blocks(tile, kBlock); block.next();)
          cache.narrow_.multiply(frames.columns(x, block), b_[gate].value,
                                 frames.columns(k, block).features(gate * features, features));
      });
    }
    return k;
  }

  /// The gradients of W and b of each gate, of the diagonal weights, and dh_0.
  typename Gradients::Sums::Gradients gradients(Matrix<S>* dh_0) {
    typename Gradients::Sums::Gradients all;
    auto next = all.begin();
    for (Index gate = 0; gate < kGates; ++gate) *next++ = &w_[gate].grad;
    for (Index gate = 0; gate < kGates; ++gate) *next++ = &b_[gate].grad;
    unroll<kDiagonals>([&](auto i) { *next++ = &diagonal_[i].grad; });
    *next = dh_0;
    return all;
  }
};

}  // namespace minrnn::detail
