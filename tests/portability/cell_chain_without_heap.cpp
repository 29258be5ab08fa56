// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// A chain of cells in a program without a heap, exceptions and type information, with weights in read-only memory:
// compiled with EIGEN_NO_MALLOC, -fno-exceptions and -fno-rtti.
#include <cmath>
#include <cstdint>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/cells/residual_cell.hpp"

#ifdef __cpp_exceptions
#error "this test is about a program without exceptions"
#endif

namespace {

// As write_weights_header would write them; each cell begins at a multiple of 16.
struct Weights {
  static constexpr char kCells[] = "(Linear(1, 2), Residual MinGru(2, 2), Linear(2, 1))";
  alignas(64) static constexpr float kValues[80] = {
      1,      2,      0.5f,   -0.5f,  0,    0,    0,     0,     0, 0, 0, 0, 0, 0, 0, 0,  // W = (1, 2), b = (0.5, -0.5)
      0.5f,   0.5f,   0.25f,  0.25f,  0.5f, 0.5f, 0.25f, 0.25f,                          // W: columns of z and h
      -0.25f, -0.25f, -0.25f, -0.25f, 1,    2,    0,     0,                              // b; h_0 = (1, 2)
      1,      -1,     0.125f};                                                           // W = (1, -1), b = 0.125
};

using Model = minrnn::CellChain<minrnn::LinearCell<float, 1, 2>, minrnn::ResidualCell<minrnn::MinGruCell<float, 2, 2>>,
                                minrnn::LinearCell<float, 2, 1>>;
constexpr minrnn::CellView<Model> kModel(Weights{});
static_assert(sizeof(kModel) == sizeof(void*));

// Of few bits. W = (1, -1): 127 and -127 times 1 / 127, or the upper halves of two floats; b = 0.125.
struct Int8Weights {
  static constexpr char kCells[] = "int8 Linear(2, 1)";
  static constexpr std::int8_t kElements[34] = {127, -127};
  static constexpr float kNumbers[34] = {1.0f / 127, 0.125f};
};
struct Bf16Weights {
  static constexpr char kCells[] = "bf16 Linear(2, 1)";
  static constexpr std::uint16_t kElements[34] = {0x3f80, 0xbf80};
  static constexpr float kNumbers[33] = {0.125f};
};
using Linear = minrnn::LinearCell<float, 2, 1>;
constexpr minrnn::CellView<minrnn::QuantisedCell<Linear, minrnn::WeightFormat::int8>> kInt8(Int8Weights{});
constexpr minrnn::CellView<minrnn::QuantisedCell<Linear, minrnn::WeightFormat::bf16>> kBf16(Bf16Weights{});
static_assert(sizeof(kInt8) == 2 * sizeof(void*));

/// (1, -1) (1, 0.25) + 0.125
template <class Model>
bool gives_seven_eighths(const Model& model) {
  typename Model::State state = model.initial_state();
  typename Model::Output y;
  model.step(typename Model::Input(1, 0.25f), state, y);
  return std::abs(y[0] - 0.875f) < 1e-6f;
}

}  // namespace

int main() {
  if (!gives_seven_eighths(kInt8) || !gives_seven_eighths(kBf16)) return 1;
  Model::State state = kModel.initial_state();
  const float x[2] = {1, 1};
  float y[2];
  kModel.process(x, y, 2, state);
  // u = (1.5, 1.5);  k_z = 0.5 (1.5 + 1.5) - 0.25;  z = sigmoid(k_z),  h = (1 - z) h + z h~
  const float z = 1 / (1 + std::exp(-1.25f));
  float difference = 1 - 2;  // of the two channels of h, whose gates are the same
  for (const float y_t : y) {
    difference *= 1 - z;
    if (!(std::abs(y_t - (difference + 0.125f)) < 1e-6f)) return 1;
  }
  return 0;
}
