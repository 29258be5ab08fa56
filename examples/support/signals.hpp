// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace tool {

/// Whether the program has been asked to end.
extern volatile std::sig_atomic_t interrupted;

/// From here on the signals that ask a program to end set `interrupted`; a second one ends it at once. One that is
/// ignored stays so, as in a background job or under nohup. A reader of standard output that has gone is an error of
/// writing, after which all can be saved.
void take_signals();

}  // namespace tool
