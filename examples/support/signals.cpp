// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/signals.hpp"

#include <initializer_list>

namespace tool {

volatile std::sig_atomic_t interrupted = 0;

namespace {
void interrupt(int signal_number) {
  interrupted = 1;
  std::signal(signal_number, SIG_DFL);
}
}  // namespace

void take_signals() {
  for (const int number : {SIGINT, SIGTERM
#ifdef SIGHUP
                           ,
                           SIGHUP
#endif
#ifdef SIGBREAK  // Ctrl-Break of Windows
                           ,
                           SIGBREAK
#endif
       })
    if (std::signal(number, interrupt) == SIG_IGN) std::signal(number, SIG_IGN);
#ifdef SIGPIPE
  std::signal(SIGPIPE, SIG_IGN);
#endif
}

}  // namespace tool
