// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// A whole training step of a language model: forward, loss, backward, clipping and AdamW.

#include <memory>

#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/models/language_model.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "support/machine.hpp"
#include "support/memory.hpp"
#include "support/report.hpp"
#include "support/statistics.hpp"
#include "support/threads.hpp"
#include "support/training_step.hpp"

namespace minrnn::bench {
namespace {

constexpr Index kVocabulary = 65;  // of tiny Shakespeare

template <SequenceLayer Mixer>
class ModelStep {
 public:
  explicit ModelStep(Shape shape)
      : model_({.vocabulary = kVocabulary, .dim = shape.size}, Random(1).stream(0),
               [](Index inputs, Index features, RandomStream stream) { return Mixer(inputs, features, stream); }),
        adam_(model_, {.learning_rate = 1e-3f, .weight_decay = 0.05f}),
        tokens_(1, shape.time, shape.batch),
        targets_(1, shape.time, shape.batch) {
    Random random(1);
    for (Index i = 0; i < tokens_.size(); ++i) {
      tokens_.data()[i] = static_cast<std::int32_t>(random.below(kVocabulary));
      targets_.data()[i] = static_cast<std::int32_t>(random.below(kVocabulary));
    }
  }

  void operator()() {
    auto state = model_.initial_state(tokens_.batch());
    zero_gradients(model_);
    const auto logits = model_.forward(tokens_.view(), state, cache_, context());
    softmax_cross_entropy(logits, targets_.view(), dlogits_, context());
    model_.backward(dlogits_, cache_, context());
    clip_gradient_norm(model_, 1.0f);
    adam_.step(model_, context());
  }

  /// Floating-point operations of the products with weights, forward and the two of backward.
  double operations() const {
    double weights = 0;
    visit_parameters(model_, [&](const Name& name, const Parameter<float>& p) {
      if (p.rank == 2 && !name.str().ends_with("conv/w") && name.str() != "embedding/table")
        weights += static_cast<double>(p.size());
    });
    return 6 * weights * static_cast<double>(tokens_.size());
  }
  Index parameters() const { return parameter_count(model_); }

 private:
  LanguageModel<Mixer> model_;
  Adam<float> adam_;
  Sequence<std::int32_t> tokens_, targets_;
  Sequence<float> dlogits_;
  typename LanguageModel<Mixer>::Cache cache_;
};

struct ModelRow {
  std::string mixer;
  Shape shape;
  int threads;
  double seconds = std::nan(""), operations = 0, of_peak = 0, peak_bytes = std::nan("");
  Index parameters = 0;
};

template <SequenceLayer Mixer>
void measure(benchmark::State& bench, ModelRow& row) {
  set_threads(row.threads);
  ModelStep<Mixer> step(row.shape);
  row.peak_bytes = peak_growth(step);  // of this process: exact where it ran nothing larger before
  std::vector<double> seconds;
  for (auto _ : bench) {
    seconds.push_back(seconds_of(step));
    bench.SetIterationTime(seconds.back());
  }
  row.seconds = median(seconds);
  row.operations = step.operations();
  row.parameters = step.parameters();
  row.of_peak = row.operations / row.seconds / peak_flops<float>(row.threads);
  bench.counters["median_ms"] = 1e3 * row.seconds;
  bench.counters["of_peak"] = row.of_peak;
  bench.counters["peak_bytes"] = row.peak_bytes;
}

void print_table(std::ostream& out, const std::vector<ModelRow>& rows) {
  Table table({"mixer", "parameters", "d", "B", "T", "threads", "ms", "characters/s", "% of peak", "memory MB"});
  for (const ModelRow& row : rows)
    if (!std::isnan(row.seconds))
      table.add({row.mixer, std::to_string(row.parameters), std::to_string(row.shape.size),
                 std::to_string(row.shape.batch), std::to_string(row.shape.time), std::to_string(row.threads),
                 number(1e3 * row.seconds),
                 number(static_cast<double>(row.shape.batch * row.shape.time) / row.seconds, "%.0f"),
                 number(100 * row.of_peak, "%.0f"), number(1e-6 * row.peak_bytes)});
  if (table.empty()) return;
  out << "\nTraining step of a language model, 3 layers, expansion 2, convolution of 4, MLP of 4: medians\n\n"
      << table << '\n';
}

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  using namespace minrnn;
  using namespace minrnn::bench;
  struct Kind {
    const char* name;
    void (*run)(benchmark::State&, ModelRow&);
  };
  const Kind kinds[] = {{"MinGru", measure<MinGru<float>>},
                        {"MinLstm", measure<MinLstm<float>>},
                        {"DiagonalGru", measure<DiagonalGru<float>>},
                        {"DiagonalLstm", measure<DiagonalLstm<float>>},
                        {"RgLru", measure<RgLru<float>>},
                        {"Gru", measure<Gru<float>>},
                        {"Lstm", measure<Lstm<float>>}};
  const Shape shapes[] = {{128, 32, 128}, {384, 64, 256}};  // size, batch, time: ten-minute training; the paper's
  std::vector<ModelRow> rows;
  rows.reserve(64);
  for (const Shape& shape : shapes)
    for (const Kind& kind : kinds)
      for (const int threads : thread_counts()) {
        ModelRow& row = rows.emplace_back(ModelRow{kind.name, shape, threads});
        const std::string name = row.mixer + "/d:" + std::to_string(shape.size) + "/B:" + std::to_string(shape.batch) +
                                 "/T:" + std::to_string(shape.time) + "/threads:" + std::to_string(threads);
        benchmark::RegisterBenchmark(name.c_str(), [&row, run = kind.run](benchmark::State& bench) { run(bench, row); })
            ->UseManualTime()
            ->Unit(benchmark::kMillisecond)
            ->Iterations(shape.size > 128 ? 3 : 10);
      }
  return run_benchmarks(argc, argv, [&](std::ostream& out) { print_table(out, rows); });
}
