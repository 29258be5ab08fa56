// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// The scans alone: time per element of linear_scan and log_scan and their adjoints, and how many digits they keep.

#include "../tests/reference/published_log_scan.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/math/log_space.hpp"
#include "minrnn/scan/log_scan.hpp"
#include "support/data.hpp"
#include "support/report.hpp"
#include "support/statistics.hpp"
#include "support/threads.hpp"

namespace minrnn::bench {
namespace {

constexpr Index kFeatures = 64;

/// Buffers shared by all benchmarks of one scalar: filled once, for the largest shape so far. b serves both scans.
template <class S>
struct Buffers {
  Sequence<S> a, log_a, b, dh, h, da, db;
};

template <class S>
Buffers<S>& buffers() {
  static Buffers<S> all;
  return all;
}

/// The block (H, T, B) at the head of a buffer, which is made and filled with f(normal) where it is too small.
template <class S, class F>
SequenceView<S> input(Sequence<S>& buffer, Index time, Index batch, F&& f) {
  if (buffer.size() < kFeatures * time * batch) {
    Random random(1);
    fill(buffer.resize(kFeatures, time, batch), random, f);
  }
  return {buffer.data(), kFeatures, time, batch};
}

template <class S>
SequenceView<S> output(Sequence<S>& buffer, Index time, Index batch) {
  return input(buffer, time, batch, [](double) { return 0.0; });
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

struct Case {
  Index time, batch;
  int threads;
  ScanForm form;
};

/// Times run(state) from the same initial state each time; `arrays` of the size of h are read or written.
template <class S, class Run>
void measure(benchmark::State& bench, const Case& c, int arrays, Run&& run) {
  set_threads(c.threads);
  Matrix<S> state(kFeatures, c.batch);
  for (auto _ : bench) {
    state.setConstant(S(0.5));
    run(state);
    benchmark::ClobberMemory();
  }
  const double elements = static_cast<double>(kFeatures * c.time * c.batch);
  const auto rate = benchmark::Counter::kIsIterationInvariantRate;
  bench.counters["ns_per_element"] = benchmark::Counter(elements * 1e-9, rate | benchmark::Counter::kInvert);
  bench.counters["items_per_second"] = benchmark::Counter(elements, rate);
  bench.counters["bytes_per_second"] = benchmark::Counter(elements * arrays * sizeof(S), rate);
}

template <class S>
void linear_forward(benchmark::State& bench, const Case& c) {
  const auto a = input(buffers<S>().a, c.time, c.batch, sigmoid);
  const auto b = input(buffers<S>().b, c.time, c.batch, [](double x) { return x; });
  const auto h = output(buffers<S>().h, c.time, c.batch);
  measure<S>(bench, c, 3, [&](Matrix<S>& state) { linear_scan<S>(a, b, state, h, c.form, context()); });
}

template <class S>
void log_forward(benchmark::State& bench, const Case& c) {
  const auto log_a = input(buffers<S>().log_a, c.time, c.batch, [](double x) { return std::log(sigmoid(x)); });
  const auto log_b = input(buffers<S>().b, c.time, c.batch, [](double x) { return x; });
  const auto h = output(buffers<S>().h, c.time, c.batch);
  measure<S>(bench, c, 3, [&](Matrix<S>& state) { log_scan<S>(log_a, log_b, state, h, c.form, context()); });
}

template <class S>
void linear_backward(benchmark::State& bench, const Case& c) {
  const auto a = input(buffers<S>().a, c.time, c.batch, sigmoid);
  const auto b = input(buffers<S>().b, c.time, c.batch, [](double x) { return x; });
  const auto dh = input(buffers<S>().dh, c.time, c.batch, [](double x) { return x; });
  const auto h = output(buffers<S>().h, c.time, c.batch), da = output(buffers<S>().da, c.time, c.batch),
             db = output(buffers<S>().db, c.time, c.batch);
  const Matrix<S> first = Matrix<S>::Constant(kFeatures, c.batch, S(0.5));
  Matrix<S> state = first;
  linear_scan<S>(a, b, state, h);
  measure<S>(bench, c, 5,
             [&](Matrix<S>& dstate) { linear_scan_backward<S>(a, h, first, dh, dstate, da, db, c.form, context()); });
}

template <class S>
void log_backward(benchmark::State& bench, const Case& c) {
  const auto log_a = input(buffers<S>().log_a, c.time, c.batch, [](double x) { return std::log(sigmoid(x)); });
  const auto log_b = input(buffers<S>().b, c.time, c.batch, [](double x) { return x; });
  const auto dh = input(buffers<S>().dh, c.time, c.batch, [](double x) { return x; });
  const auto h = output(buffers<S>().h, c.time, c.batch), da = output(buffers<S>().da, c.time, c.batch),
             db = output(buffers<S>().db, c.time, c.batch);
  const Matrix<S> first = Matrix<S>::Constant(kFeatures, c.batch, S(0.5));
  Matrix<S> state = first;
  log_scan<S>(log_a, log_b, state, h);
  measure<S>(bench, c, 6, [&](Matrix<S>& dstate) {
    log_scan_backward<S>(log_a, log_b, h, first, dh, dstate, da, db, c.form, context());
  });
}

/// What the memory allows: the same block copied, each thread its part.
template <class S>
void copy(benchmark::State& bench, const Case& c) {
  const auto from = input(buffers<S>().a, c.time, c.batch, sigmoid);
  const auto to = output(buffers<S>().h, c.time, c.batch);
  measure<S>(bench, c, 2, [&](Matrix<S>&) {
    const Index tiles = context().workers(), part = (from.size() + tiles - 1) / tiles;
    parallel_for(context(), tiles, [&](Index tile, Index) {
      const Index first = tile * part, count = std::min(part, from.size() - first);
      for_lanes<S>(count, [&](auto lanes) { lanes.store(to.data() + first, lanes.load(from.data() + first)); });
    });
  });
}

template <class S>
void add_benchmarks(const std::string& scalar) {
  using Other = std::conditional_t<std::is_same_v<S, float>, double, float>;
  struct Kind {
    std::string name;
    void (*run)(benchmark::State&, const Case&);
    bool scans;
  };
  const Kind kinds[] = {{"linear_scan/forward", linear_forward<S>, true},
                        {"linear_scan/backward", linear_backward<S>, true},
                        {"log_scan/forward", log_forward<S>, true},
                        {"log_scan/backward", log_backward<S>, true},
                        {"copy", copy<S>, false}};
  const std::pair<Index, Index> shapes[] = {{256, 1},  {4096, 1},  {65536, 1}, {1 << 20, 1},
                                            {256, 32}, {4096, 32}, {32768, 32}};
  for (const Kind& kind : kinds)
    for (const auto& [time, batch] : shapes)
      for (const ScanForm form : {ScanForm::sequential, ScanForm::chunked})
        for (const int threads : thread_counts()) {
          const bool chunked = form == ScanForm::chunked;
          // One stretch cannot use a second thread, and a copy has one form.
          if (threads > 1 && (chunked ? time * batch <= 256 : kind.scans && batch == 1)) continue;
          if (chunked && !kind.scans) continue;
          const std::string name = kind.name + (kind.scans ? (chunked ? "/chunked" : "/sequential") : "") + "/" +
                                   scalar + "/T:" + std::to_string(time) + "/B:" + std::to_string(batch) +
                                   "/threads:" + std::to_string(threads);
          const Case c{time, batch, threads, form};
          benchmark::RegisterBenchmark(name.c_str(),
                                       [run = kind.run, c](benchmark::State& bench) {
                                         buffers<Other>() = {};  // gigabytes at the largest shapes
                                         run(bench, c);
                                       })
              ->UseRealTime()
              ->MinTime(0.1);
        }
}

/// How many digits each form keeps in float: the largest relative error of h over all steps and streams, against the
/// recurrence in double from the same float pre-activations.
///
/// Setup   k ~ N(mu, 1), h~ = g(v) with v ~ N(0, 1), a = 1 - sigmoid(k), b = sigmoid(k) h~, h_0 = 1/2; all arithmetic
///         that makes a, b and their logarithms is float as well, so each column is the error of a whole layer
class Precision {
 public:
  Precision(double mu, Index time) : k_(kStreams, time, 1), v_(kStreams, time, 1), exact_(kStreams, time, 1) {
    Random random(7);
    for (Index i = 0; i < k_.size(); ++i) {
      k_.data()[i] = static_cast<float>(mu + random.normal());
      v_.data()[i] = static_cast<float>(random.normal());
    }
    for (Index stream = 0; stream < kStreams; ++stream) {
      double h = kFirst;
      for (Index t = 0; t < time; ++t) {
        const Index i = t * kStreams + stream;
        const double k = k_.data()[i], v = v_.data()[i], g = v >= 0 ? v + 0.5 : sigmoid(v);
        exact_.data()[i] = h = sigmoid(-k) * h + sigmoid(k) * g;
      }
    }
    a_.resize(kStreams, time, 1);
    b_.resize(kStreams, time, 1);
    h_.resize(kStreams, time, 1);
  }

  double linear(ScanForm form) {
    make_gates<Arithmetic::linear>();
    Matrix<float> state = Matrix<float>::Constant(kStreams, 1, kFirst);
    linear_scan<float>(a_, b_, state, h_, form);
    return error();
  }
  double log_space(ScanForm form) {
    make_gates<Arithmetic::log_space>();
    Matrix<float> state = Matrix<float>::Constant(kStreams, 1, kFirst);
    log_scan<float>(a_, b_, state, h_, form);
    return error();
  }
  double published() {
    make_gates<Arithmetic::log_space>();
    Matrix<float> log_values(kStreams, b_.time() + 1);
    log_values.col(0).setConstant(std::log(kFirst));
    log_values.rightCols(b_.time()) = b_.view().matrix(0);
    h_.view().matrix(0) = reference::published_log_scan<float>(a_.view().matrix(0), log_values);
    return error();
  }

 private:
  static constexpr Index kStreams = 16;
  static constexpr float kFirst = 0.5f;

  template <Arithmetic arithmetic>
  void make_gates() {
    for_lanes<float>(k_.size(), [&](auto lanes) {
      const Packet<float> k = lanes.load(k_.data()), v = lanes.load(v_.data());
      if constexpr (arithmetic == Arithmetic::log_space) {
        lanes.store(a_.data(), -softplus(k));
        lanes.store(b_.data(), log_positive_candidate(v) - softplus(-k));
      } else {
        lanes.store(a_.data(), sigmoid(-k));
        lanes.store(b_.data(), sigmoid(k) * positive_candidate(v));
      }
    });
  }
  double error() const {
    double worst = 0;
    for (Index i = 0; i < h_.size(); ++i) {
      const double relative = std::abs(static_cast<double>(h_.data()[i]) / exact_.data()[i] - 1);
      if (!(relative <= worst)) worst = relative;  // NaN counts as worst
    }
    return worst;
  }

  Sequence<float> k_, v_;      // (streams, T, 1) pre-activations
  Sequence<double> exact_;     // (streams, T, 1)
  Sequence<float> a_, b_, h_;  // (streams, T, 1)
};

void print_precision(std::ostream& out) {
  out << "\nLargest relative error of h in float, against the recurrence in double (16 streams, h_0 = 0.5, k ~ N(mu, "
         "1))\n\n";
  Table table({"mu", "T", "linear", "linear chunked", "log-space", "log-space chunked", "published"});
  for (const double mu : {0.0, -3.0, 8.0})
    for (const Index time : {256, 4096, 65536, 1 << 20}) {
      Precision precision(mu, time);
      table.add({number(mu, "%.0f"), std::to_string(time), number(precision.linear(ScanForm::sequential), "%.1e"),
                 number(precision.linear(ScanForm::chunked), "%.1e"),
                 number(precision.log_space(ScanForm::sequential), "%.1e"),
                 number(precision.log_space(ScanForm::chunked), "%.1e"), number(precision.published(), "%.1e")});
    }
  out << table
      << "\npublished: exp(a* + logcumsumexp(log b - a*)) with a* = cumsum(log a), Feng et al. 2024, appendix B\n";
}

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  using namespace minrnn::bench;
  if (take_flag(argc, argv, "--precision")) {
    print_precision(std::cout);
    return 0;
  }
  add_benchmarks<float>("float");
  add_benchmarks<double>("double");
  return run_benchmarks(argc, argv,
                        [](std::ostream& out) { out << "\nHow many digits the scans keep: scan_bench --precision\n"; });
}
