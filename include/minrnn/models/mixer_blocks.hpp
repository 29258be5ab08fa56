// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string_view>
#include <type_traits>
#include <utility>

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rms_norm.hpp"

namespace minrnn {

struct BlockOptions {
  Index dim = 64;  // d
  Index layers = 2;
  Index expansion = 2;   // features of the mixer / d
  Index kernel = 4;      // of the convolution
  Index mlp_factor = 4;  // inner size of the MLP / d
  double dropout = 0;
};

/// A mixer from d features to d that has projections of its own, as Mamba and attention. A layer says so by
///   static constexpr bool kHasOwnProjections = true;
/// and a block then puts neither a convolution before it nor W_down behind it.
template <class Mixer>
concept MixerWithProjections = requires {
  requires Mixer::kHasOwnProjections;
};

namespace detail {

/// A block of a model around any mixer, and how it is made.
template <class Mixer>
struct MixerBlockOf {
  using S = typename Mixer::Scalar;
  using Norm = Named<"norm", RmsNorm<S>>;
  using Drop = Named<"dropout", Dropout<S>>;
  using Branch = std::conditional_t<
      MixerWithProjections<Mixer>, Sequential<Norm, Named<"mixer", Mixer>, Drop>,
      Sequential<Norm, Named<"conv", Conv1d<S>>, Named<"mixer", Mixer>, Named<"down", Linear<S>>, Drop>>;
  using FeedBranch = Sequential<Norm, Named<"mlp", Mlp<S>>, Drop>;
  using Layer = Sequential<Named<"mix", Residual<Branch>>, Named<"feed", Residual<FeedBranch>>>;

  template <class MakeMixer>
  static Layer make(const BlockOptions& options, RandomStream stream, MakeMixer& make_mixer) {
    const Index dim = options.dim, inner = options.expansion * dim, mlp_inner = options.mlp_factor * dim;
    const RmsNorm<S> norm(dim);
    const Dropout<S> mix_dropout(dim, options.dropout, stream.stream(3)),
        feed_dropout(dim, options.dropout, stream.stream(5));
    auto mix = in_part("mix", [&] {
      Mixer mixer = in_part("mixer", [&] { return make_mixer(dim, inner, stream.stream(1)); });
      if constexpr (MixerWithProjections<Mixer>)
        return Residual(Branch(norm, std::move(mixer), mix_dropout));
      else
        return Residual(Branch(norm, Conv1d<S>(dim, options.kernel, stream.stream(0)), std::move(mixer),
                               Linear<S>(inner, dim, stream.stream(2)), mix_dropout));
    });
    Residual feed(FeedBranch(norm, Mlp<S>(dim, mlp_inner, stream.stream(4)), feed_dropout));
    return Layer(std::move(mix), std::move(feed));
  }
};

/// Throws unless such blocks can be made; says of what they are the blocks.
inline void check_blocks(std::string_view where, const BlockOptions& options) {
  check_size(where, "layers", options.layers);
  check_size(where, "dim", options.dim);
  check_size(where, "expansion", options.expansion);
  check_size(where, "mlp_factor", options.mlp_factor);
  check_product(where, "expansion", options.expansion, options.dim);
  check_product(where, "mlp_factor", options.mlp_factor, options.dim);
}

}  // namespace detail

/// The blocks of a model of the paper's shape around any mixer.
///
/// Equations   each block:  x = x + dropout(W_down mixer(conv(norm(x)))),  x = x + dropout(mlp(norm(x)))
///             A `MixerWithProjections` stands without conv and W_down.
/// Shapes      x (d, T, B); mixer (d, T, B) to (expansion d, T, B), or to (d, T, B)
/// Parameters  i/mix/{norm,conv,mixer,down} or i/mix/{norm,mixer}, i/feed/{norm,mlp}
/// Source      Feng et al. 2024, arXiv:2410.01201: normalisation, convolution, mixer and MLP with residuals
template <class Mixer>
using MixerBlocks = Stack<typename detail::MixerBlockOf<Mixer>::Layer>;

/// `make_mixer(dim, expansion * dim, stream)` makes the mixer of each block, from a stream of its own. Throws
/// std::invalid_argument for a size below 1, or a mixer that does not fit.
template <class Mixer, class MakeMixer>
MixerBlocks<Mixer> make_blocks(const BlockOptions& options, RandomStream stream, MakeMixer&& make_mixer) {
  detail::check_blocks("make_blocks", options);
  return MixerBlocks<Mixer>(options.layers, [&](Index i) {
    return detail::MixerBlockOf<Mixer>::make(options, stream.stream(i), make_mixer);
  });
}

}  // namespace minrnn
