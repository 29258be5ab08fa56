// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// A training step over one very long sequence, with everything kept and with `Recompute`: time, memory, and how far
/// their gradients are apart. recompute_bench [steps]

#include <cstdlib>
#include <iostream>
#include <string>

#include "minrnn/compose/recompute.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "support/memory.hpp"
#include "support/report.hpp"
#include "support/statistics.hpp"
#include "support/training_step.hpp"

namespace minrnn::bench {
namespace {

constexpr Index kSize = 64, kChunk = 16384;

/// A block of the paper's language models, d = 64, without its convolution.
auto make_block() {
  const Random random(1);
  return Sequential(Residual(Sequential(RmsNorm<float>(kSize), MinGru<float>(kSize, 2 * kSize, random.stream(0)),
                                        Linear<float>(2 * kSize, kSize, random.stream(1)))),
                    Residual(Sequential(RmsNorm<float>(kSize), Mlp<float>(kSize, 4 * kSize, random.stream(2)))));
}

template <SequenceLayer L>
class LongStep {
 public:
  LongStep(L layer, Index time) : layer_(std::move(layer)), x_(kSize, time, 1), dy_(kSize, time, 1) {
    Random random(2);
    fill(x_.view(), random);
    fill(dy_.view(), random, [](double g) { return 1e-3 * g; });
  }
  void operator()() {
    zero_gradients(layer_);
    auto state = layer_.initial_state(1);
    layer_.forward(x_, state, cache_, context());
    layer_.backward(dy_, cache_, context());
  }
  const L& layer() const { return layer_; }

 private:
  L layer_;
  Sequence<float> x_, dy_;
  typename L::Cache cache_;
};

/// The norm of the difference of all gradients over the norm of the first.
template <class A, class B>
double distance(const A& a, const B& b) {
  std::vector<const Matrix<float>*> gradients;
  visit_parameters(a, [&](const Name&, const Parameter<float>& p) { gradients.push_back(&p.grad); });
  double difference = 0, norm = 0;
  std::size_t next = 0;
  visit_parameters(b, [&](const Name&, const Parameter<float>& p) {
    const auto exact = gradients[next++]->template cast<double>();
    difference += (p.grad.template cast<double>() - exact).squaredNorm();
    norm += exact.squaredNorm();
  });
  return std::sqrt(difference / norm);
}

int run(Index time) {
  auto kept = LongStep(make_block(), time);
  auto recomputed = LongStep(Recompute(make_block(), kChunk), time);
  kept();
  recomputed();
  const double kept_seconds = seconds_of(kept), recomputed_seconds = seconds_of(recomputed);
  const auto peak = [&](const char* which) {
    return ask_fresh_process(std::string(which) + "=" + std::to_string(time));
  };
  const double given = 2.0 * kSize * static_cast<double>(time) * sizeof(float);
  Table table({"training step", "seconds", "memory MB"});
  table.add({"everything kept", number(kept_seconds), number(1e-6 * peak("--kept"), "%.0f")});
  table.add({"chunks of " + std::to_string(kChunk) + " recomputed", number(recomputed_seconds),
             number(1e-6 * peak("--recomputed"), "%.0f")});
  std::cout << "One sequence of " << time << " frames, d = " << kSize
            << ": minGRU with expansion 2 and MLP, each with norm and "
            << "residual.\nMemory beside x and dy, which take " << number(1e-6 * given, "%.0f") << " MB.\n\n"
            << table << "\nThe gradients of all parameters are " << number(distance(kept.layer(), recomputed.layer()))
            << " apart, relative to their norm.\n";
  return 0;
}

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
  using namespace minrnn::bench;
  const std::string argument = argc > 1 ? argv[1] : "1048576";
  const auto equals = argument.find('=');
  const auto time =
      static_cast<minrnn::Index>(std::atoll(argument.c_str() + (equals == std::string::npos ? 0 : equals + 1)));
  if (time < 1) {
    std::cerr << "recompute_bench: wanted a number of steps of at least 1, given " << argument << '\n';
    return 2;
  }
  if (argument.starts_with("--kept")) {
    auto step = LongStep(make_block(), time);
    return std::printf("%.0f\n", peak_growth(step)) < 0;
  }
  if (argument.starts_with("--recomputed")) {
    auto step = LongStep(minrnn::Recompute(make_block(), kChunk), time);
    return std::printf("%.0f\n", peak_growth(step)) < 0;
  }
  return run(time);
}
