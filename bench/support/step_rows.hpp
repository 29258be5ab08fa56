// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "minrnn/core/types.hpp"
#include "data.hpp"
#include "report.hpp"
#include "statistics.hpp"
#include "threads.hpp"

/// The latency of one streamed frame, as programs that measure it have it.
namespace minrnn::bench {

constexpr Index kFrames = 64;  // different inputs, in turn, as a stream brings them

struct Row {
  std::string name;
  Index size;
  double median_ns, tail_ns;
  int group;
};

inline std::vector<Row>& rows() {
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

/// Some ten thousand samples for each row: p99.9 rests on twenty of them at the least.
template <class Run>
void add(const std::string& name, Index size, Run run) {
  benchmark::RegisterBenchmark((name + "/d:" + std::to_string(size)).c_str(), run)
      ->UseManualTime()
      ->Iterations(static_cast<benchmark::IterationCount>(size <= 64 ? 100000 : 20000));
}

inline void print_table(std::ostream& out) {
  if (rows().empty()) return;
  Table table({"step", "d", "median ns", "p99.9 ns", "steps per sample"});
  for (const Row& row : rows())
    table.add({row.name, std::to_string(row.size), number(row.median_ns, "%.0f"), number(row.tail_ns, "%.0f"),
               std::to_string(row.group)});
  out << "\nLatency of one step, batch 1, F = H = d, float, one thread\n\n" << table;
}

}  // namespace minrnn::bench
