// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/given.hpp"

namespace minrnn::reference {

/// The tail behind the last frame, of which those before `oldest` are zero, and the gradients of all frames from those
/// by the outputs and that of the tail. `frames` are those of the first tail and of x.
inline void keep_tail(const Given& given, Index oldest, Matrix<double> frames, Matrix<double> dframes, Found& found) {
  const Index time = given.time(), earlier = frames.cols() - time;
  const Matrix<double> dlast = given.dlast.at("tail").reshaped(frames.rows(), earlier);
  for (Index i = 0; i < earlier; ++i)
    if (time + i < oldest)
      frames.col(time + i).setZero();
    else
      dframes.col(time + i) += dlast.col(i);
  found.state["tail"] = frames.rightCols(earlier).reshaped();
  found.dstate["tail"] = dframes.leftCols(earlier).reshaped();
  found.dx = dframes.rightCols(time);
}

/// y_t = b + sum_{j = 0 .. K-1} w_{K-1-j} x_{t-jD}, feature by feature; nothing is seen across a start. The state is
/// the last (K - 1) D frames one below the other, oldest first, of which those before a start are zero.
inline Found conv1d(const Given& given, Index dilation = 1) {
  Found found(given);
  const Matrix<double>& w = given["w"];
  const Index features = w.rows(), taps = w.cols(), earlier = (taps - 1) * dilation, time = given.time();
  Matrix<double> frames(features, earlier + time), dframes = Matrix<double>::Zero(features, earlier + time);
  frames << given.state.at("tail").reshaped(features, earlier), given.x;
  Index oldest = 0;  // the first of the frames that is seen
  for (Index t = 0; t < time; ++t) {
    if (given.start(t)) oldest = earlier + t;
    found.y.col(t) = given["b"];
    found.d("b") += given.dy.col(t);
    for (Index j = 0; j < taps && earlier + t - j * dilation >= oldest; ++j) {
      const Index tap = taps - 1 - j, at = earlier + t - j * dilation;
      found.y.col(t) += w.col(tap).cwiseProduct(frames.col(at));
      found.d("w").col(tap) += given.dy.col(t).cwiseProduct(frames.col(at));
      dframes.col(at) += given.dy.col(t).cwiseProduct(w.col(tap));
    }
  }
  keep_tail(given, oldest, frames, dframes, found);
  return found;
}

}  // namespace minrnn::reference
