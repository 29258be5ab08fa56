// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "minrnn/core/cache.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/part.hpp"
#include "minrnn/core/placement.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence_batch.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/pool.hpp"
#include "minrnn/layers/rms_norm.hpp"

namespace minrnn {

struct SequenceModelOptions {
  Index inputs = 0;   // F, to be set
  Index outputs = 0;  // K, to be set: classes, or numbers to be predicted
  Pooling pooling = Pooling::last;
};

/// One answer for a sequence: its class, or some numbers. Reads the sequences of a `SequenceBatch`, packed or padded,
/// which gives the same answers; or, where the blocks have a step, a stream, with the answer so far after each frame.
///
/// Equations   y = pool(norm(blocks(W_in x + b_in))),  answer of a sequence = W y_last + b,  y_last at its last frame
/// Shapes      x (F, T, B), y (d, T, B), answers (K, 1, N) of the N sequences of the batch, in the order of its list
/// Gradient    the parts' own
/// Parameters  input, blocks/..., norm, output
/// Throws      std::invalid_argument for a size below 1, blocks that change the size, a wrong shape
///
/// With Dropout in the blocks, forward draws by the place in the block: another mask where sequences lie elsewhere.
/// At the last frame blocks that also see the future have only begun to: give them Pooling::mean or Pooling::max.
template <class Blocks>
class SequenceModel {
  static constexpr std::string_view kBlocks = "blocks";

 public:
  using Scalar = typename Blocks::Scalar;
  using S = Scalar;
  static constexpr bool kTellsOfParts = true;

  /// Of streams.
  struct State {
    typename Blocks::State blocks;
    typename Pool<S>::State pool;

    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      Blocks::State::visit(self.blocks, scope / kBlocks, visitor);
      Pool<S>::State::visit(self.pool, scope / "pool", visitor);
    }
  };

  class Cache : public CacheBase {
    friend SequenceModel;
    typename Linear<S>::Cache input_, output_;
    typename Blocks::Cache blocks_;
    typename RmsNorm<S>::Cache norm_;
    typename Pool<S>::Cache pool_;
    Output<S> last_, dy_;            // (d, 1, N), (d, T, B)
    std::vector<Placement> places_;  // of the last forward
    Index time_ = 0, batch_ = 0;     // the same
  };

  /// Around blocks from d features to d.
  SequenceModel(const SequenceModelOptions& options, RandomStream stream, Blocks blocks)
      : input_(options.inputs, blocks.input_size(), stream.stream(0)),
        blocks_(std::move(blocks)),
        norm_(blocks_.input_size()),
        pool_(blocks_.input_size(), options.pooling),
        output_(blocks_.input_size(), options.outputs, stream.stream(1)) {
    const Index dim = blocks_.input_size();
    detail::check_that(blocks_.output_size() == dim, "SequenceModel", "blocks", {"from ", dim, " features to as many"},
                       {dim, " to ", blocks_.output_size()});
  }

  Index input_size() const { return input_.input_size(); }
  Index output_size() const { return output_.output_size(); }
  Pooling pooling() const { return pool_.pooling(); }
  State initial_state(Index batch) const {
    return {detail::part(blocks_).initial_state(batch), pool_.initial_state(batch)};
  }

  /// Answers (K, 1, N). The batch must outlive backward.
  SequenceView<const S> forward(const SequenceBatch<S>& batch, Cache& cache, const Context& context = {}) const {
    NoState none;
    check_input(batch);
    cache.forget();
    State state = initial_state(batch.x().batch());
    const auto x = detail::part(input_).forward(batch.x(), none, cache.input_, context);
    const auto y = detail::in_part(
        kBlocks, [&] { return detail::part(blocks_).forward(x, state.blocks, cache.blocks_, context); });
    const auto normed = detail::part(norm_).forward(y, none, cache.norm_, context);
    const auto pooled = pool_.forward(normed, state.pool, cache.pool_, context);
    const auto last = gather_last(batch.places(), pooled, cache.last_);
    const auto answers = detail::part(output_).forward(last, none, cache.output_, context);
    cache.places_.assign(batch.places().begin(), batch.places().end());
    cache.time_ = x.time();
    cache.batch_ = x.batch();
    cache.keep(sizes(), 1, batch.size());
    return answers;
  }

  SequenceView<const S> infer(const SequenceBatch<S>& batch, Cache& cache, const Context& context = {}) const {
    NoState none;
    check_input(batch);
    cache.forget();
    State state = initial_state(batch.x().batch());
    const auto x = detail::part(input_).infer(batch.x(), none, cache.input_, context);
    const auto y =
        detail::in_part(kBlocks, [&] { return detail::part(blocks_).infer(x, state.blocks, cache.blocks_, context); });
    const auto pooled =
        pool_.infer(detail::part(norm_).infer(y, none, cache.norm_, context), state.pool, cache.pool_, context);
    return detail::part(output_).infer(gather_last(batch.places(), pooled, cache.last_), none, cache.output_, context);
  }

  /// The answer so far (K, B) of streams, after one frame (F, B) of each: that of a sequence which ends here.
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache,
                          const Context& context = {}) const requires SequenceLayer<Blocks> {
    NoState none;
    detail::check_input("SequenceModel", x.sequence(), input_size());
    detail::check_state("SequenceModel", "state", *this, state_rows_, state, x.batch());
    cache.forget();
    const auto x_in = detail::part(input_).step(x, none, cache.input_, context);
    const auto y = detail::in_part(
        kBlocks, [&] { return detail::part(blocks_).step(x_in, state.blocks, cache.blocks_, context); });
    const auto pooled =
        pool_.step(detail::part(norm_).step(y, none, cache.norm_, context), state.pool, cache.pool_, context);
    return detail::part(output_).step(pooled, none, cache.output_, context);
  }

  /// From danswers (K, 1, N): adds to the gradients, and gives dx (F, T, B), 0 in the padding.
  SequenceView<const S> backward(SequenceView<const S> danswers, Cache& cache, const Context& context = {}) {
    cache.check_backward("SequenceModel", sizes(), danswers);
    NoState none;
    const auto dlast = detail::part(output_).backward(danswers, none, cache.output_, context);
    detail::tell_finished(context, output_);
    const auto dpooled =
        scatter_last(std::span<const Placement>(cache.places_), dlast, cache.time_, cache.batch_, cache.dy_);
    const auto dy =
        detail::part(norm_).backward(pool_.backward(dpooled, cache.pool_, context), none, cache.norm_, context);
    detail::tell_finished(context, norm_);
    const auto dx =
        detail::in_part(kBlocks, [&] { return detail::part(blocks_).backward(dy, cache.blocks_, context); });
    detail::tell_finished(context, blocks_);
    const auto dinput = detail::part(input_).backward(dx, none, cache.input_, context);
    detail::tell_finished(context, input_);
    return dinput;
  }

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Linear<S>::visit(self.input_, scope / "input", visitor);
    Blocks::visit(self.blocks_, scope / kBlocks, visitor);
    RmsNorm<S>::visit(self.norm_, scope / "norm", visitor);
    Linear<S>::visit(self.output_, scope / "output", visitor);
  }

 private:
  CacheBase::Sizes sizes() const { return {input_size(), output_size(), parameter_count(*this)}; }

  void check_input(const SequenceBatch<S>& batch) const {
    detail::check_that(batch.size() > 0, "SequenceModel", "batch", "at least 1 sequence", 0);
    detail::check_input("SequenceModel", batch.x(), input_size());
  }

  Linear<S> input_;
  Blocks blocks_;
  RmsNorm<S> norm_;
  Pool<S> pool_;
  Linear<S> output_;
  std::uint64_t state_rows_ = detail::rows_of(initial_state(0));
};

}  // namespace minrnn
