// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "minrnn/distributed/digest.hpp"

namespace minrnn::detail {

/// The gradient of one parameter among those of a net.
template <class S>
struct GradientPart {
  const void* parameter;
  S* values;
  Index size, first;  // how many numbers, and where they begin among those of all parameters in the order of the visit
};

/// The part of a parameter, of a list of parts and its order by address; -1: none.
template <class S>
Index find_part(const std::vector<std::pair<const void*, Index>>& by_address, const std::vector<GradientPart<S>>& parts,
                const void* parameter) {
  const auto place = std::lower_bound(by_address.begin(), by_address.end(), std::pair(parameter, Index{0}));
  if (place == by_address.end() || place->first != parameter) return -1;
  return parts[static_cast<std::size_t>(place->second)].size > 0 ? place->second : -1;
}

/// Some gradients that are sent together: places [first, last) in the order of a plan, and how many numbers they are,
/// from `begin` on among all in this order.
struct Bucket {
  Index first, last, begin, size;
};

/// In which order gradients are finished, and which go together.
struct BucketPlan {
  std::vector<Index> order;      // parts
  std::vector<Index> reports;    // of each part: how often a backward comes through it; 0: it is finished at the end
  std::vector<Index> bucket_of;  // of each part
  std::vector<Bucket> buckets;
};

/// Learns from a first backward when each gradient is finished: with the last report of it, unless it has changed
/// since. So weights that are used twice, and layers that tell of nothing, are sent later and not wrongly.
template <class S>
class PlanRecorder final : public GradientListener {
 public:
  PlanRecorder(const std::vector<GradientPart<S>>& parts, const std::vector<std::pair<const void*, Index>>& by_address)
      : parts_(parts), by_address_(by_address), seen_(parts.size()) {}

  void finished(const void* parameter) override {
    const Index part = find_part(by_address_, parts_, parameter);
    if (part < 0) return;
    Seen& seen = seen_[static_cast<std::size_t>(part)];
    seen.last = ++clock_;
    ++seen.reports;
    seen.digest = digest(part);
  }

  /// What follows from it, on all ranks the same: the order of rank 0, and at the end what on any rank has changed
  /// after its last report, or was not reported. Buckets have about so many numbers, and at least one part.
  BucketPlan plan(Communicator& ranks, Index bucket_size) const {
    const Index count = static_cast<Index>(parts_.size());
    struct Report {
      std::int64_t last, is_late;
    };
    std::vector<Report> said(static_cast<std::size_t>(count * ranks.size()));
    for (Index part = 0; part < count; ++part) {
      const Seen& seen = seen_[static_cast<std::size_t>(part)];
      const bool is_late = seen.reports == 0 || seen.digest != digest(part);
      said[static_cast<std::size_t>(ranks.rank() * count + part)] = {seen.last, is_late ? 1 : 0};
    }
    all_gather(ranks, said.data(), count);
    BucketPlan plan;
    std::vector<std::int64_t> when;
    for (Index part = 0; part < count; ++part) {
      bool is_late = false;
      for (Index rank = 0; rank < ranks.size(); ++rank)
        is_late |= said[static_cast<std::size_t>(rank * count + part)].is_late != 0;
      const std::size_t i = static_cast<std::size_t>(part);
      when.push_back(is_late ? (std::numeric_limits<std::int64_t>::max)() : said[i].last);
      plan.reports.push_back(is_late ? 0 : seen_[i].reports);
    }
    plan.order.resize(parts_.size());
    std::iota(plan.order.begin(), plan.order.end(), Index{0});
    std::stable_sort(plan.order.begin(), plan.order.end(), [&](Index a, Index b) {
      return when[static_cast<std::size_t>(a)] < when[static_cast<std::size_t>(b)];
    });
    cut(plan, bucket_size);
    return plan;
  }

 private:
  struct Seen {
    std::int64_t last = 0;
    Index reports = 0;
    std::uint64_t digest = 0;
  };

  void cut(BucketPlan& plan, Index bucket_size) const {
    plan.bucket_of.resize(parts_.size());
    Index begin = 0;
    for (Index place = 0; place < static_cast<Index>(plan.order.size()); ++place) {
      const std::size_t part = static_cast<std::size_t>(plan.order[static_cast<std::size_t>(place)]);
      if (plan.buckets.empty() || plan.buckets.back().size >= bucket_size)
        plan.buckets.push_back({place, place, begin, 0});
      Bucket& bucket = plan.buckets.back();
      bucket.last = place + 1;
      bucket.size += parts_[part].size;
      begin += parts_[part].size;
      plan.bucket_of[part] = static_cast<Index>(plan.buckets.size()) - 1;
    }
  }
  std::uint64_t digest(Index part) const {
    const GradientPart<S>& of = parts_[static_cast<std::size_t>(part)];
    return digest_of(of.values, of.size);
  }

  const std::vector<GradientPart<S>>& parts_;
  const std::vector<std::pair<const void*, Index>>& by_address_;
  std::vector<Seen> seen_;
  std::int64_t clock_ = 0;
};

}  // namespace minrnn::detail
