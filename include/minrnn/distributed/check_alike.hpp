// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "minrnn/core/types.hpp"
#include "minrnn/distributed/collectives.hpp"
#include "minrnn/distributed/communicator.hpp"
#include "minrnn/distributed/digest.hpp"
#include "minrnn/version.hpp"

namespace minrnn {

/// Something that must be the same on all ranks, such as a setting, or a hash of the data.
struct SharedSetting {
  std::string name, value;
};

/// Compares digests of settings, and of the version of this library, with those of rank 0. To be called by all ranks,
/// before the first step of what they compute together.
/// Throws  SharedError, which names the first rank that differs and in what;
///         std::invalid_argument where the number of ranks is no power of two
inline void check_alike(Communicator& ranks, std::vector<SharedSetting> settings) {
  const Index size = ranks.size(), own = ranks.rank();
  settings.insert(settings.begin(), {"the version of minrnn", MINRNN_VERSION_STRING});
  std::string names;
  for (const SharedSetting& setting : settings) names += setting.name + '\n';
  settings.insert(settings.begin(), {"what there is to compare", names});
  const auto compare = [&](std::size_t first, std::size_t last) {
    const Index count = static_cast<Index>(last - first);
    std::vector<std::uint64_t> digests(static_cast<std::size_t>(size * count));
    for (std::size_t i = first; i < last; ++i)
      digests[static_cast<std::size_t>(own * count) + i - first] =
          detail::digest_of(settings[i].value.data(), static_cast<Index>(settings[i].value.size()));
    detail::all_gather(ranks, digests.data(), count);
    for (std::size_t i = 0; i < digests.size(); ++i)
      if (digests[i] != digests[i % static_cast<std::size_t>(count)])
        throw SharedError("rank " + std::to_string(i / static_cast<std::size_t>(count)) + " differs from rank 0 in " +
                          settings[first + i % static_cast<std::size_t>(count)].name);
  };
  compare(0, 1);  // alone, as it says how many digests come after it
  compare(1, settings.size());
}

}  // namespace minrnn
