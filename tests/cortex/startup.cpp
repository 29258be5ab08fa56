// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// What stands before main on a bare Cortex-M: the table of vectors, memory as C++ wants it, the floating-point unit.
#include <algorithm>
#include <cstdint>

#include "cortex/machine.hpp"

int main();

extern "C" {
// Addresses that memory.ld gives names to.
extern std::uint32_t stack_top[], data_begin[], data_end[], data_stored[], bss_begin[], bss_end[];
using Constructor = void (*)();
extern Constructor constructors_begin[], constructors_end[];

[[noreturn]] void reset() {
  *reinterpret_cast<volatile std::uint32_t*>(0xe000ed88) |= 0xfu << 20;  // CPACR: full access to the FPU
  __asm__ volatile("dsb\n isb" ::: "memory");
  std::copy(data_stored, data_stored + (data_end - data_begin), data_begin);
  std::fill(bss_begin, bss_end, 0u);
  std::for_each(constructors_begin, constructors_end, [](Constructor constructor) { constructor(); });
  minrnn::cortex::exit_with(main());
}

[[noreturn]] void fault() {
  minrnn::cortex::print("a fault of the processor\n");
  minrnn::cortex::exit_with(3);
}
}

namespace {

struct Vectors {
  const void* stack;
  void (*handlers[15])();
};
__attribute__((section(".vectors"), used)) const Vectors kVectors = {
    stack_top,
    {reset, fault, fault, fault, fault, fault, fault, nullptr, nullptr, nullptr, fault, fault, nullptr, fault, fault}};

}  // namespace
