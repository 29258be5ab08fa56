// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// Latency of one streamed frame, batch 1: `step` of the layers, the cells whose sizes are known at compile time, and
/// large layers and a language model with their weights in float, in 16 and in 8 bits.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/diagonal_gru_cell.hpp"
#include "minrnn/cells/diagonal_lstm_cell.hpp"
#include "minrnn/cells/gru_cell.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/lstm_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/min_lstm_cell.hpp"
#include "minrnn/cells/rg_lru_cell.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/data.hpp"
#include "support/report.hpp"
#include "support/statistics.hpp"
#include "support/threads.hpp"

namespace minrnn::bench {
namespace {

constexpr Index kFrames = 64;  // different inputs, in turn, as a stream brings them

struct Row {
  std::string name;
  Index size;
  double median_ns, tail_ns;
  int group;
};

std::vector<Row>& rows() {
  static std::vector<Row> all;
  return all;
}

/// Steps are timed in groups: the clock itself takes 20 to 40 ns and ticks as coarsely, as much as a small cell's step.
/// A group is the least power of two that lasts a microsecond, so the clock adds some percent at most; a sample is the
/// mean of its group. Quantiles are over samples: one slow step in a group of 16 shows a sixteenth of its delay.
template <class Step>
void measure(benchmark::State& bench, const std::string& name, Index size, Step&& step) {
  const auto time_group = [&](int group) {
    return seconds_of([&] {
      for (int i = 0; i < group; ++i) step();
    });
  };
  int group = 1;
  for (; group < 1024; group *= 2) {
    std::vector<double> trial;
    for (int i = 0; i < 101; ++i) trial.push_back(time_group(group));
    if (median(trial) >= 1e-6) break;
  }
  std::vector<double> samples;
  for (auto _ : bench) {
    samples.push_back(time_group(group) / group * 1e9);
    bench.SetIterationTime(samples.back() * 1e-9);
  }
  Row row{name, size, median(samples), quantile(samples, 0.999), group};
  bench.counters["median_ns"] = row.median_ns;
  bench.counters["p99.9_ns"] = row.tail_ns;
  bench.counters["group"] = group;
  // With --benchmark_repetitions this is called again for the same row: the last call counts.
  if (rows().empty() || rows().back().name != name || rows().back().size != size)
    rows().push_back(row);
  else
    rows().back() = row;
}

template <class L>
void time_step(benchmark::State& bench, const std::string& name, Index size, const L& layer, const auto& x) {
  set_threads(1);
  auto state = layer.initial_state(1);
  typename L::Cache cache;
  Index t = 0;
  measure(bench, name, size, [&] {
    const auto y = layer.step(x.view().frame(t), state, cache, context());
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
    t = (t + 1) % kFrames;
  });
}

/// In float where no format is given.
template <class L>
void time_as(benchmark::State& bench, const std::string& name, Index size, const L& layer, const auto& x,
             std::optional<WeightFormat> format) {
  if (format)
    time_step(bench, name, size, quantise(layer, *format), x);
  else
    time_step(bench, name, size, layer, x);
}

template <class L>
void layer_step(benchmark::State& bench, const std::string& name, Index size, std::optional<WeightFormat> format) {
  Random random(1);
  const L layer(size, size, random.stream(0));
  Sequence<float> x(size, kFrames, 1);
  fill(x.view(), random);
  time_as(bench, name, size, layer, x, format);
}

/// Two layers of minGRU of the paper's shape over characters.
void model_step(benchmark::State& bench, const std::string& name, Index size, std::optional<WeightFormat> format) {
  constexpr Index kVocabulary = 65;
  Random random(1);
  const LanguageModel<MinGru<float>> model(
      {.vocabulary = kVocabulary, .dim = size, .layers = 2}, random.stream(0),
      [](Index inputs, Index features, RandomStream stream) { return MinGru<float>(inputs, features, stream); });
  Sequence<std::int32_t> x(1, kFrames, 1);
  for (Index t = 0; t < kFrames; ++t) x.data()[t] = static_cast<std::int32_t>(random.below(kVocabulary));
  time_as(bench, name, size, model, x, format);
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
  const Model model(Sequential{MinGru<float>(1, hidden, random.stream(0)),
                               MinGru<float>(hidden, hidden, random.stream(1)),
                               Linear<float>(hidden, 1, random.stream(2))});
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

/// Some ten thousand samples for each row: p99.9 rests on twenty of them at the least.
template <class Run>
void add(const std::string& name, Index size, Run run) {
  benchmark::RegisterBenchmark((name + "/d:" + std::to_string(size)).c_str(), run)
      ->UseManualTime()
      ->Iterations(static_cast<benchmark::IterationCount>(size <= 64 ? 100000 : 20000));
}

template <class L>
void add_layer(const std::string& name) {
  for (const Index size : {16, 32, 64, 128, 256})
    add(name, size, [=](benchmark::State& bench) { layer_step<L>(bench, name, size, {}); });
}

/// step(bench, name, size, format) with weights in float, 16 and 8 bits, where those in float fill a cache or more.
template <class Step>
void add_formats(const std::string& name, Step step) {
  constexpr Index kSize = 512;
  const std::pair<const char*, std::optional<WeightFormat>> formats[] = {
      {"", {}}, {", bf16", WeightFormat::bf16}, {", int8", WeightFormat::int8}};
  for (const auto& [suffix, format] : formats) {
    const std::string full_name = name + suffix;
    add(full_name, kSize, [=, format = format](benchmark::State& bench) { step(bench, full_name, kSize, format); });
  }
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

void print_table(std::ostream& out) {
  if (rows().empty()) return;
  Table table({"step", "d", "median ns", "p99.9 ns", "steps per sample"});
  for (const Row& row : rows())
    table.add({row.name, std::to_string(row.size), number(row.median_ns, "%.0f"), number(row.tail_ns, "%.0f"),
               std::to_string(row.group)});
  out << "\nLatency of one step, batch 1, F = H = d, float, one thread\n\n" << table;
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
  add_formats("MinGru", layer_step<minrnn::MinGru<float>>);
  add_formats("Gru", layer_step<minrnn::Gru<float>>);
  add_formats("language model", model_step);
  return run_benchmarks(argc, argv, [](std::ostream& out) { print_table(out); });
}
