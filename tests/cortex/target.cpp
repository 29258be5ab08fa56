// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Runs on the target: steps through the models with their weights in read-only memory, compares what the host has
// answered and counts what a step takes.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "amplifier.hpp"
#include "cortex/machine.hpp"
#include "cortex/models.hpp"
#include "every_cell.hpp"
#include "narrow_amplifier.hpp"
#include "minrnn/cells/cell_view.hpp"

namespace minrnn::cortex {
namespace {

/// Of 1e9 / CLOCK_HZ instructions each: the emulator is asked for one instruction in a nanosecond.
constexpr double kInstructionsInATick = 1e9 / CLOCK_HZ;

constexpr CellView<Amplifier> kAmplifier(amplifier::Weights{});
constexpr CellView<NarrowAmplifier> kNarrowAmplifier(narrow_amplifier::Weights{});
constexpr CellView<EveryCell> kEveryCell(every_cell::Weights{});
Amplifier::State amplifier_state, narrow_amplifier_state;
EveryCell::State every_cell_state;

/// Prints the largest difference from the answers and the instructions of a step; whether the answers are right.
template <class Model, class State>
bool walk(const char* name, const Model& model, State& state, const float* inputs, const float* answers,
          float most = 1e-6f) {
  static float y[kFrames * Model::output_size()];
  state = model.initial_state();
  const Ticks ticks;
  model.process(inputs, y, kFrames, state);
  const std::uint32_t passed = ticks.passed();
  float largest = 0;
  bool right = true;
  for (Index i = 0; i < kFrames * Model::output_size(); ++i) {
    const float difference = std::abs(y[i] - answers[i]);
    largest = std::max(largest, difference);  // NaN is never the larger
    right = right && difference <= most;
  }
  print(name);
  print(": largest difference ");
  print(right ? static_cast<std::uint32_t>(largest * 1e9f) : 1000000000u);
  print("e-9, instructions of a step ");
  print(static_cast<std::uint32_t>(passed * kInstructionsInATick / kFrames + 0.5));
  print(", weights ");
  print(static_cast<std::uint32_t>(Model::weights_bytes()));
  print(" bytes, state ");
  print(static_cast<std::uint32_t>(sizeof(State)));
  print(" bytes\n");
  return right;
}

}  // namespace
}  // namespace minrnn::cortex

int main() {
  using namespace minrnn::cortex;
  const bool amplifier_is_right =
      walk("amplifier", kAmplifier, amplifier_state, amplifier::kInputs, amplifier::kAnswers);
  // Where an exponential is rounded otherwise, a number of a frame may become the next integer, 2^-14 of the largest
  // away.
  const bool narrow_amplifier_is_right = walk("amplifier of 8 bits", kNarrowAmplifier, narrow_amplifier_state,
                                              narrow_amplifier::kInputs, narrow_amplifier::kAnswers, 0x1p-13f);
  const bool every_cell_is_right =
      walk("every cell", kEveryCell, every_cell_state, every_cell::kInputs, every_cell::kAnswers);
  return amplifier_is_right && narrow_amplifier_is_right && every_cell_is_right ? 0 : 1;
}
