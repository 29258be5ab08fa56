// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// What a program on a bare Cortex-M needs to be heard: semihosting, by which a debugger or an emulator lends it a
/// console, and the timer of the processor.
namespace minrnn::cortex {

/// An operation of semihosting.
/// Source  Arm, "Semihosting for AArch32 and AArch64"
inline std::intptr_t ask_host(int operation, const void* argument) {
  register std::intptr_t r0 __asm__("r0") = operation;
  register const void* r1 __asm__("r1") = argument;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

inline void print(const char* text) { ask_host(0x04, text); }

inline void print(std::uint32_t number) {
  char digits[11] = {};
  char* first = digits + 10;
  do *--first = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0);
  print(first);
}

/// Ends the program and the emulator.
[[noreturn]] inline void exit_with(int status) {
  const std::intptr_t reason[2] = {0x20026, status};  // ADP_Stopped_ApplicationExit
  ask_host(0x20, reason);
  for (;;) {
  }
}

/// SysTick, which counts the ticks of the processor's clock downwards, from 2^24 - 1 on.
class Ticks {
 public:
  Ticks() {
    reload() = kMost;
    value() = 0;    // any write clears it
    control() = 5;  // runs, from the processor's clock, without an interrupt
    while (value() == 0) {
    }
    begin_ = value();
  }
  /// Since this was made; fewer than 2^24.
  std::uint32_t passed() const { return (begin_ - value()) & kMost; }

 private:
  static constexpr std::uint32_t kMost = 0xffffff;
  static volatile std::uint32_t& word(std::uintptr_t address) {
    return *reinterpret_cast<volatile std::uint32_t*>(address);
  }
  static volatile std::uint32_t& control() { return word(0xe000e010); }
  static volatile std::uint32_t& reload() { return word(0xe000e014); }
  static volatile std::uint32_t& value() { return word(0xe000e018); }

  std::uint32_t begin_;
};

}  // namespace minrnn::cortex
