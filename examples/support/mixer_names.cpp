// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/mixer_names.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "minrnn/io/printable.hpp"
#include "support/errors.hpp"
#include "support/mixer_list.hpp"
#include "support/mixers.hpp"

namespace tool {

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for (const ListedMixer& mixer : mixers()) names.push_back(mixer.name);
  return names;
}

const ListedMixer& mixer_of(std::string_view name) {
  const auto& list = mixers();
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const ListedMixer& mixer) { return mixer.name == name; });
  if (found != list.end()) return *found;
  std::string wanted;
  for (const ListedMixer& mixer : list) wanted += (wanted.empty() ? "" : ", ") + mixer.name;
  throw InputError("mixer \"" + minrnn::printable(name) + "\" is not known: wanted one of " + wanted);
}

}  // namespace tool
