// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include "minrnn/cells/activation_cell.hpp"
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
#include "minrnn/cells/residual_cell.hpp"
#include "minrnn/cells/prelu_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/cells/rms_norm_cell.hpp"
#include "minrnn/cells/unfold_cell.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/math/activation_function.hpp"

namespace minrnn::headers {

inline constexpr Index kFrames = 300;
inline float input(Index t) { return static_cast<float>(t % 17) / 8 - 1 + static_cast<float>(t % 5) / 3; }

using Pedal = CellChain<DiagonalGruCell<float, 1, 8>, DiagonalGruCell<float, 8, 8>, LinearCell<float, 8, 1>>;

template <class S>
using EveryMinimalCell =
    CellChain<MinGruCell<S, 6, 5, Candidate::plain>, SignedMinGruCell<S, 5, 4>, MinLstmCell<S, 4, 3>,
              MinLstmCell<S, 3, 5, GateScaling::normalised, Candidate::plain>, SignedMinLstmCell<S, 5, 17>,
              MinLstmCell<S, 17, 2, GateScaling::unnormalised>,
              MinLstmCell<S, 2, 3, GateScaling::unnormalised, Candidate::plain>,
              MinLstmCell<S, 3, 5, GateScaling::unnormalised, Candidate::plain, Decay::flip>>;

template <class S>
using EveryActivationCell =
    CellChain<ActivationCell<S, 3, ActivationFunction::tanh>, ActivationCell<S, 3, ActivationFunction::sigmoid>,
              ActivationCell<S, 3, ActivationFunction::relu>, ActivationCell<S, 3, ActivationFunction::elu>,
              ActivationCell<S, 3, ActivationFunction::gelu>, ActivationCell<S, 3, ActivationFunction::exact_gelu>,
              ActivationCell<S, 3, ActivationFunction::silu>, ActivationCell<S, 3, ActivationFunction::softmax>>;

template <class S>
using EveryCell = CellChain<LinearCell<S, 2, 6>,
                            ResidualCell<CellChain<RmsNormCell<S, 6>, Conv1dCell<S, 6, 4>, Conv1dCell<S, 6, 2, 7>,
                                                   MinGruCell<S, 6, 12>, LinearCell<S, 12, 6>, DropoutCell<S, 6>>>,
                            CellChain<ResidualCell<MlpCell<S, 6, 11>>, GatedMlpCell<S, 6, 4>,
                                      MlpCell<S, 6, 3, GeluForm::exact>, GatedMlpCell<S, 6, 5, GeluForm::exact>>,
                            EveryMinimalCell<S>, RgLruCell<S, 5, 6>, DiagonalGruCell<S, 6, 5>,
                            DiagonalLstmCell<S, 5, 7>, GruCell<S, 7, 6>, LstmCell<S, 6, 3>, EveryActivationCell<S>,
                            UnfoldCell<S, 3, 2>, UnfoldCell<S, 6, 2, 3>, PreluCell<S, 12>>;

}  // namespace minrnn::headers
