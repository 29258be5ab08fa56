// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <limits>
#include <type_traits>
#include <utility>

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/models/token_model.hpp"

namespace minrnn {

struct MinLmOptions {
  Index vocabulary = 0;  // V, to be set
  Index dim = 512;       // d
  Index layers = 6;
  Index inner = 768;  // features of the mixer
  Index mlp_inner = 2048;
  Index kernel = 3;  // of the convolution, where there is one
  MlpOptions mlp = {.gelu = GeluForm::exact};
  bool down_bias = false;  // of W_down
  double epsilon = 0;      // of the norms; 0: the smallest step of the numbers
};

/// What a block of `MinLm` has. Without `projects` the mixer goes from d features to d.
struct MinLmParts {
  bool convolves = false;
  bool projects = true;
};

namespace detail {

template <class Mixer, MinLmParts parts>
struct MinLmBlock {
  using S = typename Mixer::Scalar;
  using Norm = Named<"norm", RmsNorm<S>>;
  using MixBranch =
      std::conditional_t<parts.projects, Sequential<Norm, Named<"mixer", Mixer>, Named<"down", Linear<S>>>,
                         Sequential<Norm, Named<"mixer", Mixer>>>;
  using Mix = Named<"mix", Residual<MixBranch>>;
  using Feed = Named<"feed", Residual<Sequential<Norm, Named<"mlp", Mlp<S>>>>>;
  using Conv = Named<"conv", Residual<Sequential<Named<"depthwise", Conv1d<S>>, Named<"pointwise", Linear<S>>>>>;
  using Layer = std::conditional_t<parts.convolves, Sequential<Conv, Mix, Feed>, Sequential<Mix, Feed>>;

  template <class MakeMixer>
  static Layer make(const MinLmOptions& options, const RmsNormOptions& norm_options, RandomStream stream,
                    MakeMixer& make_mixer) {
    const Index dim = options.dim, inner = parts.projects ? options.inner : dim;
    const Norm norm{RmsNorm<S>(dim, norm_options)};
    auto mixer = in_part("mixer", [&] { return make_mixer(dim, inner, stream.stream(0)); });
    auto mix = [&] {
      if constexpr (parts.projects)
        return Residual(
            MixBranch(norm, std::move(mixer), Linear<S>(inner, dim, stream.stream(1), {.bias = options.down_bias})));
      else
        return Residual(MixBranch(norm, std::move(mixer)));
    }();
    Residual feed(
        Sequential<Norm, Named<"mlp", Mlp<S>>>(norm, Mlp<S>(dim, options.mlp_inner, stream.stream(2), options.mlp)));
    if constexpr (parts.convolves)
      return Layer(Residual(Sequential<Named<"depthwise", Conv1d<S>>, Named<"pointwise", Linear<S>>>(
                       Conv1d<S>(dim, options.kernel, stream.stream(3)), Linear<S>(dim, dim, stream.stream(4)))),
                   std::move(mix), std::move(feed));
    else
      return Layer(std::move(mix), std::move(feed));
  }
};

}  // namespace detail

/// The language model of github.com/lucidrains/minGRU-pytorch, whose weights `lucidrains_min_lm` reads.
///
/// Equations   x = embedding(tokens)
///             each block:  x = x + W_c conv(x) + b_c where it convolves,  x = x + W_down mixer(norm(x)),
///                          x = x + mlp(norm(x)) with the exact GELU
///             logits = W_out norm(x); norm(x) = gain * x / sqrt(mean(x^2) + eps), eps the smallest step of the numbers
/// Shapes      tokens (1, T, B), logits (V, T, B); x (d, T, B); mixer (d, T, B) to (inner, T, B)
/// Parameters  embedding/table, blocks/i/{conv,mix,feed}/..., norm, output
/// Source      minGRU_pytorch/minLM.py there
template <class Mixer, MinLmParts parts = MinLmParts{}>
using MinLm = TokenModel<Stack<typename detail::MinLmBlock<Mixer, parts>::Layer>>;

/// `make_mixer(dim, inner, stream)` makes the mixer of each block, from a stream of its own. Throws
/// std::invalid_argument for a size below 1, an epsilon below 0 or above 1, or a mixer that does not fit.
template <class Mixer, MinLmParts parts = MinLmParts{}, class MakeMixer>
MinLm<Mixer, parts> make_min_lm(const MinLmOptions& options, RandomStream stream, MakeMixer&& make_mixer) {
  detail::check_size("make_min_lm", "layers", options.layers);
  detail::check_size("make_min_lm", "dim", options.dim);
  detail::check_size("make_min_lm", "inner", options.inner);
  const double step = static_cast<double>(std::numeric_limits<typename Mixer::Scalar>::epsilon());
  const RmsNormOptions norm{options.epsilon == 0 ? step : options.epsilon};
  using Block = detail::MinLmBlock<Mixer, parts>;
  return MinLm<Mixer, parts>(
      options.vocabulary, options.dim, 1, stream.stream(0),
      Stack(options.layers,
            [&](Index i) { return Block::make(options, norm, stream.stream(1).stream(i), make_mixer); }),
      norm);
}

}  // namespace minrnn
