// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// A training step of the paper's language model on several ranks: mpirun -np 2 scaling [options]. Prints a row of CSV
/// with overlap and one without, of steps in turn; scaling.py runs it on 1, 2, 4 ranks. See --help.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "minrnn/core/thread_pool.hpp"
#include "minrnn/distributed/data_parallel.hpp"
#include "minrnn/distributed/mpi_communicator.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/models/language_model.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "support/slow_link.hpp"
#include "support/statistics.hpp"

namespace minrnn::bench {
namespace {

struct Settings {
  Index dim = 384, layers = 3, batch = 64, time = 256, shards = 8, threads = 1, bucket_bytes = Index{1} << 20;
  int steps = 5;
  double bandwidth = 0, latency = 0;  // megabytes a second, microseconds
};

constexpr Index kVocabulary = 65;

class Step {
 public:
  Step(Communicator& ranks, const Settings& settings, bool overlap)
      : settings_(settings),
        pool_(settings.threads),
        model_({.vocabulary = kVocabulary, .dim = settings.dim, .layers = settings.layers}, Random(1).stream(0),
               [](Index inputs, Index features, RandomStream own) { return MinGru<float>(inputs, features, own); }),
        parallel_(model_, ranks,
                  {.shards = settings.shards, .bucket_bytes = settings.bucket_bytes, .overlap = overlap}),
        adam_(model_, {.learning_rate = 1e-3f}) {}

  void operator()() {
    const Context context{.draw = adam_.steps(), .executor = &pool_};
    const Index sequences = settings_.batch / settings_.shards;
    parallel_.gradients(
        model_,
        [&](Index shard, const Context& own) {
          Random random(Random(2).stream(adam_.steps()).stream(shard));
          Sequence<std::int32_t> tokens(1, settings_.time + 1, sequences);
          for (Index i = 0; i < tokens.view().size(); ++i)
            tokens.view().data()[i] = static_cast<std::int32_t>(random.below(kVocabulary));
          auto state = model_.initial_state(sequences);
          const auto logits = model_.forward(tokens.view().chunk(0, settings_.time), state, cache_, own);
          const double loss = softmax_cross_entropy(logits, tokens.view().chunk(1, settings_.time), dlogits_, own).loss;
          const double seconds = seconds_of([&] { model_.backward(dlogits_.view(), cache_, own); });
          backward_seconds_ = seconds;
          return loss;
        },
        context);
    clip_gradient_norm(model_, 1);
    adam_.step(model_, context);
  }

  const Traffic& traffic() const { return parallel_.traffic(); }
  double backward_seconds() const { return backward_seconds_; }  // of the last shard
  Index parameters() const { return parameter_count(model_); }

 private:
  const Settings& settings_;
  ThreadPool pool_;
  LanguageModel<MinGru<float>> model_;
  LanguageModel<MinGru<float>>::Cache cache_;
  Sequence<float> dlogits_;
  DataParallel<float> parallel_;
  Adam<float> adam_;
  double backward_seconds_ = 0;
};

void measure(Communicator& ranks, const Settings& settings) {
  SlowLink link(ranks, 1e6 * settings.bandwidth, 1e-6 * settings.latency);
  Step with(link, settings, true), without(link, settings, false);
  struct Row {
    Step& step;
    std::vector<double> seconds, reducing, waiting, backward;
    std::uint64_t bytes = 0;
  } rows[] = {{with, {}, {}, {}, {}}, {without, {}, {}, {}, {}}};
  for (int i = 0; i <= settings.steps; ++i)
    for (Row& row : rows) {
      const Traffic before = row.step.traffic();
      const double seconds = seconds_of(row.step);
      if (i == 0) continue;  // makes its memory and learns the order of the gradients
      const Traffic after = row.step.traffic();
      row.seconds.push_back(seconds);
      row.reducing.push_back(after.seconds_reducing - before.seconds_reducing);
      row.waiting.push_back(after.seconds_waiting - before.seconds_waiting);
      row.backward.push_back(row.step.backward_seconds());
      row.bytes = after.bytes_sent - before.bytes_sent;
    }
  if (ranks.rank() != 0) return;
  for (const Row& row : rows)
    std::printf("%d,%d,%d,%d,%d,%d,%s,%g,%g,%.5f,%.5f,%.5f,%.5f,%llu\n", static_cast<int>(ranks.size()),
                static_cast<int>(settings.threads), static_cast<int>(settings.shards), static_cast<int>(settings.batch),
                static_cast<int>(settings.time), static_cast<int>(row.step.parameters()), &row == rows ? "yes" : "no",
                settings.bandwidth, settings.latency, median(row.seconds), median(row.reducing), median(row.waiting),
                median(row.backward), static_cast<unsigned long long>(row.bytes));
}

int run(int argc, char** argv, Communicator& ranks) {
  Settings s;
  bool header = false;
  CLI::App app("A training step of a language model on several ranks, with overlap and without.");
  app.add_option("--dim", s.dim)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--layers", s.layers)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--batch", s.batch, "sequences of all ranks together")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--time", s.time)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--shards", s.shards)->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--threads", s.threads, "of a rank")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--bucket", s.bucket_bytes, "bytes")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--steps", s.steps, "that are measured, of each kind")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--bandwidth", s.bandwidth, "megabytes a second of the link; 0: as it is")->capture_default_str();
  app.add_option("--latency", s.latency, "microseconds, with a bandwidth")->capture_default_str();
  app.add_flag("--header", header, "print the names of the columns before");
  CLI11_PARSE(app, argc, argv);
  if (header && ranks.rank() == 0)
    std::puts(
        "ranks,threads,shards,batch,time,parameters,overlap,bandwidth_mb,latency_us,step_s,reducing_s,waiting_s,"
        "backward_s,bytes_sent");
  measure(ranks, s);
  return 0;
}

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  minrnn::MpiCommunicator ranks;
  try {
    return minrnn::bench::run(argc, argv, ranks);
  } catch (const minrnn::SharedError& error) {
    if (ranks.rank() == 0) std::fprintf(stderr, "scaling: %s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "scaling: rank %d: %s\n", static_cast<int>(ranks.rank()), error.what());
    ranks.abort(2);
  }
}
