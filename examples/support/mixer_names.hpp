// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

namespace tool {

/// The names of the list of mixers, for those that need no layer.
std::vector<std::string> mixer_names();

}  // namespace tool
