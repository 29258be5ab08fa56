// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

namespace minrnn {

struct MinimalOptions {
  /// Added to the bias of the forget gate at initialisation, so that training begins with a longer memory: the state
  /// keeps about sigmoid(forget_bias) of itself in a step. Taken from b_z in minGRU, whose forget gate is 1 - z, and
  /// also from b_i in the normalised minLSTM. The official minLSTM, unnormalised, uses 3.
  double forget_bias = 0;
  /// Learn the state before the first frame and after a start, one for all sequences: h_0 = g(parameter) where the
  /// candidate is positive, the parameter itself where it is plain. Otherwise that state is zero. A sequence whose
  /// state is that of `initial_state` bit for bit begins there: what reaches it in backward belongs to the parameter.
  bool learn_initial_state = false;
};

}  // namespace minrnn
