// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Forecasting a time series, trained from scratch: forecasting [plot.svg]
//
// The Mackey-Glass equation dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t) is chaotic: it never repeats, and
// small errors grow. Two blocks around minGRU read one value every three units of time and learn how much the next one
// differs. On a part of the series that is kept from training:
//   1. the forecast of the next value is at least ten times better than the naive one, the last value;
//   2. running free, fed with its own forecasts by `step`, the model follows the series for 40 values (120 units
//      of time) with less than half the error of the naive forecast, and of the mean.
#include <minrnn/minrnn.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <vector>

using namespace minrnn;
constexpr Index kTraining = 3000, kTest = 500, kAhead = 40, kSteps = 300, kTime = 96, kBatch = 16, kDim = 32;

/// The series, scaled to mean 0 and deviation 1, by Euler's rule with ten steps to a unit of time.
std::vector<float> mackey_glass() {
  constexpr std::size_t kUnit = 10, kSettle = 3000;
  std::vector<double> x(17 * kUnit + 1, 1.2);
  std::vector<float> series;
  while (series.size() < kTraining + kTest) {
    const double late = x[x.size() - 1 - 17 * kUnit], square = late * late, fourth = square * square;
    x.push_back(x.back() + (0.2 * late / (1 + fourth * fourth * square) - 0.1 * x.back()) / kUnit);
    if (x.size() > kSettle && x.size() % (3 * kUnit) == 0) series.push_back(float((x.back() - 0.93) / 0.23));
  }
  return series;
}

void plot(const char* path, const Eigen::VectorXf& truth, const Eigen::VectorXf& forecast) {
  std::ofstream file(path);
  file << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 640 260'><rect width='640' height='260' fill='white'/>"
       << "<text x='20' y='20'>Mackey-Glass series (grey), free-running minGRU forecast (red)</text>";
  for (const auto& [line, colour] : {std::pair{&truth, "grey"}, std::pair{&forecast, "red"}}) {
    file << "<polyline fill='none' stroke='" << colour << "' points='";
    for (Index i = 0; i < line->size(); ++i) file << 20 + 12 * i << ',' << 140 - 40 * (*line)(i) << ' ';
    file << "'/>";
  }
  file << "</svg>\n";
}

int main(int argc, char** argv) {
  const std::vector<float> series = mackey_glass();
  Random random(1);
  const auto block = [&](Index i) {
    const RandomStream own = random.stream(2 + i);
    return Residual(Sequential(RmsNorm<float>(kDim), Conv1d<float>(kDim, 4, own.stream(0)),
                               MinGru<float>(kDim, kDim, own.stream(1)), Mlp<float>(kDim, 2 * kDim, own.stream(2))));
  };
  Sequential net(Linear<float>(1, kDim, random.stream(0)), Stack(2, block), Linear<float>(kDim, 1, random.stream(1)));

  Adam adam(net);
  const CosineSchedule rate{.rate = 1e-2, .final_rate = 1e-4, .warm_up = 20, .steps = kSteps};
  decltype(net)::Cache cache;
  ThreadPool pool;
  const Context context{.executor = &pool};
  Eigen::Tensor<float, 3> x(1, kTime, kBatch), change(1, kTime, kBatch);
  Sequence<float> dy;
  for (Index i = 0; i < kSteps; ++i) {
    for (Index b = 0; b < kBatch; ++b) {
      const float* window = series.data() + random.below(kTraining - kTime);
      for (Index t = 0; t < kTime; ++t) change(0, t, b) = window[t + 1] - (x(0, t, b) = window[t]);
    }
    auto state = net.initial_state(kBatch);
    const double loss = mean_square(net.forward(x, state, cache, context), change, dy).loss;
    zero_gradients(net);
    net.backward(dy, cache, context);
    clip_gradient_norm(net, 1);
    adam.options.learning_rate = static_cast<float>(rate(i));
    if (!adam.step(net, context)) std::printf("step %3td is skipped: its gradient is not finite\n", i);
    if (i % 50 == 0 || i + 1 == kSteps) std::printf("step %3td  loss %.5f\n", i, loss);
  }

  // The training part leaves a state behind; a copy of it goes along the truth, itself along the forecasts.
  auto state = net.initial_state(1);
  net.infer({series.data(), 1, kTraining}, state, cache);
  auto along_truth = state;
  const auto next = [&](float value, auto& from) { return value + *net.step({&value, 1}, from, cache).data(); };
  const Eigen::Map<const Eigen::VectorXf> truth(series.data() + kTraining, kTest);
  const auto ahead = truth.head(kAhead + 1);
  Eigen::VectorXf each = truth, free = ahead;
  for (Index t = 1; t < kTest; ++t) each(t) = next(truth(t - 1), along_truth);
  for (Index t = 1; t <= kAhead; ++t) free(t) = next(free(t - 1), state);

  const auto deviation = [](const auto& v) { return std::sqrt(v.squaredNorm() / static_cast<float>(v.size() - 1)); };
  const float error = deviation(each - truth), naive = deviation(truth.tail(kTest - 1) - truth.head(kTest - 1));
  const float free_error = deviation(free - ahead), free_mean = deviation(ahead);
  const float free_naive = deviation((ahead.array() - ahead(0)).matrix());
  std::printf("\nahead   truth  forecast\n");
  for (Index t = 0; t <= kAhead; t += 5) std::printf("%5td  %6.3f  %8.3f\n", t, ahead(t), free(t));
  std::printf("\nnext value: error %.3f, naive %.3f\n", error, naive);
  std::printf("%td values ahead: error %.3f, naive %.3f, mean %.3f\n", kAhead, free_error, free_naive, free_mean);
  if (argc > 1) plot(argv[1], ahead, free);
  return 10 * error < naive && 2 * free_error < std::min(free_naive, free_mean) ? 0 : 1;
}
