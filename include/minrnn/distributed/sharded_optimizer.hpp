// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/broadcast.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "minrnn/optim/optimizer.hpp"

namespace minrnn {

/// Those parameters of a net that one rank moves: what its optimizer takes for the net.
template <Parameterised Net>
class OwnParameters {
 public:
  using Scalar = typename Net::Scalar;

  /// `owners`: the rank that moves each parameter, in the order of the visit. Both must live as long as this.
  OwnParameters(Net& net, const std::vector<Index>& owners, Index rank) : net_(&net), owners_(&owners), rank_(rank) {}

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    using Seen = std::conditional_t<std::is_const_v<Self>, const Net, Net>;
    auto owner = self.owners_->begin();
    Net::visit(static_cast<Seen&>(*self.net_), scope, [&](const Name& name, auto& parameter) {
      if (*owner++ == self.rank_) visitor(name, parameter);
    });
  }

 private:
  Net* net_;
  const std::vector<Index>* owners_;
  Index rank_;
};

/// An optimizer whose state is divided among the ranks: each keeps that of some parameters, moves these, and gets the
/// others from the ranks that have moved them. Whole parameters are divided, about evenly by their sizes, so that any
/// optimizer will do. The bits are those of one optimizer for all, as long as a step moves a parameter by the gradient
/// of that parameter, and all gradients are finite or none is, as behind `clip_gradient_norm`.
///
/// Use         ShardedOptimizer adam(net, ranks, [](const auto& own) { return Adam(own, {.learning_rate = 1e-3f}); });
///             parallel.gradients(...);  adam.step(net);  adam.optimizer().options.learning_rate = ...;
/// Memory      of the state about 1 / ranks, and the parameters once more
/// Throws      std::invalid_argument where the net is not the one that it was made for, or the number of ranks is no
///             power of two; what the optimizer or the communicator throws
/// Source      Rajbhandari et al. 2020, "ZeRO: memory optimizations toward training trillion parameter models", stage 1
template <class O>
class ShardedOptimizer {
 public:
  /// make(own) makes the optimizer of this rank for its `OwnParameters`.
  template <Parameterised Net, class Make>
  ShardedOptimizer(Net& net, Communicator& ranks, Make&& make)
      : ranks_(ranks), owners_(divide(net, ranks)), optimizer_(make(OwnParameters(net, owners_, ranks.rank()))) {}

  /// To be called by all ranks, with the same gradients. Returns whether all gradients are finite numbers, as a step of
  /// one optimizer for all.
  template <Parameterised Net>
  bool step(Net& net, const Context& context = {}) {
    using S = typename Net::Scalar;
    check_net(net);
    OwnParameters own(net, owners_, ranks_.rank());
    std::vector<std::int32_t> finite(static_cast<std::size_t>(ranks_.size()));
    finite[static_cast<std::size_t>(ranks_.rank())] = optimizer_.step(own, context) ? 1 : 0;
    detail::all_gather(ranks_, finite.data(), 1);

    std::vector<Index> next(begins_.begin(), begins_.end() - 1);
    std::vector<S> values(static_cast<std::size_t>(begins_.back()));
    const auto for_places = [&](const auto& body) {
      std::vector<Index> at = next;
      auto owner = owners_.begin();
      visit_parameters(net, [&](const Name&, auto& p) {
        body(*owner, p,
             values.data() +
                 std::exchange(at[static_cast<std::size_t>(*owner)], at[static_cast<std::size_t>(*owner)] + p.size()));
        ++owner;
      });
    };
    for_places([&](Index owner, const auto& p, S* place) {
      if (owner == ranks_.rank()) std::copy_n(p.value.data(), p.size(), place);
    });
    detail::share_blocks(ranks_, values.data(), begins_);
    for_places([&](Index owner, auto& p, const S* place) {
      if (owner != ranks_.rank()) std::copy_n(place, p.size(), p.value.data());
    });
    return std::all_of(finite.begin(), finite.end(), [](std::int32_t rank) { return rank != 0; });
  }
  std::int64_t steps() const { return optimizer_.steps(); }

  /// That of this rank: for its options.
  O& optimizer() { return optimizer_; }
  const O& optimizer() const { return optimizer_; }

  /// Gives all ranks the whole state, in `whole`, an optimizer for the whole net: what a checkpoint holds, on any
  /// number of ranks. To be called by all.
  void gather(O& whole) const {
    std::map<std::string, std::span<const std::byte>> own;
    detail::for_state(optimizer_, Name{},
                      [&](const Name& name, auto state) { own[name.str()] = std::as_bytes(state); });
    std::size_t count = 0;
    detail::for_state(whole, Name{}, [&](const Name&, auto) { ++count; });
    const auto size = static_cast<std::size_t>(ranks_.size()), rank = static_cast<std::size_t>(ranks_.rank());
    std::vector<std::uint8_t> all(count * size);  // what each rank has of the whole
    std::size_t next = rank * count;
    detail::for_state(whole, Name{}, [&](const Name& name, auto) { all[next++] = own.contains(name.str()) ? 1 : 0; });
    detail::all_gather(ranks_, all.data(), static_cast<Index>(count));
    std::size_t i = 0;
    detail::for_state(whole, Name{}, [&](const Name& name, auto state) {
      Index owner = 0;
      while (owner < ranks_.size() && all[static_cast<std::size_t>(owner) * count + i] == 0) ++owner;
      ++i;
      const auto to = std::as_writable_bytes(state);
      check_state(owner < ranks_.size() && (owner != ranks_.rank() || own[name.str()].size() == to.size()), name);
      if (owner == ranks_.rank()) std::copy_n(own[name.str()].data(), to.size(), to.data());
      std::vector<Index> begins(size + 1, 0);
      std::fill(begins.begin() + owner + 1, begins.end(), static_cast<Index>(to.size()));
      detail::share_blocks(ranks_, to.data(), begins);
    });
  }
  /// Goes on from the whole state, as a checkpoint holds it.
  void take(const O& whole) {
    std::map<std::string, std::span<const std::byte>> from;
    detail::for_state(whole, Name{}, [&](const Name& name, auto state) { from[name.str()] = std::as_bytes(state); });
    detail::for_state(optimizer_, Name{}, [&](const Name& name, auto state) {
      const auto there = from.find(name.str());
      check_state(there != from.end() && there->second.size() == state.size_bytes(), name);
    });
    detail::for_state(optimizer_, Name{}, [&](const Name& name, auto state) {
      const auto bytes = from[name.str()];
      std::copy(bytes.begin(), bytes.end(), std::as_writable_bytes(state).begin());
    });
  }

  /// The part of this rank.
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    O::visit(self.optimizer_, scope, visitor);
  }

 private:
  static void check_state(bool ok, const Name& name) {
    if (!ok)
      detail::throw_argument("ShardedOptimizer", "whole", "an optimizer of the whole net that this was made for",
                             {"one whose ", name.str(), " is missing or of another size"});
  }
  template <class Net>
  void check_net(const Net& net) const {
    std::vector<Index> sizes;
    visit_parameters(net, [&](const Name&, const auto& p) { sizes.push_back(p.size()); });
    detail::check_that(sizes == sizes_, "ShardedOptimizer::step", "net", "the one that this was made for", "another");
  }

  /// The largest parameter first, each to the rank that has least until then.
  template <class Net>
  std::vector<Index> divide(const Net& net, const Communicator& ranks) {
    detail::check_ranks("ShardedOptimizer", ranks);
    visit_parameters(net, [&](const Name&, const auto& p) { sizes_.push_back(p.size()); });
    std::vector<std::size_t> order(sizes_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes_[a] > sizes_[b]; });
    std::vector<Index> owners(sizes_.size()), load(static_cast<std::size_t>(ranks.size()));
    for (const std::size_t i : order) {
      const auto least = std::min_element(load.begin(), load.end());
      owners[i] = least - load.begin();
      *least += sizes_[i];
    }
    begins_.push_back(0);
    for (const Index numbers : load) begins_.push_back(begins_.back() + numbers);
    return owners;
  }

  Communicator& ranks_;
  std::vector<Index> sizes_, begins_;  // of the parameters in the order of the visit; of the ranks' parts of all values
  std::vector<Index> owners_;          // of the parameters
  O optimizer_;
};

template <class Net, class Make>
ShardedOptimizer(Net&, Communicator&, Make&&) -> ShardedOptimizer<std::invoke_result_t<Make, OwnParameters<Net>>>;

}  // namespace minrnn
