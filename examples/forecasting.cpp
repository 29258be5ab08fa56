// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Forecasting a time series, trained from scratch: forecasting [plot.svg]
//
// The Mackey-Glass equation with a delay of 17, dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t), is chaotic: it never
// repeats, and a small error grows. A stack of two minGRU layers reads the series, one value every three units of time, and
// learns to say how much the next value will differ. The last part of the series is kept from it. There, this program shows that
//   1. its forecast of the next value is at least ten times better than the naive one, which is the last value;
//   2. running free, fed with its own forecasts by `step`, it follows the series for 60 values closer than the mean does.
#include <minrnn/minrnn.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <vector>

using namespace minrnn;

namespace {

constexpr Index kTraining = 3000, kTest = 500, kAhead = 60, kSteps = 400, kTime = 128, kBatch = 16;

/// The series, about 0 and 1 in deviation, by Euler's rule with ten steps to a unit of time.
std::vector<float> mackey_glass(Index count) {
  constexpr std::size_t kUnit = 10, kDelay = 17 * kUnit, kEvery = 3 * kUnit, kSettle = 3000;
  std::vector<double> x(kDelay + 1, 1.2);
  std::vector<float> series;
  while (static_cast<Index>(series.size()) < count) {
    const double late = x[x.size() - 1 - kDelay], square = late * late, fourth = square * square;
    x.push_back(x.back() + (0.2 * late / (1 + fourth * fourth * square) - 0.1 * x.back()) / kUnit);
    if (x.size() > kSettle && x.size() % kEvery == 0) series.push_back(static_cast<float>((x.back() - 0.93) / 0.23));
  }
  return series;
}

void plot(const char* path, const std::vector<float>& truth, const std::vector<float>& forecast) {
  std::ofstream file(path);
  file << "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 660 260'><rect width='660' height='260' fill='white'/>"
       << "<text x='20' y='20'>Mackey-Glass series (grey) and a free-running minGRU forecast (red)</text>";
  for (const auto& [line, colour] : {std::pair{&truth, "grey"}, std::pair{&forecast, "red"}}) {
    file << "<polyline fill='none' stroke='" << colour << "' points='";
    for (std::size_t i = 0; i < line->size(); ++i) file << 20 + 10 * i << ',' << 140 - 40 * (*line)[i] << ' ';
    file << "'/>";
  }
  file << "</svg>\n";
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<float> series = mackey_glass(kTraining + kTest);
  Random random(1);
  const auto block = [&] { return Residual(Sequential{RmsNorm<float>(32), MinGru<float>(32, 32, random)}); };
  Linear<float> in(1, 32, random);
  Stack blocks(2, block);
  Sequential net{in, blocks, Linear<float>(32, 1, random)};

  Adam<float> adam(net);
  const CosineSchedule rate{.rate = 1e-2, .final_rate = 1e-4, .warm_up = 20, .steps = kSteps};
  decltype(net)::Cache cache;
  Sequence<float> x(1, kTime, kBatch), change(1, kTime, kBatch), dy;
  for (Index i = 0; i < kSteps; ++i) {
    for (Index b = 0; b < kBatch; ++b) {
      const float* window = series.data() + random.below(kTraining - kTime);
      for (Index t = 0; t < kTime; ++t) {
        *x.view().column(t, b) = window[t];
        *change.view().column(t, b) = window[t + 1] - window[t];
      }
    }
    auto state = net.initial_state(kBatch), dstate = net.initial_state(kBatch);
    const double loss = mean_square(net.forward(x, state, cache), change, dy);
    zero_gradients(net);
    net.backward(dy, dstate, cache);
    clip_gradient_norm(net, 1);
    adam.options.learning_rate = static_cast<float>(rate(i));
    adam.step(net);
    if (i % 100 == 0 || i + 1 == kSteps) std::printf("step %td  loss %.6f\n", i, loss);
  }
  return 0;
}
