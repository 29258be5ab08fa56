// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <vector>

#include "minrnn/kernels/product.hpp"
#include "minrnn/scan/gate_blocks.hpp"
#include "training_step.hpp"

#ifdef MINRNN_BENCH_BLAS
extern "C" void sgemm_(const char* op_a, const char* op_b, const int* m, const int* n, const int* k, const float* alpha,
                       const float* a, const int* lda, const float* b, const int* ldb, const float* beta, float* c,
                       const int* ldc);
// OpenBLAS on threads of its own does not ask OpenMP how many.
extern "C" void openblas_set_num_threads(int threads) __attribute__((weak));
#endif

namespace minrnn::bench {

#ifdef MINRNN_BENCH_BLAS
inline constexpr bool kHasBlas = true;
#else
inline constexpr bool kHasBlas = false;
#endif

/// The three matrix products of a training step and nothing else: the floor that a layer is measured against.
///
/// Equations   A = W X;  dW = A X^T;  dX = W^T A, A standing in for its own derivative
/// Shapes      n = T B columns; W, dW (G d, d); X, dX (d, n); A (G d, n)
template <class S>
class Products {
 public:
  Products(int gates, Shape shape)
      : rows_(gates * shape.size),
        inputs_(shape.size),
        columns_(shape.time * shape.batch),
        block_(detail::steps_in_cache(rows_ + 2 * inputs_)),
        w_(rows_, inputs_),
        dw_(rows_, inputs_),
        x_(inputs_, columns_, 1),
        a_(rows_, columns_, 1),
        dx_(inputs_, columns_, 1) {
    Random random(1);
    fill_symmetric(w_, random, 1 / std::sqrt(static_cast<double>(inputs_)));
    fill(x_.view(), random);
  }

  /// Floating-point operations of the three.
  double operations() const { return 6.0 * static_cast<double>(rows_ * inputs_ * columns_); }

  /// By Eigen, each on whole matrices.
  void by_eigen() {
    const auto x = x_.view().matrix(0), dx = dx_.view().matrix(0), a = a_.view().matrix(0);
    MatrixMap<S>(a).noalias() = w_ * x;
    dw_.noalias() = a * x.transpose();
    MatrixMap<S>(dx).noalias() = w_.transpose() * a;
  }

  /// By a BLAS, each on whole matrices; nothing where the program was built without one. Float alone.
  void by_blas() {
#ifdef MINRNN_BENCH_BLAS
    if (openblas_set_num_threads) openblas_set_num_threads(static_cast<int>(context().workers()));
    const auto gemm = [](char op_a, char op_b, Index m, Index n, Index k, const float* a, Index a_stride,
                         const float* b, Index b_stride, float* c, Index c_stride) {
      const int sizes[] = {static_cast<int>(m), static_cast<int>(n), static_cast<int>(k)};
      const int lda = static_cast<int>(a_stride), ldb = static_cast<int>(b_stride), ldc = static_cast<int>(c_stride);
      const float one = 1, zero = 0;
      sgemm_(&op_a, &op_b, &sizes[0], &sizes[1], &sizes[2], &one, a, &lda, b, &ldb, &zero, c, &ldc);
    };
    gemm('N', 'N', rows_, columns_, inputs_, w_.data(), rows_, x_.data(), inputs_, a_.data(), rows_);
    gemm('N', 'T', rows_, inputs_, columns_, a_.data(), rows_, x_.data(), inputs_, dw_.data(), rows_);
    gemm('T', 'N', inputs_, columns_, rows_, w_.data(), rows_, a_.data(), rows_, dx_.data(), inputs_);
#endif
  }

  /// By the library's kernels, as the layers call them: the weight packed once, blocks of time that stay in cache, a
  /// sum dW for each thread.
  void by_minrnn() {
    packed_.prepare(w_, columns_);
    packed_transposed_.prepare_transposed(w_);
    const Index tiles = context().workers(), steps = (columns_ + tiles - 1) / tiles;
    sums_.resize(static_cast<std::size_t>(tiles));
    parallel_for(context(), tiles, [&](Index tile, Index) {
      const Index last = std::min(columns_, (tile + 1) * steps);
      for_blocks(tile * steps, last, [&](Index first, Index n) {
        packed_.multiply(x_.view().columns(first, n, 0), {}, a_.view().columns(first, n, 0));
      });
      Matrix<S>& sum = sums_[static_cast<std::size_t>(tile)];
      Sequence<S> packed(detail::kOuterScratch<S>, 1, 1);
      sum.setZero(rows_, inputs_);
      for_blocks(tile * steps, last, [&](Index first, Index n) {
        const Columns<const S> a = a_.view().columns(first, n, 0);
        detail::add_outer_product<S>(a, x_.view().columns(first, n, 0), sum, packed.data());
        packed_transposed_.multiply(a, {}, dx_.view().columns(first, n, 0));
      });
    });
    dw_ = sums_[0];
    for (Index tile = 1; tile < tiles; ++tile) dw_ += sums_[static_cast<std::size_t>(tile)];
  }

  const Matrix<S>& dw() const { return dw_; }

 private:
  template <class Body>
  void for_blocks(Index first, Index last, Body&& body) const {
    for (; first < last; first += block_) body(first, std::min(block_, last - first));
  }

  Index rows_, inputs_, columns_, block_;
  Matrix<S> w_, dw_;
  Sequence<S> x_, a_, dx_;
  detail::PackedWeight<S> packed_, packed_transposed_;
  std::vector<Matrix<S>> sums_;
};

}  // namespace minrnn::bench
