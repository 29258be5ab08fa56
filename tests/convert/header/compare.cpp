// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// What firmware does with the header that convert has written of a checkpoint: the same bits as the layers.
#include <cstdio>

#include "answers.hpp"
#include "convert/header/models.hpp"
#include "every.hpp"
#include "every_double.hpp"
#include "every_double_bf16.hpp"
#include "every_int8.hpp"
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/core/types.hpp"
#include "pedal.hpp"
#include "pedal_bf16.hpp"
#include "pedal_int8.hpp"

namespace {

using namespace minrnn;

template <class Cell>
using OfInt8 = QuantisedCell<Cell, WeightFormat::int8>;
template <class Cell>
using OfBf16 = QuantisedCell<Cell, WeightFormat::bf16>;

constexpr CellView<headers::Pedal> model(pedal::Weights{});
constexpr CellView<OfInt8<headers::Pedal>> int8_model(pedal_int8::Weights{});
constexpr CellView<OfBf16<headers::Pedal>> bf16_model(pedal_bf16::Weights{});
// That these compile says that the weights are those of the cells.
[[maybe_unused]] constexpr CellView<headers::EveryCell<float>> every_cell(every::Weights{});
[[maybe_unused]] constexpr CellView<headers::EveryCell<double>> every_cell_of_doubles(every_double::Weights{});
[[maybe_unused]] constexpr CellView<OfInt8<headers::EveryCell<float>>> every_int8_cell(every_int8::Weights{});
[[maybe_unused]] constexpr CellView<OfBf16<headers::EveryCell<double>>> every_bf16_cell(every_double_bf16::Weights{});

static_assert(pedal::Weights::kSampleRate == 48000);

/// Steps through the frames; whether the answers are these.
template <class Header, class Model>
bool answers(const Header&, const char* name, const Model& cells, const float* wanted) {
  auto state = cells.initial_state();
  for (Index t = 0; t < headers::kFrames; ++t) {
    const float y = Header::kOutputScale * cells.step(Header::kInputScale * headers::input(t), state);
    if (y != wanted[t]) {
      std::printf("%s, step %d: wanted %.9g, given %.9g\n", name, static_cast<int>(t), static_cast<double>(wanted[t]),
                  static_cast<double>(y));
      return false;
    }
  }
  return true;
}

}  // namespace

int main() {
  return answers(pedal::Weights{}, "float", model, kAnswers) &&
                 answers(pedal_int8::Weights{}, "int8", int8_model, kAnswersOfInt8) &&
                 answers(pedal_bf16::Weights{}, "bf16", bf16_model, kAnswersOfBf16)
             ? 0
             : 1;
}
