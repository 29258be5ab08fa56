// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

namespace minrnn::tests {

/// The derivative of loss() by a value that it depends on, (L(v + step) - L(v - step)) / (2 step).
template <class Loss>
double central_difference(double& value, double step, Loss&& loss) {
  const double kept = value;
  value = kept + step;
  const double above = loss();
  value = kept - step;
  const double below = loss();
  value = kept;
  return (above - below) / (2 * step);
}

}  // namespace minrnn::tests
