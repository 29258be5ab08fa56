// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// The parameters of the minimal layers beside those of GRU and LSTM, counted from the layers themselves. Prints CSV.

#include <cstdio>

#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"

namespace {

using namespace minrnn;

/// Those of the weights, as the paper counts, and all, with the biases.
template <class L>
std::pair<Index, Index> counts(Index inputs, Index features) {
  Index weights = 0;
  const L layer(inputs, features, Random(1).stream(0));
  visit_parameters(layer, [&](const Name&, const auto& p) { weights += p.rank == 2 ? p.size() : 0; });
  return {weights, parameter_count(layer)};
}

template <class Minimal, class Classic>
void print(const char* pair, Index inputs, Index alpha) {
  const auto [weights, all] = counts<Minimal>(inputs, alpha * inputs);
  const auto [classic_weights, classic_all] = counts<Classic>(inputs, alpha * inputs);
  std::printf("%s,%td,%td,%td,%.4f,%td,%td,%.4f\n", pair, alpha, weights, classic_weights,
              static_cast<double>(weights) / static_cast<double>(classic_weights), all, classic_all,
              static_cast<double>(all) / static_cast<double>(classic_all));
}

}  // namespace

int main() {
  constexpr Index kInputs = 256;
  std::printf("layers,alpha,weights,classic_weights,ratio,parameters,classic_parameters,parameter_ratio\n");
  for (Index alpha = 1; alpha <= 4; ++alpha) print<MinGru<float>, Gru<float>>("minGRU/GRU", kInputs, alpha);
  for (Index alpha = 1; alpha <= 4; ++alpha) print<MinLstm<float>, Lstm<float>>("minLSTM/LSTM", kInputs, alpha);
}
