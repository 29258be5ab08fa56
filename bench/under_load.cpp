// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// The first program of README.md on one worker and on all, while other processes keep every processor busy: what
// threads cost that the system does not run. For each number of busy processes on a processor, medians over alternating
// rounds.
#ifdef __unix__
#include <csignal>
#include <sys/wait.h>
#include <unistd.h>
#endif

#include <cstdio>
#include <memory>
#include <vector>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/loss/mean_square.hpp"
#include "minrnn/optim/adam.hpp"
#include "support/data.hpp"
#include "support/statistics.hpp"

#ifdef _OPENMP
#include "minrnn/core/open_mp.hpp"
#endif

namespace minrnn::bench {
namespace {

/// Of a number of steps of training, in seconds.
double train(int steps, const Context& context) {
  Random random(1);
  Sequential net{MinGru<float>(2, 16, random.stream(0)), Linear<float>(16, 1, random.stream(1))};
  Adam<float> adam(net, {.learning_rate = 0.01f});
  typename decltype(net)::Cache cache;
  Sequence<float> x(2, 64, 16), target(1, 64, 16), dy;
  fill(x.view(), random);
  fill(target.view(), random);
  return seconds_of([&] {
    for (int i = 0; i < steps; ++i) {
      auto state = net.initial_state(16);
      mean_square(net.forward(x, state, cache, context), SequenceView<const float>(target), dy, context);
      zero_gradients(net);
      net.backward(dy, cache, context);
      adam.step(net, context);
    }
  });
}

#ifdef __unix__
/// Processes that compute, as long as it lives.
class BusyProcesses {
 public:
  explicit BusyProcesses(unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
      const pid_t child = ::fork();
      if (child == 0)
        for (volatile unsigned n = 0;;) n = n + 1;
      if (child > 0) children_.push_back(child);
    }
  }
  BusyProcesses(const BusyProcesses&) = delete;
  BusyProcesses& operator=(const BusyProcesses&) = delete;
  ~BusyProcesses() {
    for (const pid_t child : children_) ::kill(child, SIGKILL);
    for (const pid_t child : children_) ::waitpid(child, nullptr, 0);
  }

 private:
  std::vector<pid_t> children_;
};

int run(int steps, int rounds) {
  const unsigned processors = std::thread::hardware_concurrency();
  std::printf("busy on each of %u  executor    workers  seconds  / one worker\n", processors);
  for (const unsigned busy : {0u, 1u, 4u}) {
    const BusyProcesses others(busy * processors);
    ThreadPool pool(processors);
    std::vector<std::pair<const char*, Executor*>> executors{{"none", nullptr}, {"ThreadPool", &pool}};
#ifdef _OPENMP
    OpenMp open_mp;
    executors.push_back({"OpenMp", &open_mp});
#endif
    std::vector<std::vector<double>> seconds(executors.size());
    for (int round = 0; round < rounds; ++round)
      for (std::size_t i = 0; i < executors.size(); ++i)
        seconds[i].push_back(train(steps, {.executor = executors[i].second}));
    for (std::size_t i = 0; i < executors.size(); ++i)
      std::printf("%15u  %-10s  %7td  %7.3f  %12.2f\n", busy, executors[i].first,
                  Context{.executor = executors[i].second}.workers(), median(seconds[i]),
                  median_ratio(seconds[i], seconds[0]));
  }
  return 0;
}
#endif

}  // namespace
}  // namespace minrnn::bench

int main(int argc, char** argv) {
#ifdef __unix__
  const int steps = argc > 1 ? std::atoi(argv[1]) : 1000, rounds = argc > 2 ? std::atoi(argv[2]) : 5;
  return minrnn::bench::run(steps, rounds);
#else
  return std::printf("needs fork\n"), 0;
#endif
}
