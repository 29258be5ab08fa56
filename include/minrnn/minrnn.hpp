// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

// IWYU pragma: begin_exports
#include "minrnn/version.hpp"

#include "minrnn/core/types.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/core/memory.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/tensor.hpp"
#include "minrnn/core/output.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/cache.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/kernels/tiling.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/gradient_sums.hpp"

#include "minrnn/math/activation.hpp"
#include "minrnn/math/log_space.hpp"
#include "minrnn/math/scaled.hpp"

#include "minrnn/scan/operators.hpp"
#include "minrnn/scan/linear_scan.hpp"
#include "minrnn/scan/log_scan.hpp"
#include "minrnn/scan/selective_scan.hpp"

#include "minrnn/layers/frame_wise.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/embedding.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/minimal_options.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/compose/recompute.hpp"
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/highway.hpp"

#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"

#include "minrnn/loss/mean_loss.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/loss/mean_square.hpp"

#include "minrnn/optim/optimizer.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "minrnn/optim/schedule.hpp"

#include "minrnn/models/token_model.hpp"
#include "minrnn/models/language_model.hpp"

#include "minrnn/testing/gradient_check.hpp"
// IWYU pragma: end_exports
