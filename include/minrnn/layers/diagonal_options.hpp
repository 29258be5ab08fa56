// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

namespace minrnn {

/// How DiagonalGru and DiagonalLstm begin.
///
/// A channel whose forget bias is b keeps about sigmoid(b) of its state in a step, so it remembers about 1 + exp(b)
/// frames. Where an answer comes after hundreds of frames, let the last bias be the logarithm of their number, and the
/// deviation smaller, as over so many frames a channel that expands has gradients beyond all range: of 784 pixels, 0 to
/// 6 and a deviation of 1.
struct DiagonalOptions {
  /// Of the first gate, which is 1 - z in DiagonalGru and f in DiagonalLstm: evenly from that of the first channel to
  /// that of the last. DiagonalLstm goes from 0 to -1 unless told otherwise, as the published code.
  double first_forget_bias = 0, last_forget_bias = 1;
  /// Of the diagonal weights, which are normal; 0.1 all the same where a gate sees c.
  double deviation = 2;
};

}  // namespace minrnn
