// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/conv1d.hpp"
#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = (x_{t-(K-1)D}, ..., x_{t-D}, x_t), where 0 stands for what lies before a start. The state is the last
/// (K - 1) D frames one below the other, oldest first, of which those before a start are zero.
inline Found unfold(const Given& given, Index dilation) {
  Found found(given);
  const Index features = given.x.rows(), taps = given.dy.rows() / features, time = given.time();
  const Index earlier = (taps - 1) * dilation;
  Matrix<double> frames(features, earlier + time), dframes = Matrix<double>::Zero(features, earlier + time);
  frames << given.state.at("tail").reshaped(features, earlier), given.x;
  found.y.setZero();
  Index oldest = 0;  // the first of the frames that is seen
  for (Index t = 0; t < time; ++t) {
    if (given.start(t)) oldest = earlier + t;
    for (Index k = 0; k < taps; ++k) {
      const Index at = t + k * dilation;
      if (at < oldest) continue;
      found.y.col(t).segment(k * features, features) = frames.col(at);
      dframes.col(at) += given.dy.col(t).segment(k * features, features);
    }
  }
  keep_tail(given, oldest, frames, dframes, found);
  return found;
}

}  // namespace minrnn::reference
