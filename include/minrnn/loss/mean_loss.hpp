// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/core/types.hpp"

namespace minrnn {

/// A loss that is the mean of something over what counts. Those of several calls join: sum(loss count) / sum(count).
struct MeanLoss {
  double loss = 0;  // 0 where nothing counts
  Index count = 0;  // terms of the mean: targets of a cross-entropy, elements of a mean square
};

}  // namespace minrnn
