// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// Latency of one streamed frame, batch 1: `step` of the layers, and the cells whose sizes are known at compile time.

#include <array>
#include <string>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "support/data.hpp"
#include "support/report.hpp"
#include "support/step_rows.hpp"

namespace minrnn::bench {
namespace {

template <class L>
void layer_step(benchmark::State& bench, const std::string& name, Index size) {
  Random random(1);
  const L layer(size, size, random.stream(0));
  Sequence<float> x(size, kFrames, 1);
  fill(x.view(), random);
  time_step(bench, name, size, layer, x);
}

template <class L, class Cell>
void cell_step(benchmark::State& bench, const std::string& name) {
  Random random(1);
  const Cell cell(L(Cell::input_size(), Cell::output_size(), random.stream(0)));
  std::array<typename Cell::Input, kFrames> x;
  for (auto& frame : x)
    for (Index i = 0; i < frame.size(); ++i) frame[i] = static_cast<float>(random.normal());
  typename Cell::Output h = Cell::Output::Zero(), c = h;
  std::size_t t = 0;
  measure(bench, name, Cell::output_size(), [&] {
    if constexpr (requires { cell.step(x[t], h, c); })
      cell.step(x[t], h, c);
    else
      cell.step(x[t], h);
    benchmark::DoNotOptimize(h.data());
    benchmark::ClobberMemory();
    t = (t + 1) % kFrames;
  });
}

/// A number in, a number out, as an effect for audio: two minGRU and a head.
template <Index hidden>
void chain_step(benchmark::State& bench, const std::string& name) {
  Random random(1);
  using Model =
      CellChain<MinGruCell<float, 1, hidden>, MinGruCell<float, hidden, hidden>, LinearCell<float, hidden, 1>>;
  const Model model{Sequential{MinGru<float>(1, hidden, random.stream(0)),
                               MinGru<float>(hidden, hidden, random.stream(1)),
                               Linear<float>(hidden, 1, random.stream(2))}};
  std::array<float, kFrames> x;
  for (float& sample : x) sample = static_cast<float>(random.normal());
  auto state = model.initial_state();
  std::size_t t = 0;
  measure(bench, name, hidden, [&] {
    benchmark::DoNotOptimize(model.step(x[t], state));
    benchmark::ClobberMemory();
    t = (t + 1) % kFrames;
  });
}

template <class L>
void add_layer(const std::string& name) {
  for (const Index size : {16, 32, 64, 128, 256})
    add(name, size, [=](benchmark::State& bench) { layer_step<L>(bench, name, size); });
}

template <class L, class Cell>
void add_cell(const std::string& name) {
  add(name, Cell::output_size(), [=](benchmark::State& bench) { cell_step<L, Cell>(bench, name); });
}

constexpr const char* kChain = "CellChain 1, d, d, 1";

template <Index... sizes>
void add_cells() {
  (add_cell<MinGru<float>, MinGruCell<float, sizes, sizes>>("MinGruCell"), ...);
  (add_cell<MinLstm<float>, MinLstmCell<float, sizes, sizes>>("MinLstmCell"), ...);
  (add_cell<DiagonalGru<float>, DiagonalGruCell<float, sizes, sizes>>("DiagonalGruCell"), ...);
  (add_cell<DiagonalLstm<float>, DiagonalLstmCell<float, sizes, sizes>>("DiagonalLstmCell"), ...);
  (add_cell<RgLru<float>, RgLruCell<float, sizes, sizes>>("RgLruCell"), ...);
  (add_cell<Gru<float>, GruCell<float, sizes, sizes>>("GruCell"), ...);
  (add_cell<Lstm<float>, LstmCell<float, sizes, sizes>>("LstmCell"), ...);
  (add(kChain, sizes, [](benchmark::State& bench) { chain_step<sizes>(bench, kChain); }), ...);
}

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  using namespace minrnn::bench;
  add_cells<16, 32, 64, 128>();
  add_layer<minrnn::MinGru<float>>("MinGru");
  add_layer<minrnn::MinLstm<float>>("MinLstm");
  add_layer<minrnn::DiagonalGru<float>>("DiagonalGru");
  add_layer<minrnn::DiagonalLstm<float>>("DiagonalLstm");
  add_layer<minrnn::RgLru<float>>("RgLru");
  add_layer<minrnn::Gru<float>>("Gru");
  add_layer<minrnn::Lstm<float>>("Lstm");
  return run_benchmarks(argc, argv, [](std::ostream& out) { print_table(out); });
}
