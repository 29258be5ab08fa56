// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/conv1d_cell.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/dropout_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/mlp_cell.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"

/// The models that the host writes weights and answers of, and that the target steps through.
namespace minrnn::cortex {

inline constexpr Index kFrames = 500;

/// What an effect for an electric guitar is made of: a number in, a number out.
using Amplifier = CellChain<MinGruCell<float, 1, 16>, MinGruCell<float, 16, 16>, LinearCell<float, 16, 1>>;

/// The same with its matrices in 8 bits.
using NarrowAmplifier = QuantisedCell<Amplifier, WeightFormat::int8>;

/// Every kind of cell.
using EveryCell =
    CellChain<LinearCell<float, 2, 6>,
              ResidualCell<CellChain<RmsNormCell<float, 6>, Conv1dCell<float, 6, 4>, MinGruCell<float, 6, 12>,
                                     LinearCell<float, 12, 6>, DropoutCell<float, 6>>>,
              ResidualCell<MlpCell<float, 6, 11>>, GatedMlpCell<float, 6, 4>, MinLstmCell<float, 6, 5>,
              SignedMinGruCell<float, 5, 6>, SignedMinLstmCell<float, 6, 5>, RgLruCell<float, 5, 6>,
              DiagonalGruCell<float, 6, 5>, DiagonalLstmCell<float, 5, 7>, GruCell<float, 7, 6>, LstmCell<float, 6, 3>>;

}  // namespace minrnn::cortex
