// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// Latency of one streamed frame, batch 1, of large layers, a language model and small cells with their weights in
/// float, in 16 and in 8 bits. A program of its own: in step_bench a second caller of `step` would keep a compiler from
/// inlining it.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include "minrnn/cells/cell_chain.hpp"
#include "minrnn/cells/linear_cell.hpp"
#include "minrnn/cells/min_gru_cell.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/data.hpp"
#include "support/report.hpp"
#include "support/step_rows.hpp"

namespace minrnn::bench {
namespace {

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

template <class Model, class L>
void cell_step(benchmark::State& bench, const std::string& name, Index size, const L& layer) {
  const Model model(layer);
  Random random(2);
  std::array<typename Model::Input, kFrames> x;
  for (auto& frame : x)
    for (Index i = 0; i < frame.size(); ++i) frame[i] = static_cast<float>(random.normal());
  auto state = model.initial_state();
  typename Model::Output y;
  std::size_t t = 0;
  measure(bench, name, size, [&] {
    model.step(x[t], state, y);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
    t = (t + 1) % kFrames;
  });
}

/// A cell of one size, or a chain, in float, 16 and 8 bits.
template <class Cell, class L>
void add_cell_formats(const std::string& name, Index size, const L& layer) {
  const auto add_as = [&]<class Model>(std::type_identity<Model>, const std::string& suffix) {
    const std::string full_name = name + suffix;
    add(full_name, size, [=](benchmark::State& bench) { cell_step<Model>(bench, full_name, size, layer); });
  };
  add_as(std::type_identity<Cell>{}, "");
  add_as(std::type_identity<QuantisedCell<Cell, WeightFormat::bf16>>{}, ", bf16");
  add_as(std::type_identity<QuantisedCell<Cell, WeightFormat::int8>>{}, ", int8");
}
template <Index size>
void add_cells() {
  const Random random(1);
  const MinGru<float> first(1, size, random.stream(0)), mixer(size, size, random.stream(1));
  const Linear<float> head(size, 1, random.stream(2));
  add_cell_formats<MinGruCell<float, size, size>>("MinGruCell", size, mixer);
  add_cell_formats<CellChain<MinGruCell<float, 1, size>, MinGruCell<float, size, size>, LinearCell<float, size, 1>>>(
      "CellChain 1, d, d, 1", size, Sequential{first, mixer, head});
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

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  using namespace minrnn::bench;
  add_formats("MinGru", layer_step<minrnn::MinGru<float>>);
  add_formats("Gru", layer_step<minrnn::Gru<float>>);
  add_formats("language model", model_step);
  add_cells<16>();
  add_cells<64>();
  add_cells<128>();
  return run_benchmarks(argc, argv, [](std::ostream& out) { print_table(out); });
}
