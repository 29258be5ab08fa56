// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// What firmware does with the header that convert has written of a checkpoint: the same bits as the layers.
#include <cstdio>

#include "answers.hpp"
#include "convert/header/models.hpp"
#include "every.hpp"
#include "every_double.hpp"
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/core/types.hpp"
#include "pedal.hpp"

namespace {

using namespace minrnn;

constexpr CellView<headers::Pedal> model(pedal::Weights{});
// That these compile says that the weights are those of the cells.
[[maybe_unused]] constexpr CellView<headers::EveryCell<float>> every_cell(every::Weights{});
[[maybe_unused]] constexpr CellView<headers::EveryCell<double>> every_cell_of_doubles(every_double::Weights{});

static_assert(pedal::Weights::kSampleRate == 48000);

}  // namespace

int main() {
  auto state = model.initial_state();
  for (Index t = 0; t < headers::kFrames; ++t) {
    const float y = pedal::Weights::kOutputScale * model.step(pedal::Weights::kInputScale * kInputs[t], state);
    if (y != kAnswers[t]) {
      std::printf("step %d: wanted %.9g, given %.9g\n", static_cast<int>(t), static_cast<double>(kAnswers[t]),
                  static_cast<double>(y));
      return 1;
    }
  }
  return 0;
}
