// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// says: for SequenceView::tensor() include minrnn/core/tensor.hpp
#include "minrnn/core/sequence.hpp"
#ifndef MINRNN_WRONG
#include "minrnn/core/tensor.hpp"
#endif

int main() {
  float x[6] = {};
  const minrnn::SequenceView<float> view(x, 3, 2);
  view.tensor();
}
