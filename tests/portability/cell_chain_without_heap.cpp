// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// A chain of cells in a program without a heap, exceptions and type information, with weights in read-only memory:
// compiled with EIGEN_NO_MALLOC, -fno-exceptions and -fno-rtti.
#include <cmath>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/cell_view.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
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

}  // namespace

int main() {
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
