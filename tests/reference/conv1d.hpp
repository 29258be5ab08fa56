// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "reference/given.hpp"

namespace minrnn::reference {

/// y_t = b + sum_{j = 0 .. K-1} w_{K-1-j} x_{t-j}, feature by feature; nothing is seen across a start. The state is the
/// last K - 1 frames one below the other, oldest first, of which those before a start are zero.
inline Found conv1d(const Given& given) {
  Found found(given);
  const Matrix<double>& w = given["w"];
  const Index features = w.rows(), kernel = w.cols(), earlier = kernel - 1, time = given.time();
  Matrix<double> frames(features, earlier + time), dframes = Matrix<double>::Zero(features, earlier + time);
  frames << given.state.at("tail").reshaped(features, earlier), given.x;
  Index oldest = 0;  // the first of the frames that is seen
  for (Index t = 0; t < time; ++t) {
    if (given.start(t)) oldest = earlier + t;
    found.y.col(t) = given["b"];
    found.d("b") += given.dy.col(t);
    for (Index j = 0; j < kernel && earlier + t - j >= oldest; ++j) {
      found.y.col(t) += w.col(earlier - j).cwiseProduct(frames.col(earlier + t - j));
      found.d("w").col(earlier - j) += given.dy.col(t).cwiseProduct(frames.col(earlier + t - j));
      dframes.col(earlier + t - j) += given.dy.col(t).cwiseProduct(w.col(earlier - j));
    }
  }
  const Matrix<double> dlast = given.dlast.at("tail").reshaped(features, earlier);
  for (Index i = 0; i < earlier; ++i)
    if (time + i < oldest)
      frames.col(time + i).setZero();
    else
      dframes.col(time + i) += dlast.col(i);
  found.state["tail"] = frames.rightCols(earlier).reshaped();
  found.dstate["tail"] = dframes.leftCols(earlier).reshaped();
  found.dx = dframes.rightCols(time);
  return found;
}

}  // namespace minrnn::reference
