// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>

namespace minrnn::tests {

/// The exit status of a script below tests/io, or -1. 77: there is no such Python, or it has no torch.
inline int run_python([[maybe_unused]] const std::string& script, [[maybe_unused]] const std::string& command,
                      [[maybe_unused]] const std::string& path) {
#ifdef _WIN32
  return 77;  // its shell says otherwise how a program ended, or that there is none
#else
  // Without -B Python would put what it compiles beside the sources.
  const std::string line = std::string(MINRNN_TEST_PYTHON) + " -B \"" MINRNN_TEST_DATA_DIR "/../io/" + script + "\" " +
                           command + " \"" + path + "\"";
  const int status = std::system(line.c_str());
  if (status < 0 || status % 256 != 0) return -1;
  return status / 256 == 127 ? 77 : status / 256;
#endif
}

}  // namespace minrnn::tests
