// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// What -ffast-math must not change. Prints what is wrong, then the loss of a short training: that of a build without
// the flag may be given as an argument, and is then compared. Exits with 77 where the processor is not the one that
// the program was compiled for.

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <stdexcept>
#ifdef __SSE2__
#include <xmmintrin.h>
#endif

#include "minrnn/attention/score_unit.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/gates/gate.hpp"
#include "minrnn/layers/layer_norm.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "minrnn/math/activation.hpp"
#include "minrnn/math/half.hpp"
#include "minrnn/math/log_space.hpp"
#include "minrnn/math/scaled.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "minrnn/testing/finding.hpp"
#include "support/short_training.hpp"

namespace {
using namespace minrnn;

int failures = 0;

void expect(bool ok, const char* what, double given) {
  if (ok) return;
  ++failures;
  std::printf("%s: %.9g\n", what, given);
}
/// The larger of two errors; NaN, which std::fmax leaves out, is the largest of all.
double worse(double a, double b) {
  return detail::is_nan(a) || detail::is_nan(b) ? std::numeric_limits<double>::max() : std::fmax(a, b);
}
void expect_near(double given, double wanted, double allowed, const char* what) {
  const bool near = std::fabs(given - wanted) <= allowed * std::fmax(1e-30, std::fabs(wanted));
  expect(near && !detail::is_nan(given), what, given);
}

/// The largest relative error of f beside `wanted` for x in [from, to].
template <class S, class F, class Wanted>
void expect_accurate(const char* what, double from, double to, double allowed, F f, Wanted wanted) {
  double worst = 0;
  for (int i = 0; i <= 20000; ++i) {
    const S x = static_cast<S>(from + (to - from) * i / 20000);
    const double exact = wanted(static_cast<double>(x));
    worst = worse(worst, std::fabs(static_cast<double>(f(Packet<S, 2>(x)).low.first()) - exact) / std::fabs(exact));
  }
  expect(worst <= allowed, what, worst);
}

template <class S>
void check_functions(double allowed) {
  const double most = std::is_same_v<S, float> ? 87 : 700;
  const auto exact_sigmoid = [](double x) { return 1 / (1 + std::exp(-x)); };
  const auto exact_softplus = [](double x) { return std::log1p(std::exp(x)); };
  expect_accurate<S>(
      "exp", -most, most, allowed, [](auto x) { return exp(x); }, [](double x) { return std::exp(x); });
  expect_accurate<S>(
      "sigmoid", -most, most, allowed, [](auto x) { return sigmoid(x); }, exact_sigmoid);
  expect_accurate<S>(
      "1 - sigmoid", -most, most, allowed, [](auto x) { return sigmoid_pair(x).complement; },
      [&](double x) { return exact_sigmoid(-x); });
  expect_accurate<S>(
      "tanh", 1e-4, 20, allowed, [](auto x) { return tanh(x); }, [](double x) { return std::tanh(x); });
  expect_accurate<S>(
      "softplus", -20, most, allowed, [](auto x) { return softplus(x); }, exact_softplus);
  expect_accurate<S>(
      "log", 2, 1e30, allowed, [](auto x) { return log(x); }, [](double x) { return std::log(x); });
  expect_accurate<S>(
      "scaled_exp", -0.45 * most, 0.45 * most, allowed, [](auto x) { return value_of(scaled_exp(x) * scaled_exp(x)); },
      [](double x) { return std::exp(2 * x); });
  expect_accurate<S>(
      "scaled_exp far out", -1000, 1000, 2 * allowed, [](auto x) { return value_of(scaled_exp(x) * scaled_exp(-x)); },
      [](double) { return 1.0; });
  // A gate that is shut leaves all of the state, also where the exponential is next to the largest number.
  for (const S k : {S(-80), S(-87.5), S(-88.2), S(-200), S(-1000)}) {
    const detail::Gate<Packet<S>, Arithmetic::linear> gate{Packet<S>(k)};
    expect_near(static_cast<double>(gate.complement.first()), 1, allowed, "the complement of a gate that is shut");
    expect(detail::unpack(gate.packed).smaller.first() < S(1e-30), "a gate that is shut", static_cast<double>(k));
  }
}

template <class S>
struct OneParameter {
  using Scalar = S;
  Parameter<S> p{3, 3};
  static void visit(auto& self, const Name& scope, auto&& visitor) { visitor(scope / "p", self.p); }
};

/// Numbers whose squares are out of range.
void check_ranges() {
  using Numbers = Matrix<double>;
  OneParameter<double> layer;
  for (const double size : {1e-200, 1.0, 1e200}) {
    layer.p.grad.setConstant(size);
    expect_near(gradient_norm(layer) / size, 3, 1e-12, "gradient_norm");
  }
  layer.p.grad.setConstant(1e200);
  clip_gradient_norm(layer, 1e-200);
  expect_near(layer.p.grad(1) / 1e-200, 1.0 / 3, 1e-12, "clip_gradient_norm");

  Numbers y = Numbers::Zero(4, 250), target = y;
  y(17) = 1e155;
  expect_near(mean_square(SequenceView<const double>(y), SequenceView<const double>(target)).loss / 1e307, 1, 1e-12,
              "mean_square");

  Matrix<float> x = Matrix<float>::Constant(4, 1, 1e30f);
  const auto norm_of_first = [&]<class Norm>(const Norm& norm) {
    typename Norm::State state;
    typename Norm::Cache cache;
    return static_cast<double>(*norm.infer(SequenceView<const float>(x), state, cache).data());
  };
  expect_near(norm_of_first(RmsNorm<float>(4)), 1, 2e-6, "RmsNorm");
  x.bottomRows(2) *= -1;
  expect_near(norm_of_first(LayerNorm<float>(4)), 1, 2e-6, "LayerNorm");
}

void expect_refused(const char* what, auto&& call) {
  bool refused = false;
  try {
    call();
  } catch (const std::invalid_argument&) {
    refused = true;
  }
  expect(refused, what, 0);
}

void check_arguments() {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  expect_refused("RmsNorm takes an epsilon that is NaN", [&] { RmsNorm<float>(4, {.epsilon = nan}); });
  expect_refused("LayerNorm takes an epsilon that is NaN", [&] { LayerNorm<float>(4, {.epsilon = nan}); });
  const RandomStream stream = Random(1).stream(0);
  expect_refused("RgLru takes a decay that is NaN", [&] { RgLru<float>(4, 4, stream, {.least_decay = nan}); });
  expect_refused("RgLru takes a decay that is NaN", [&] { RgLru<float>(4, 4, stream, {.most_decay = nan}); });
  const Linear<float> layer(Matrix<float>::Constant(2, 2, static_cast<float>(nan)));
  for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::int8})
    expect_refused("quantise takes a weight that is NaN", [&] { quantise(layer, format); });
  detail::promises::WorstElement worst;
  for (const double difference : {1.0, nan, 7.0}) worst.note(difference, 0.5, [] { return "somewhere"; });
  expect(worst.found() && detail::is_nan(worst.worst().difference), "a difference that is NaN is not the worst", 0);
}

/// A first step moves a weight by the rate, however small its gradient is, unless it is 0.
void check_adam() {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  OneParameter<float> layer;
  Adam adam(layer, {.learning_rate = 0.5f, .epsilon = 0});
  layer.p.value.setZero();
  layer.p.grad << 1e-20f, 0, -1e30f,  //
      nan, 0, -1e30f,                 //
      1e-20f, 0, -1e30f;
  const auto moved = [&](Index row, Index column) { return static_cast<double>(layer.p.value(row, column)); };
  expect(!adam.step(layer), "Adam::step does not say that a gradient is NaN", 0);
  expect(moved(1, 0) == 0, "a gradient that is NaN moves a weight", moved(1, 0));
  expect_near(moved(0, 0), -0.5, 1e-5, "Adam, small gradients");
  expect(moved(0, 1) == 0, "Adam, gradients of 0", moved(0, 1));
  expect_near(moved(0, 2), 0.5, 1e-5, "Adam, large gradients");
  expect(!detail::is_finite(clip_gradient_norm(layer, 1)), "the norm of gradients that are NaN", 0);
  expect(detail::is_nan(layer.p.grad(2, 2)), "clip_gradient_norm leaves a gradient where one is NaN", 0);
  adam.options.learning_rate = nan;
  expect_refused("Adam takes a learning rate that is NaN", [&] { adam.step(layer); });
}

void check_bits() {
  volatile float zero = 0;
  const float infinite = 1 / zero, nan = std::numeric_limits<float>::quiet_NaN();
  for (const float x : {0.0f, -0.0f, 1e-40f, std::numeric_limits<float>::max()})
    expect(detail::is_finite(x) && detail::is_finite(-x) && !detail::is_nan(x), "a number", static_cast<double>(x));
  expect(!detail::is_finite(infinite) && !detail::is_nan(-infinite), "infinity", 0);
  expect(f16_from_double(static_cast<double>(nan)) == 0x7e00 && bf16_from_double(static_cast<double>(nan)) == 0x7fc0,
         "NaN in 16 bits", 0);
  expect(!detail::is_finite(nan) && detail::is_nan(nan) && detail::is_nan(-static_cast<double>(nan)), "NaN", 0);
  Matrix<float> x = Matrix<float>::Ones(37, 2);
  expect(detail::all_finite(Columns<const float>(x)) && all_finite(Packet<float, 2>::load(x.data())), "all finite", 0);
  expect(detail::largest_if_finite<float>(37, Row<const float>{x.data()}) == 1, "the largest", 0);
  x(1, 0) = nan;
  expect(!detail::all_finite(Columns<const float>(x)) && !all_finite(Packet<float, 2>::load(x.data())), "one NaN", 0);
  expect(detail::largest_if_finite<float>(37, Row<const float>{x.data()}) == 0, "the largest beside NaN", 0);
}

/// Steps give what one call gives.
template <class Layer>
void check_steps(const char* name, Layer layer) {
  typename Layer::Cache cache, of_steps;
  Matrix<float> x(3, 40);
  Random random(3);
  for (Index n = 0; n < x.size(); ++n) x(n) = static_cast<float>(4 * random.normal());
  auto state = layer.initial_state(1), streamed = state;
  const auto h = layer.infer(SequenceView<const float>(x), state, cache);
  double worst = 0;
  for (Index t = 0; t < x.cols(); ++t) {
    const Matrix<float> frame = x.col(t);
    const auto h_t = layer.step(FrameView<const float>(frame), streamed, of_steps);
    for (Index i = 0; i < 8; ++i)
      worst = worse(worst, static_cast<double>(std::fabs(h_t.data()[i] - h.column(t, 0)[i])));
  }
  expect(worst < 1e-4, name, worst);
}

}  // namespace

int main(int count, char** arguments) {
#if defined(__AVX2__)
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 77;
#elif defined(__AVX__)
  if (!__builtin_cpu_supports("avx")) return 77;
#endif
  for (int time = 0; time < 2; ++time) {
    check_functions<float>(2e-6);
    check_functions<double>(1e-12);
#ifdef __SSE2__
    _mm_setcsr(_mm_getcsr() | 0x8040u);  // as programs for sound do: what is no normal number is 0
#endif
  }
  check_ranges();
  check_arguments();
  check_adam();
  check_bits();
  const Random random(2);
  check_steps("MinGru", MinGru<float>(3, 8, random.stream(0)));
  check_steps("MinGru in log space", MinGru<float, Candidate::positive, Arithmetic::log_space>(3, 8, random.stream(1)));
  Random own(1);
  auto net = tests::small_net(own);
  Adam adam(net, {.learning_rate = 0.01f});
  const double loss = tests::train_to_hold(net, adam, own).back();
  if (count > 1) expect_near(loss, std::atof(arguments[1]), 1e-3, "the loss of a short training");
  std::printf("%.9g\n", loss);
  return failures;
}
