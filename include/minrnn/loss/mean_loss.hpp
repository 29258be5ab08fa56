// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

namespace minrnn {

/// A loss that is the mean of something over what counts. Those of several calls join: sum(loss weight) / sum(weight).
struct MeanLoss {
  double loss = 0;    // 0 where nothing counts
  Index count = 0;    // terms of the mean: targets of a cross-entropy, elements of a mean square
  double weight = 0;  // the sum of their weights; `count` where none are given
};

}  // namespace minrnn
