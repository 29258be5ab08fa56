// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/distributed/collectives.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/distributed/broadcast.hpp"
#include "minrnn/layers/linear.hpp"
#include "support/message.hpp"
#include "thread_ranks.hpp"

namespace minrnn::tests {
namespace {

/// Numbers whose sum depends on the order, as they are of very different sizes.
std::vector<float> numbers_of(Index rank, Index count) {
  Random random(Random(3).stream(rank));
  std::vector<float> numbers;
  for (Index i = 0; i < count; ++i)
    numbers.push_back(static_cast<float>(random.normal() * (random.below(2) == 0 ? 1 : 1e6)));
  return numbers;
}

std::vector<float> tree_sum(Index first, Index ranks, Index count) {
  if (ranks == 1) return numbers_of(first, count);
  auto sum = tree_sum(first, ranks / 2, count);
  const auto upper = tree_sum(first + ranks / 2, ranks / 2, count);
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += upper[i];
  return sum;
}

TEST(Collectives, SumByTheBinaryTreeOverRanksWhateverTheCount) {
  for (const Index size : {1, 2, 4, 8})
    for (const Index count : {0, 1, 2, 3, 5, 8, 1000}) {
      const auto wanted = tree_sum(0, size, count);
      const auto errors = run_ranks(size, [&](ThreadCommunicator& ranks) {
        auto numbers = numbers_of(ranks.rank(), count);
        std::vector<float> scratch(static_cast<std::size_t>((count + 1) / 2));
        const Index sent = detail::sum_over_ranks(ranks, numbers.data(), count, scratch.data());
        EXPECT_EQ(numbers, wanted) << "rank " << ranks.rank() << " of " << size;
        EXPECT_EQ(static_cast<std::size_t>(sent) * sizeof(float), ranks.bytes_sent());
        EXPECT_LE(sent, 2 * count + 3) << "as many as there are, twice, and one for each half that is rounded up";
      });
      EXPECT_EQ(errors, std::vector<std::string>(static_cast<std::size_t>(size)));
    }
}

TEST(Collectives, ShareBlocksOfAnySizes) {
  const std::vector<Index> begins{0, 3, 3, 4, 10};
  const auto errors = run_ranks(4, [&](Communicator& ranks) {
    std::vector<int> data(10, -1);
    const auto own = static_cast<std::size_t>(ranks.rank());
    for (Index i = begins[own]; i < begins[own + 1]; ++i) data[static_cast<std::size_t>(i)] = static_cast<int>(i) * 7;
    detail::share_blocks(ranks, data.data(), begins);
    EXPECT_EQ(data, (std::vector<int>{0, 7, 14, 21, 28, 35, 42, 49, 56, 63}));
    double value = static_cast<double>(ranks.rank()) + 0.5;
    broadcast(ranks, value);
    EXPECT_EQ(value, 0.5);
    Linear<float> layer(2, 3, Random(1).stream(ranks.rank()));
    broadcast(ranks, layer);
    EXPECT_EQ(layer.weight(), Linear<float>(2, 3, Random(1).stream(0)).weight());
    std::vector<Index> all(8, -1);
    all[2 * own] = ranks.rank();
    all[2 * own + 1] = ranks.rank() + 10;
    detail::all_gather(ranks, all.data(), 2);
    EXPECT_EQ(all, (std::vector<Index>{0, 10, 1, 11, 2, 12, 3, 13}));
  });
  EXPECT_EQ(errors, std::vector<std::string>(4));
}

TEST(Collectives, RefuseANumberOfRanksThatIsNoPowerOfTwo) {
  EXPECT_EQ(run_ranks(3,
                      [&](Communicator& ranks) {
                        int value = 0;
                        broadcast(ranks, value);
                      }),
            std::vector<std::string>(3, "share_blocks: ranks: wanted a power of two of them, given 3"));
  OneRank alone;
  EXPECT_EQ(message_of<std::invalid_argument>([&] { alone.exchange(1, {}, {}); }),
            "OneRank::exchange: other: wanted another rank, of which there is none, given 1");
}

}  // namespace
}  // namespace minrnn::tests
