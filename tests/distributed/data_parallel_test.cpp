// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/distributed/data_parallel.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "minrnn/core/thread_pool.hpp"
#include "support/message.hpp"
#include "thread_ranks.hpp"
#include "training.hpp"

namespace minrnn::tests {
namespace {

Result run_alone(const DataParallelOptions& options) {
  OneRank alone;
  return run_training(alone, options);
}

void expect_same_on_ranks(Index size, const DataParallelOptions& options, bool sharded, Executor* executor = nullptr) {
  const Result wanted = run_alone(options);
  std::vector<Result> given(static_cast<std::size_t>(size));
  const auto errors = run_ranks(size, [&](Communicator& ranks) {
    given[static_cast<std::size_t>(ranks.rank())] = run_training(ranks, options, sharded, executor);
  });
  for (std::size_t rank = 0; rank < errors.size(); ++rank) {
    EXPECT_EQ(errors[rank], "") << "rank " << rank << " of " << size;
    EXPECT_EQ(given[rank], wanted) << "rank " << rank << " of " << size;
  }
}

TEST(DataParallel, GivesTheSameBitsOnAnyNumberOfRanks) {
  for (const Index size : {1, 2, 4, 8})
    for (const bool overlap : {true, false})
      for (const Index bucket_bytes : {1, 500, 1 << 20})
        expect_same_on_ranks(size, {.bucket_bytes = bucket_bytes, .overlap = overlap}, false);
  expect_same_on_ranks(2, {.shards = 2}, false);
}

TEST(DataParallel, GivesTheSameBitsOnThreadsAndWithAShardedOptimizer) {
  ThreadPool pool(2, 0);
  OneRank alone;
  EXPECT_EQ(run_training(alone, {}, false, &pool), run_alone({}));
  for (const Index size : {1, 2, 4}) expect_same_on_ranks(size, {.bucket_bytes = 500}, true);
}

/// The equation of the head, without anything of the library's own.
std::vector<float> sum_of_shards(std::int64_t step, Index first, Index count, Index shards) {
  if (count == 1) {
    Net net = make_net();
    Net::Cache cache;
    shard_gradient(net, step, first, cache, {.draw = step * shards + first});
    std::vector<float> values;
    visit_parameters(
        net, [&](const Name&, const auto& p) { values.insert(values.end(), p.grad.data(), p.grad.data() + p.size()); });
    return values;
  }
  auto sum = sum_of_shards(step, first, count / 2, shards);
  const auto upper = sum_of_shards(step, first + count / 2, count / 2, shards);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += upper[i];
  return sum;
}

TEST(DataParallel, SumsByTheBinaryTreeOverShards) {
  for (const Index shards : {1, 2, 8, 16}) {
    auto wanted = sum_of_shards(3, 0, shards, shards);
    for (float& value : wanted) value /= static_cast<float>(shards);
    Net net = make_net();
    OneRank alone;
    DataParallel parallel(net, alone, {.shards = shards});
    Net::Cache cache;
    std::vector<Index> order;
    const double loss = parallel.gradients(net,
                                           [&](Index shard, const Context& context) {
                                             order.push_back(shard);
                                             EXPECT_EQ(context.draw, 3 * shards + shard);
                                             shard_gradient(net, 3, shard, cache, context);
                                             return static_cast<double>(shard);
                                           },
                                           {.draw = 3});
    EXPECT_EQ(loss, static_cast<double>(shards - 1) / 2);
    EXPECT_EQ(static_cast<Index>(order.size()), shards);
    std::vector<float> given;
    visit_parameters(
        net, [&](const Name&, const auto& p) { given.insert(given.end(), p.grad.data(), p.grad.data() + p.size()); });
    EXPECT_EQ(given, wanted) << shards << " shards";
  }
}

TEST(DataParallel, SendsGradientsBeforeTheBackwardHasEnded) {
  const auto errors = run_ranks(2, [&](ThreadCommunicator& ranks) {
    Net net = make_net();
    DataParallel parallel(net, ranks, {.shards = 2, .bucket_bytes = 1});
    Net::Cache cache;
    for (std::int64_t step = 0; step < 2; ++step)
      parallel.gradients(net,
                         [&](Index shard, const Context& context) {
                           const std::size_t before = ranks.bytes_sent();
                           const double loss = shard_gradient(net, step, shard, cache, context);
                           if (step == 0) return loss;
                           for (int polls = 0; polls < 1000 && ranks.bytes_sent() == before; ++polls)
                             std::this_thread::sleep_for(std::chrono::milliseconds(10));
                           EXPECT_GT(ranks.bytes_sent(), before);
                           return loss;
                         },
                         {.draw = step});
    EXPECT_GT(parallel.traffic().bytes_sent, 0);
    EXPECT_GT(parallel.traffic().seconds_reducing, 0);
  });
  EXPECT_EQ(errors, std::vector<std::string>(2));
}

/// y = f(f(x)) + c x with one layer f, and a number c that belongs to f's weights: what is told of them first is not
/// their last word. It hands the listener down and tells nothing itself.
class Twice {
 public:
  using Scalar = float;
  using State = Linear<float>::State;
  class Cache : public CacheBase {
    friend Twice;
    Sequential<Linear<float>>::Cache first_, second_;
    SequenceView<const float> x_;
    Output<float> y_, dx_;
  };

  explicit Twice(RandomStream stream) : f_(Linear<float>(4, 4, stream)) {}
  Index input_size() const { return 4; }
  Index output_size() const { return 4; }

  double gradient(SequenceView<const float> x, Cache& cache, const Context& context) {
    auto state = f_.initial_state(x.batch());
    const auto y = f_.forward(f_.forward(x, state, cache.first_, context), state, cache.second_, context);
    Sequence<float> dy;
    const double loss = mean_square<float>(y, x, dy, context).loss;
    f_.backward(f_.backward(dy.view(), cache.second_, context), cache.first_, context);
    if (late_factor != 0) visit_parameters(f_, [&](const Name&, auto& p) { p.grad += late_factor * p.value; });
    return loss;
  }
  float late_factor = 0;

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    Sequential<Linear<float>>::visit(self.f_, scope, visitor);
  }

 private:
  Sequential<Linear<float>> f_;
};

TEST(DataParallel, WaitsForTheLastUseOfWeightsThatAreUsedTwice) {
  for (const float late_factor : {0.0f, 0.5f}) {
    const auto train = [&](Communicator& ranks) {
      Twice net(Random(5).stream(0));
      net.late_factor = late_factor;
      DataParallel<float> parallel(net, ranks, {.shards = 4, .bucket_bytes = 1});
      Twice::Cache cache;
      std::vector<float> gradients;
      for (int step = 0; step < 3; ++step) {
        parallel.gradients(net, [&](Index shard, const Context& context) {
          Random random(Random(7).stream(step).stream(shard));
          Matrix<float> x(4, 6);
          fill_normal(x, random, 1);
          return net.gradient(x, cache, context);
        });
        visit_parameters(net, [&](const Name&, const auto& p) {
          gradients.insert(gradients.end(), p.grad.data(), p.grad.data() + p.size());
        });
      }
      return gradients;
    };
    OneRank alone;
    const auto wanted = train(alone);
    const auto errors = run_ranks(4, [&](Communicator& ranks) { EXPECT_EQ(train(ranks), wanted); });
    EXPECT_EQ(errors, std::vector<std::string>(4));
  }
}

TEST(DataParallel, RefusesWhatIsAddedBehindABackwardFromTheSecondStepOn) {
  const auto errors = run_ranks(2, [&](Communicator& ranks) {
    Twice net(Random(5).stream(0));
    DataParallel<float> parallel(net, ranks, {.shards = 2, .bucket_bytes = 1});
    Twice::Cache cache;
    for (const float late_factor : {0.0f, 0.5f}) {
      net.late_factor = late_factor;
      parallel.gradients(net, [&](Index shard, const Context& context) {
        Random random(Random(7).stream(shard));
        Matrix<float> x(4, 6);
        fill_normal(x, random, 1);
        return net.gradient(x, cache, context);
      });
    }
  });
  Index told = 0;
  for (const std::string& error : errors) {
    EXPECT_NE(error, "");
    told += error.find("added to behind the backward") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(told, 1);
}

TEST(DataParallel, StopsAllRanksWhereALossIsNoNumber) {
  const auto errors = run_ranks(4, [&](Communicator& ranks) {
    Net net = make_net();
    DataParallel parallel(net, ranks);
    Net::Cache cache;
    for (std::int64_t step = 0; step < 3; ++step)
      parallel.gradients(net,
                         [&](Index shard, const Context& context) {
                           const double loss = shard_gradient(net, step, shard, cache, context);
                           return step == 1 && shard == 5 ? std::numeric_limits<double>::quiet_NaN() : loss;
                         },
                         {.draw = step});
  });
  EXPECT_EQ(errors, std::vector<std::string>(4, "the loss of shard 5, on rank 2, is NaN"));
}

TEST(DataParallel, EndsAllRanksWhereOneThrows) {
  for (const Index bad_shard : {2, 3})  // of rank 1, the first and the last
    for (const std::int64_t bad_step : {0, 1}) {
      const auto errors = run_ranks(4, [&](Communicator& ranks) {
        Net net = make_net();
        DataParallel parallel(net, ranks, {.bucket_bytes = 1});
        Net::Cache cache;
        for (std::int64_t step = 0; step < 3; ++step)
          parallel.gradients(net,
                             [&](Index shard, const Context& context) {
                               const double loss = shard_gradient(net, step, shard, cache, context);
                               if (step == bad_step && shard == bad_shard) throw std::runtime_error("no memory");
                               return loss;
                             },
                             {.draw = step});
      });
      EXPECT_EQ(errors,
                (std::vector<std::string>{"a rank has gone", "no memory", "a rank has gone", "a rank has gone"}));
    }
}

/// Visits one parameter twice.
struct Doubled {
  using Scalar = float;
  Parameter<float> p{2, 2};

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "a", self.p);
    visitor(scope / "b", self.p);
  }
};

TEST(DataParallel, RefusesWhatDoesNotGoTogether) {
  Net net = make_net();
  OneRank alone;
  const auto options_text = [&](const DataParallelOptions& options) {
    return message_of<std::invalid_argument>([&] { DataParallel(net, alone, options); });
  };
  EXPECT_EQ(options_text({.shards = 6}), "DataParallel: shards: wanted a power of two, given 6");
  EXPECT_EQ(options_text({.shards = 0}), "DataParallel: shards: wanted a power of two, given 0");
  EXPECT_EQ(options_text({.bucket_bytes = 0}), "DataParallel: bucket_bytes: wanted at least 1, given 0");
  for (const Index size : {3, 16})
    EXPECT_EQ(
        run_ranks(size, [&](Communicator& ranks) { run_training(ranks, {}); }),
        std::vector<std::string>(
            static_cast<std::size_t>(size),
            "DataParallel: ranks: wanted a power of two of them, up to the 8 shards, given " + std::to_string(size)));

  const auto body = [](Index, const Context&) { return 0.0; };
  DataParallel parallel(net, alone);
  Linear<float> other(2, 3, Random(1).stream(0));
  EXPECT_EQ(message_of<std::invalid_argument>([&] { parallel.gradients(other, body); }),
            "DataParallel: parameter w: wanted that of the net that this was made for, given another");
  Doubled doubled;
  EXPECT_EQ(message_of<std::invalid_argument>([&] { DataParallel(doubled, alone); }),
            "DataParallel: net: wanted each parameter once in its visit, given one twice");
}

TEST(DataParallel, RefusesRanksThatDiffer) {
  EXPECT_EQ(run_ranks(4, [&](Communicator& ranks) { run_training(ranks, {.shards = ranks.rank() == 2 ? 16 : 8}); }),
            std::vector<std::string>(4, "rank 2 differs from rank 0 in the number of shards"));
  EXPECT_EQ(run_ranks(2,
                      [&](Communicator& ranks) {
                        Linear<float> net(2, ranks.rank() + 1, Random(1).stream(0));
                        DataParallel parallel(net, ranks);
                      }),
            std::vector<std::string>(2, "rank 1 differs from rank 0 in the parameters of the net"));
}

TEST(CheckAlike, NamesTheFirstRankThatDiffersAndInWhat) {
  const auto check_on_ranks = [&](const auto& settings_of) {
    return run_ranks(4, [&](Communicator& ranks) { check_alike(ranks, settings_of(ranks.rank())); });
  };
  using Settings = std::vector<SharedSetting>;
  EXPECT_EQ(check_on_ranks([](Index) {
              return Settings{{"data", "12"}, {"rate", "0.1"}};
            }),
            std::vector<std::string>(4));
  EXPECT_EQ(check_on_ranks([](Index rank) {
              return Settings{{"data", "12"}, {"rate", rank > 1 ? "0.2" : "0.1"}};
            }),
            std::vector<std::string>(4, "rank 2 differs from rank 0 in rate"));
  EXPECT_EQ(check_on_ranks([](Index rank) {
              return rank == 3 ? Settings{} : Settings{{"data", "12"}};
            }),
            std::vector<std::string>(4, "rank 3 differs from rank 0 in what there is to compare"));
}

}  // namespace
}  // namespace minrnn::tests
