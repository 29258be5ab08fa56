// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// A program to be started by mpirun: `same_bits` compares what all ranks compute with what one computes alone; the
// others are faults, which must end all ranks.
#include <csignal>
#include <cstdio>
#include <exception>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>

#include "minrnn/distributed/mpi_communicator.hpp"
#include "training.hpp"

namespace {

using namespace minrnn;
using namespace minrnn::tests;

bool has_same_bits(Communicator& ranks) {
  OneRank alone;
  const Result wanted = run_training(alone, {});
  bool same = true;
  for (const bool overlap : {true, false})
    for (const bool sharded : {true, false})
      for (const Index bucket_bytes : {Index{500}, Index{1} << 20})
        same &= run_training(ranks, {.bucket_bytes = bucket_bytes, .overlap = overlap}, sharded) == wanted;
  // A message beyond what is sent at once.
  const Index count = (Index{1} << 21) + 3;
  std::vector<float> numbers(static_cast<std::size_t>(count), static_cast<float>(ranks.rank() + 1));
  std::vector<float> scratch(static_cast<std::size_t>(count));
  detail::sum_over_ranks(ranks, numbers.data(), count, scratch.data());
  const float sum = static_cast<float>(ranks.size() * (ranks.size() + 1) / 2);
  return same && numbers == std::vector<float>(static_cast<std::size_t>(count), sum);
}

/// Trains until the fault that is named happens at step 2 on rank 2.
void train_until(std::string_view fault, Communicator& ranks) {
  Net net = make_net();
  DataParallel parallel(net, ranks, {.shards = fault == "settings" && ranks.rank() == 2 ? 16 : 8});
  Net::Cache cache;
  for (std::int64_t step = 0; step < 4; ++step)
    parallel.gradients(net,
                       [&](Index shard, const Context& context) {
                         const double loss = shard_gradient(net, step, shard, cache, context);
                         if (step != 2 || shard != 5) return loss;
                         if (fault == "not_a_number") return std::numeric_limits<double>::quiet_NaN();
                         if (fault == "exception") throw std::runtime_error("no memory");
                         if (fault == "killed") std::raise(SIGKILL);
                         return loss;
                       },
                       {.draw = step});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  MpiCommunicator ranks;
  try {
    if (what == "same_bits") return has_same_bits(ranks) ? 0 : 1;
    train_until(what, ranks);
    return 0;
  } catch (const SharedError& error) {
    if (ranks.rank() == 0) std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "rank %d: %s\n", static_cast<int>(ranks.rank()), error.what());
    ranks.abort(2);
  }
}
