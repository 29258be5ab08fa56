// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/broadcast.hpp"
#include "minrnn/distributed/bucket_plan.hpp"
#include "minrnn/distributed/check_alike.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "minrnn/distributed/gradient_reduction.hpp"

namespace minrnn {

struct DataParallelOptions {
  Index shards = 8;                     // G: parts of a batch, a power of two. They fix the result, ranks do not
  Index bucket_bytes = Index{1} << 20;  // gradients are sent when about so many are finished
  bool overlap = true;                  // while backward computes others, on a thread of its own
};

/// Training on several machines at once: each rank computes the gradients of a part of the batch, and all have the same
/// sum, of the same bits for any number of ranks.
///
/// Equations   g = (1 / G) sum_s g_s,  loss = (1 / G) sum_s loss_s over the shards s = 0 ... G - 1 of a batch, where
///             the sum of shards [s, s + 2 n) is that of [s, s + n) plus that of [s + n, s + 2 n), rounded once: a
///             binary tree. Rank r of P has the shards [r G / P, (r + 1) G / P), so its own sum is a node of the tree,
///             and the nodes above are sums over ranks. P is a power of two up to G
/// Use         MpiCommunicator ranks;  // or OneRank, without MPI and with the same bits
///             DataParallel parallel(net, ranks, {.shards = 8});
///             const double loss = parallel.gradients(net, [&](Index shard, const Context& context) {
///               ...                                       // the sequences of this shard, through forward and the loss
///               net.backward(dy, cache, context);         // adds the gradient of the shard's mean loss
///               return loss_of_shard;
///             }, {.draw = step, .executor = &pool});
///             clip_gradient_norm(net, 1);                 // on all ranks the same
///             adam.step(net);
/// Draws       a shard's context has a draw of its own, draw G + shard, so dropout does not depend on the ranks either
/// Overlap     the first call learns in which order a backward finishes gradients (`GradientListener`). From the second
///             on, those of the last shard of a rank are summed and sent, as soon as a bucket of them is finished, by a
///             thread of its own. Layers that tell nobody are sent at the end, and so are weights to which a first
///             backward adds something after its last word on them. A body or a layer that does so only later, as for a
///             penalty that is 0 at first, is refused: it needs overlap = false
/// Memory      (log2(G / P) + 1) gradients; with other ranks one more, and half a bucket
/// Throws      std::invalid_argument where options are out of range, a net is not the one that this was made for, or
///             its visit gives a parameter twice; SharedError, on all ranks, where their number is out of range, they
///             differ, or a loss is no finite number; std::runtime_error where the network fails
/// Source      Li et al. 2020, "PyTorch distributed: experiences on accelerating data parallel training" (buckets)
template <class S>
class DataParallel {
 public:
  /// Gives all ranks the parameters of rank 0. Lives no longer than `ranks`.
  template <Parameterised Net>
  DataParallel(Net& net, Communicator& ranks, const DataParallelOptions& options = {})
      : ranks_(ranks), options_(options), reduction_(ranks, set_) {
    detail::check_that(detail::is_power_of_two(options.shards), "DataParallel", "shards", "a power of two",
                       options.shards);
    detail::check_that(options.bucket_bytes >= 1, "DataParallel", "bucket_bytes", "at least 1", options.bucket_bytes);
    if (!detail::is_power_of_two(ranks.size()) || ranks.size() > options.shards)
      throw SharedError("DataParallel: ranks: wanted a power of two of them, up to the " +
                        std::to_string(options.shards) + " shards, given " + std::to_string(ranks.size()));
    std::string shapes;
    visit_own(net, [&](const Name& name, const Parameter<S>& p) {
      shapes += name.str() + detail::shape_text(p.value.rows(), p.value.cols());
      sizes_.push_back(p.size());
    });
    bind(net);
    check_alike(ranks, {{"the size of a number", std::to_string(sizeof(S))},
                        {"the parameters of the net", shapes},
                        {"the number of shards", std::to_string(options.shards)},
                        {"the size of a bucket", std::to_string(options.bucket_bytes)}});
    broadcast(ranks, net);
  }
  DataParallel(const DataParallel&) = delete;
  DataParallel& operator=(const DataParallel&) = delete;

  Index shards() const { return options_.shards; }
  /// The shards of this rank: [first_shard(), first_shard() + own_shards()).
  Index own_shards() const { return options_.shards / ranks_.size(); }
  Index first_shard() const { return ranks_.rank() * own_shards(); }

  /// Calls body(shard, context) for each shard of this rank, which adds the gradient of a shard to that of the net and
  /// returns its loss; then gives all ranks the mean over all shards of both. What was in the gradients is lost. Where
  /// the body throws, the communicator is cancelled: this rank must end, and with it the others.
  template <Parameterised Net, std::invocable<Index, const Context&> Body>
  double gradients(Net& net, Body&& body, const Context& context = {}) {
    bind(net);
    set_.sums.resize(own_shards(), size_);
    set_.last_leaf = own_shards() - 1;
    set_.scale = S(1) / static_cast<S>(options_.shards);
    std::vector<double> losses(static_cast<std::size_t>(options_.shards));
    const auto run = [&](Index leaf, GradientListener* listener) {
      zero_gradients(net);
      const Index shard = first_shard() + leaf;
      losses[static_cast<std::size_t>(shard)] = body(shard, of_shard(context, shard, listener));
    };
    GiveUp unless_finished{reduction_};
    for (Index leaf = 0; leaf < set_.last_leaf; ++leaf) {
      run(leaf, nullptr);
      keep(leaf, context);
    }
    if (ranks_.size() == 1) {
      run(set_.last_leaf, nullptr);
      finish_alone(context);
    } else if (!reduction_.has_plan()) {
      detail::PlanRecorder<S> recorder(set_.parts, set_.by_address);
      run(set_.last_leaf, &recorder);
      reduction_.set_plan(
          recorder.plan(ranks_, std::max<Index>(options_.bucket_bytes / static_cast<Index>(sizeof(S)), 1)));
      reduction_.run();
    } else if (options_.overlap) {
      reduction_.begin();
      run(set_.last_leaf, &reduction_);
      reduction_.end();
    } else {
      run(set_.last_leaf, nullptr);
      reduction_.run();
    }
    unless_finished.finished = true;
    return mean_loss(losses);
  }

  const Traffic& traffic() const { return reduction_.traffic(); }

 private:
  struct GiveUp {
    detail::GradientReduction<S>& reduction;
    bool finished = false;
    ~GiveUp() {
      if (!finished) reduction.give_up();
    }
  };
  static constexpr Index kChunk = 8192;  // numbers that a worker adds at once

  template <class Net, class V>
  static void visit_own(Net& net, V&& visitor) {
    visit_parameters(net, [&](const Name& name, auto& p) {
      constexpr bool kOwn = std::same_as<typename std::remove_cvref_t<decltype(p)>::Scalar, S>;
      static_assert(kOwn, "the parameters of this net have another scalar: write DataParallel parallel(net, ranks)");
      if constexpr (kOwn) visitor(name, p);
    });
  }

  /// Where the gradients of the net lie now.
  template <class Net>
  void bind(Net& net) {
    set_.parts.clear();
    set_.by_address.clear();
    size_ = 0;
    visit_own(net, [&](const Name& name, Parameter<S>& p) {
      const std::size_t i = set_.parts.size();
      if (i >= sizes_.size() || p.size() != sizes_[i] || p.grad.size() != p.size())
        detail::throw_argument("DataParallel", {"parameter ", name.str()}, "that of the net that this was made for",
                               "another");
      set_.by_address.push_back({&p, static_cast<Index>(i)});
      set_.parts.push_back({&p, p.grad.data(), p.size(), size_});
      size_ += p.size();
    });
    detail::check_that(set_.parts.size() == sizes_.size(), "DataParallel", "net", static_cast<Index>(sizes_.size()),
                       static_cast<Index>(set_.parts.size()));
    std::sort(set_.by_address.begin(), set_.by_address.end());
    for (std::size_t i = 1; i < set_.by_address.size(); ++i)
      detail::check_that(set_.by_address[i - 1].first != set_.by_address[i].first, "DataParallel", "net",
                         "each parameter once in its visit", "one twice");
  }

  Context of_shard(const Context& context, Index shard, GradientListener* listener) const {
    Context result{context.draw, context.executor, listener};
    if (context.draw == Context::kNoDraw) return result;
    const std::uint64_t draw = static_cast<std::uint64_t>(context.draw) * static_cast<std::uint64_t>(options_.shards) +
                               static_cast<std::uint64_t>(shard);
    result.draw =
        static_cast<std::int64_t>(draw & static_cast<std::uint64_t>((std::numeric_limits<std::int64_t>::max)()));
    return result;
  }

  /// Calls body(part, first, count) for pieces of all gradients.
  template <class Body>
  void for_pieces(const Context& context, const Body& body) const {
    for (const auto& part : set_.parts)
      parallel_for(context, (part.size + kChunk - 1) / kChunk, 4 * static_cast<double>(part.size),
                   [&](Index piece, Index) {
                     const Index first = piece * kChunk;
                     body(part, first, std::min<Index>(kChunk, part.size - first));
                   });
  }
  void keep(Index leaf, const Context& context) {
    for_pieces(context, [&](const auto& part, Index first, Index count) {
      set_.sums.join(leaf, part.first + first, count, part.values + first);
      set_.sums.keep(leaf, part.first + first, count, part.values + first);
    });
  }
  void finish_alone(const Context& context) {
    for_pieces(context, [&](const auto& part, Index first, Index count) {
      S* values = part.values + first;
      set_.sums.join(set_.last_leaf, part.first + first, count, values);
      for (Index i = 0; i < count; ++i) values[i] *= set_.scale;
    });
  }

  double mean_loss(std::vector<double>& losses) {
    const double sum = sum_over_shards(ranks_, losses);
    for (Index shard = 0; shard < options_.shards; ++shard)
      if (const double loss = losses[static_cast<std::size_t>(shard)]; !detail::is_finite(loss))
        throw SharedError("the loss of shard " + std::to_string(shard) + ", on rank " +
                          std::to_string(shard / own_shards()) + ", is " + (detail::is_nan(loss) ? "NaN" : "infinite"));
    return sum / static_cast<double>(options_.shards);
  }

  Communicator& ranks_;
  DataParallelOptions options_;
  std::vector<Index> sizes_;  // of the parameters, in the order of the visit
  Index size_ = 0;            // of all together
  detail::GradientSet<S> set_;
  detail::GradientReduction<S> reduction_;
};

template <class Net>
requires requires { typename Net::Scalar; }
DataParallel(Net&, Communicator&, const DataParallelOptions& = {})->DataParallel<typename Net::Scalar>;

}  // namespace minrnn
