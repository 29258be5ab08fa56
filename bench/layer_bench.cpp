// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// A training step of each mixer, beside the matrix products that it cannot do without.

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "minrnn/compose/highway.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "support/machine.hpp"
#include "support/memory.hpp"
#include "support/products.hpp"
#include "support/report.hpp"
#include "support/statistics.hpp"
#include "support/threads.hpp"
#include "support/training_step.hpp"

namespace minrnn::bench {
namespace {

using Step = std::function<void()>;

/// A layer with F = H = d; how many multiply-adds the products of its forward have for each frame; and how many (d, d)
/// matrices these are, where they are plain products over all time and nothing else, or 0.
struct Kind {
  std::string name;
  double (*products)(Shape);
  int matrices;
  Step (*make)(Shape);
};

template <class L, class... Make>
Step make_step(Shape shape, Make... make) {
  return [step = std::make_shared<TrainingStep<L>>(shape, make...)] { (*step)(); };
}
Step make_mamba(Shape shape) {
  return make_step<Mamba<float>>(shape, [=](RandomStream stream) { return Mamba<float>(shape.size, stream); });
}
Step make_highway(Shape shape) {
  return make_step<Highway<MinGru<float>>>(shape, [=](RandomStream stream) {
    return Highway(MinGru<float>(shape.size, shape.size, stream.stream(0)), stream.stream(1));
  });
}
/// Heads of 64 features, or one; everything before is seen.
Step make_attention(Shape shape) {
  return make_step<Attention<float>>(shape, [=](RandomStream stream) {
    return Attention<float>(shape.size, std::max<Index>(shape.size / 64, 1), stream, {.window = shape.time});
  });
}

/// The selective scan alone, of d channels with 16 states.
class SelectiveScanStep {
 public:
  explicit SelectiveScanStep(Shape s) {
    Random random(1);
    for (Sequence<float>* channels : {&u_, &raw_, &gate_, &dy_, &y_, &du_, &draw_, &dgate_}) {
      channels->resize(s.size, s.time, s.batch);
      fill(channels->view(), random);
    }
    fill(bc_.resize(2 * kStates, s.time, s.batch), random);
    dbc_.resize(2 * kStates, s.time, s.batch);
    a_ = -Matrix<float>::Ones(s.size, kStates);
    skip_ = Matrix<float>::Ones(s.size, 1);
  }

  void operator()() {
    Matrix<float> state = Matrix<float>::Zero(a_.size(), u_.batch()), dstate = state;
    const SelectiveScanInputs<float> in{u_, raw_, gate_, bc_, a_, skip_};
    selective_scan(in, state, y_, cache_, context());
    selective_scan_backward(in, dy_, dstate, {du_, draw_, dgate_, dbc_, da_, dskip_}, cache_, context());
  }

 private:
  static constexpr Index kStates = 16;
  Sequence<float> u_, raw_, gate_, dy_, y_, du_, draw_, dgate_;  // (d, T, B)
  Sequence<float> bc_, dbc_;                                     // (2 N, T, B)
  Matrix<float> a_, skip_, da_, dskip_;                          // (d, N), (d)
  SelectiveScanCache<float> cache_;
};
Step make_selective_scan(Shape shape) {
  return [step = std::make_shared<SelectiveScanStep>(shape)] { (*step)(); };
}

template <int matrices>
double matrices_of(Shape shape) {
  return matrices * static_cast<double>(shape.size * shape.size);
}
/// W_in, W_gate, W_out, W_bc, and delta from D through R; D = 2 d, N = 16, R = d / 16.
double mamba_products(Shape shape) {
  const double d = static_cast<double>(shape.size);
  return 2 * d * (3 * d + 2 * 16 + 2 * std::ceil(d / 16));
}
/// Four projections; scores and values over half of T on average, whose backward has five products for these two.
double attention_products(Shape shape) {
  return matrices_of<4>(shape) + 7.0 / 6 * static_cast<double>(shape.size * shape.time);
}

const Kind kKinds[] = {{"MinGru", matrices_of<2>, 2, make_step<MinGru<float>>},
                       {"MinLstm", matrices_of<3>, 3, make_step<MinLstm<float>>},
                       {"SignedMinGru", matrices_of<2>, 2, make_step<SignedMinGru<float>>},
                       {"SignedMinLstm", matrices_of<3>, 3, make_step<SignedMinLstm<float>>},
                       {"DiagonalGru", matrices_of<3>, 3, make_step<DiagonalGru<float>>},
                       {"DiagonalLstm", matrices_of<3>, 3, make_step<DiagonalLstm<float>>},
                       {"HighwayMinGru", matrices_of<3>, 3, make_highway},
                       {"RgLru", matrices_of<3>, 3, make_step<RgLru<float>>},
                       {"Gru", matrices_of<6>, 0, make_step<Gru<float>>},
                       {"Lstm", matrices_of<8>, 0, make_step<Lstm<float>>},
                       {"Mamba", mamba_products, 0, make_mamba},
                       {"Attention", attention_products, 0, make_attention},
                       {"SelectiveScan", matrices_of<0>, 0, make_selective_scan}};

struct Row {
  const Kind* kind;
  Shape shape;
  int threads;
  // results
  double seconds = std::nan(""), over_eigen = std::nan(""), over_minrnn = std::nan(""), over_blas = std::nan(""),
         peak = std::nan(""), of_peak = std::nan("");

  double frames() const { return static_cast<double>(shape.batch * shape.time); }
  /// Multiplications and additions of the products, forward and the two of backward.
  double operations() const { return 6.0 * kind->products(shape) * frames(); }
  /// About a tenth of a second, by a guess of 40 GFLOP/s a thread; the selective scan has no products, and takes the
  /// time of about 640 operations a channel.
  int calls() const {
    const double work = std::max(operations(), 640.0 * static_cast<double>(shape.size) * frames());
    return static_cast<int>(std::clamp(0.1 * 40e9 * (shape.batch > 1 ? threads : 1) / work, 1.0, 300.0));
  }
  /// The layer and its shape, the same for any number of threads.
  std::string subject() const {
    return kind->name + "/d:" + std::to_string(shape.size) + "/B:" + std::to_string(shape.batch) +
           "/T:" + std::to_string(shape.time);
  }
};

/// The median of so many calls in a row, in seconds. First come calls that are not measured, one or for 20 ms: then the
/// threads that spin after the work before, OpenMP's (which are Eigen's) or OpenBLAS's, sleep, and those of `work` are
/// awake, as in a training loop.
double settled_seconds(const Step& work, int count) {
  for (double spent = 0; spent < 0.02;) spent += seconds_of(work);
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) seconds.push_back(seconds_of(work));
  return median(seconds);
}

/// Alternates the step with its products, a tenth of a second of each at a time, so that what disturbs the machine
/// meets all of them.
void measure(benchmark::State& bench, Row& row) {
  set_threads(row.threads);
  const Step step = row.kind->make(row.shape);
  std::unique_ptr<Products<float>> products;
  if (row.kind->matrices > 0) products = std::make_unique<Products<float>>(row.kind->matrices, row.shape);
  std::vector<double> steps, eigen, minrnn, blas;
  for (auto _ : bench) {
    steps.push_back(settled_seconds(step, row.calls()));
    bench.SetIterationTime(steps.back());
    if (!products) continue;
    minrnn.push_back(settled_seconds([&] { products->by_minrnn(); }, row.calls()));
    eigen.push_back(settled_seconds([&] { products->by_eigen(); }, row.calls()));
    if (kHasBlas) blas.push_back(settled_seconds([&] { products->by_blas(); }, std::min(row.calls(), 3)));
  }
  row.seconds = median(steps);
  row.over_eigen = median_ratio(steps, eigen);
  row.over_minrnn = median_ratio(steps, minrnn);
  row.over_blas = median_ratio(steps, blas);
  row.of_peak = row.operations() / row.seconds / peak_flops<float>(row.threads);
  static std::map<std::string, double> peaks;
  const auto [peak, is_new] = peaks.try_emplace(row.subject());
  if (is_new) peak->second = ask_fresh_process("--peak_of=" + row.subject());
  row.peak = peak->second;

  bench.counters["median_ms"] = 1e3 * row.seconds;
  bench.counters["items_per_second"] = row.frames() / row.seconds;
  bench.counters["flops_per_second"] = row.operations() / row.seconds;
  bench.counters["of_peak"] = row.of_peak;
  if (!std::isnan(row.peak)) bench.counters["peak_bytes"] = row.peak;
  if (!products) return;
  bench.counters["over_eigen"] = row.over_eigen;
  bench.counters["over_minrnn"] = row.over_minrnn;
  if (kHasBlas) bench.counters["over_blas"] = row.over_blas;
}

std::vector<Row> all_rows(bool full) {
  std::vector<Shape> shapes;
  if (full) {
    for (const Index size : {16, 64, 128, 256, 384})
      for (const Index batch : {1, 16, 64})
        for (const Index time : {64, 256, 512, 1024, 2048, 4096}) shapes.push_back({size, batch, time});
  } else {
    for (const Index size : {64, 256})
      for (const Index batch : {64, 1}) shapes.push_back({size, batch, 1024});
    for (const Index time : {64, 256, 4096})
      for (const Index batch : {64, 1}) shapes.push_back({64, batch, time});
  }
  std::vector<Row> rows;
  for (const Shape& shape : shapes)
    for (const int threads : thread_counts())
      for (const Kind& kind : kKinds) rows.push_back({&kind, shape, threads});
  return rows;
}

/// What a step adds to the memory of this process: caches, states and scratch, not x, dy and the parameters.
void print_peak(const std::vector<Row>& rows, std::string_view subject) {
  set_threads(1);
  for (const Row& row : rows)
    if (row.subject() == subject) {
      const Step step = row.kind->make(row.shape);
      std::printf("%.0f\n", peak_growth(step));
      return;
    }
}

void print_table(std::ostream& out, const std::vector<Row>& rows) {
  Table table({"layer", "d", "B", "T", "threads", "ms", "Mframes/s", "GFLOP/s", "% of peak", "memory MB",
               "/ Eigen products", "/ BLAS products", "/ own products", "/ MinGru"});
  double min_gru = std::nan("");
  for (const Row& row : rows) {
    if (row.kind == &kKinds[0]) min_gru = row.seconds;
    if (std::isnan(row.seconds)) continue;
    table.add({row.kind->name, std::to_string(row.shape.size), std::to_string(row.shape.batch),
               std::to_string(row.shape.time), std::to_string(row.threads), number(1e3 * row.seconds),
               number(1e-6 * row.frames() / row.seconds), number(1e-9 * row.operations() / row.seconds),
               number(100 * row.of_peak, "%.0f"), number(1e-6 * row.peak), number(row.over_eigen, "%.2f"),
               number(row.over_blas, "%.2f"), number(row.over_minrnn, "%.2f"), number(row.seconds / min_gru, "%.2f")});
  }
  if (table.empty()) return;
  out << "\nTraining step: medians; ratios are medians over alternating rounds of one run. Multiply-add peak of this "
         "machine:";
  for (const int threads : thread_counts())
    out << ' ' << number(1e-9 * peak_flops<float>(threads)) << " GFLOP/s (" << threads << ')';
  out << "\n\n" << table << '\n';
  for (const Row& row : rows) {
    if (row.kind != &kKinds[0] || row.threads != 1 || row.shape.time != 1024 || std::isnan(row.seconds)) continue;
    if (row.shape.size != 64 && row.shape.size != 256) continue;
    if (row.shape.batch != 64 && row.shape.batch != 1) continue;
    const auto verdict = [](double ratio) { return number(ratio, "%.2f") + (ratio <= 1.3 ? " (met)" : " (MISSED)"); };
    out << row.subject() << ", one thread, times its three products alone, at most 1.30 wanted: Eigen's "
        << verdict(row.over_eigen) << ", our own kernel's " << verdict(row.over_minrnn) << '\n';
  }
}

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  using namespace minrnn::bench;
  const bool full = take_flag(argc, argv, "--full");
  std::vector<Row> rows = all_rows(full);
  constexpr std::string_view peak_of = "--peak_of=";
  if (argc == 2 && std::string_view(argv[1]).starts_with(peak_of)) {
    print_peak(all_rows(true), std::string_view(argv[1]).substr(peak_of.size()));
    return 0;
  }
  for (Row& row : rows) {
    benchmark::RegisterBenchmark((row.subject() + "/threads:" + std::to_string(row.threads)).c_str(),
                                 [&row](benchmark::State& bench) { measure(bench, row); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond)
        ->Iterations(3);
  }
  return run_benchmarks(argc, argv, [&](std::ostream& out) { print_table(out, rows); });
}
