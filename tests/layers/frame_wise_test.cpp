// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/layers/frame_wise.hpp"

#include <gtest/gtest.h>

#include "minrnn/core/output.hpp"

namespace minrnn::tests {
namespace {

/// What a layer without memory has beside `apply` and `adjoint`.
template <class Derived>
struct Sized : FrameWise<Derived, float> {
  struct Cache : CacheBase {};
  Index input_size() const { return 3; }
  Index output_size() const { return 3; }
  CacheBase::Sizes cache_sizes() const { return {3, 3}; }
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

using View = SequenceView<const float>;

struct Identity : Sized<Identity> {
  View apply(View x, Cache&, const Context&) const { return x; }
  View adjoint(View dy, Cache&, const Context&) { return dy; }
};
struct WithoutApply : Sized<WithoutApply> {
  View adjoint(View dy, Cache&, const Context&) { return dy; }
};
struct WithoutAdjoint : Sized<WithoutAdjoint> {
  View apply(View x, Cache&, const Context&) const { return x; }
};
struct ApplyThatChangesTheLayer : Sized<ApplyThatChangesTheLayer> {
  View apply(View x, Cache&, const Context&) { return x; }
  View adjoint(View dy, Cache&, const Context&) { return dy; }
};

TEST(FrameWise, MakesALayerOfAFrameMapAlone) {
  static_assert(FrameMap<Identity> && SequenceLayer<Identity>);
  static_assert(!FrameMap<WithoutApply> && !SequenceLayer<WithoutApply>);
  static_assert(!FrameMap<WithoutAdjoint> && !SequenceLayer<WithoutAdjoint>);
  static_assert(!FrameMap<ApplyThatChangesTheLayer> && !SequenceLayer<ApplyThatChangesTheLayer>);
  Identity layer;
  Identity::Cache cache;
  NoState none;
  const Matrix<float> x = Matrix<float>::Ones(3, 5);
  EXPECT_EQ(layer.forward(x, none, cache).matrix(0), x);
}

}  // namespace
}  // namespace minrnn::tests
