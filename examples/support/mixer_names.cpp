// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/mixer_names.hpp"

#include <string>
#include <vector>

#include "support/mixers.hpp"

namespace tool {

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  visit_mixers({}, [&](const char* name, const auto&) {
    names.push_back(name);
    return false;
  });
  return names;
}

}  // namespace tool
