// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <new>

#include "support/console.hpp"
#include "support/errors.hpp"

namespace tool {

/// What main does: gives the exit status that `run` gives, or, where that throws, what fail_with(reason, status) gives,
/// with the status that belongs to it. `no_memory` is the reason where memory does not suffice.
template <class Run, class Fail = decltype(fail)>
int run_program(const Run& run, const Fail& fail_with = fail,
                const char* no_memory = "not enough memory: wanted smaller sizes") {
  reserve_standard_streams();
  try {
    return run();
  } catch (const Diverged& error) {
    return fail_with(error.what(), 1);
  } catch (const OutputError& error) {
    return fail_with(error.what(), 1);
  } catch (const std::bad_alloc&) {
    return fail_with(no_memory, 2);
  } catch (const std::exception& error) {  // of the command line, the input, or a file
    return fail_with(error.what(), 2);
  }
}

}  // namespace tool
