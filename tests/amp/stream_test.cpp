// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "alloc/counting.hpp"
#include "minrnn/core/random.hpp"
#include "network.hpp"

namespace amp {
namespace {

struct Case {
  std::string mixer;
  Index size, layers;
};
class Streams : public testing::TestWithParam<Case> {
 protected:
  static constexpr Index kCount = 1500;
  Streams()
      : network_(make_network({.mixer = GetParam().mixer, .size = GetParam().size, .layers = GetParam().layers},
                              minrnn::Random(3).stream(0))) {
    minrnn::Random random(1);
    for (Index t = 0; t < kCount; ++t) in_.push_back(static_cast<float>(random.normal()));
  }
  std::vector<float> play(Stream& stream, Index block) const {
    std::vector<float> out(in_.size());
    for (Index first = 0; first < kCount; first += block)
      stream.process(in_.data() + first, out.data() + first, std::min(block, kCount - first));
    return out;
  }
  std::unique_ptr<Network> network_;
  std::vector<float> in_;
};

TEST_P(Streams, GiveTheSameForAnyBlocks) {
  const auto stream = network_->stream({.input = 0.5, .output = 2});
  const auto wanted = play(*stream, kCount);
  for (const Index block : {1, 7, 64, 65, 1000}) {
    stream->reset();
    EXPECT_EQ(play(*stream, block), wanted) << block;
  }
  stream->reset();
  std::vector<float> in_place = in_;
  stream->process(in_place.data(), in_place.data(), kCount);
  EXPECT_EQ(in_place, wanted);
}

TEST_P(Streams, GiveWhatTheNetworkTrains) {
  const auto stream = network_->stream({.input = 1, .output = 1});
  const auto out = play(*stream, 64);
  network_->begin(1, 0);
  const auto y = network_->forward({in_.data(), 1, kCount}, {});
  for (Index t = 0; t < kCount; ++t)  // sums of up to 32 floats in another order, below 2
    ASSERT_NEAR(out[static_cast<std::size_t>(t)], *y.column(t, 0), 2e-6f) << t;
}

TEST_P(Streams, AllocateNothing) {
  const auto stream = network_->stream({});
  std::vector<float> out(in_.size());
  const minrnn::tests::AllocationCount count;
  for (Index first = 0; first + 100 <= kCount; first += 100)
    stream->process(in_.data() + first, out.data() + first, first % 200 == 0 ? 100 : 1);
  stream->reset();
  EXPECT_EQ(count.now(), 0);
}

TEST(Network, HasAGradientInSilenceWhereItsStateIsAwake) {
  const auto network = make_network({.mixer = "diagonal-gru", .size = 16, .layers = 2}, minrnn::Random(1).stream(0));
  const std::vector<float> silence(4096), dy(4096, 1.0f);
  const Network::View x(silence.data(), 1, 4096);
  const auto norm_from = [&](float value) {
    network->begin(1, value);
    network->warm_up(x, {});
    network->forward(x, {});
    return network->backward({dy.data(), 1, 4096}, 1, {});
  };
  EXPECT_FALSE(std::isfinite(norm_from(0)));  // what it is for
  EXPECT_TRUE(std::isfinite(norm_from(kAwake)));
}

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const std::string& mixer : mixer_names())
    for (const Index size : {8, 12, 16, 32})
      for (const Index layers : {1, 2}) all.push_back({mixer, size, layers});
  return all;
}
INSTANTIATE_TEST_SUITE_P(All, Streams, testing::ValuesIn(cases()), [](const auto& test) {
  std::string name = test.param.mixer + "_" + std::to_string(test.param.size) + "_" + std::to_string(test.param.layers);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

}  // namespace
}  // namespace amp
