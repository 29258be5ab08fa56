// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "conformance/fixture.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/optim/adam.hpp"
#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

/// What a layer promises that carries what it saw for any time.
class Mixer : public LayerTest {};

TEST_P(Mixer, LearnsToHoldAnImpulse) {
  // 1 in the first feature at a random early step; from there to the end the output shall be 1, before it 0.
  constexpr Index kTime = 24, kBatch = 16;
  constexpr int kSteps = 400;
  constexpr double kLoss = 0.01;  // always 0 scores about 0.9, always the mean about 0.1
  auto mixer = make<float>({2, 8}, 11);
  Random random(12);
  Linear<float> readout(mixer.output_size(), 1, random.stream(0));
  AdamOptions<float> options;
  options.learning_rate = 0.03f;
  Adam<float> adam_mixer(mixer, options), adam_readout(readout, options);
  typename decltype(mixer)::Cache cache;
  Linear<float>::Cache readout_cache;
  Sequence<float> x(2, kTime, kBatch), target(1, kTime, kBatch), dy(1, kTime, kBatch);
  double loss = 0;
  for (int step = 0; step < kSteps; ++step) {
    for (Index b = 0; b < kBatch; ++b) {
      const Index impulse = static_cast<Index>(random.below(6));
      for (Index t = 0; t < kTime; ++t) {
        x.view().column(t, b)[0] = t == impulse ? 1.0f : 0.0f;
        x.view().column(t, b)[1] = static_cast<float>(random.symmetric(0.5));  // to be ignored
        *target.view().column(t, b) = t >= impulse ? 1.0f : 0.0f;
      }
    }
    auto state = mixer.initial_state(kBatch);
    NoState none;
    const auto y = readout.forward(mixer.forward(x.view(), state, cache, context()), none, readout_cache);
    loss = 0;
    for (Index i = 0; i < dy.size(); ++i) {
      const float error = y.data()[i] - target.data()[i];
      loss += static_cast<double>(error) * static_cast<double>(error) / static_cast<double>(dy.size());
      dy.data()[i] = 2 * error / static_cast<float>(dy.size());
    }
    zero_gradients(mixer);
    zero_gradients(readout);
    mixer.backward(readout.backward(dy.view(), readout_cache, context()), cache);
    adam_mixer.step(mixer);
    adam_readout.step(readout);
  }
  this->RecordProperty("loss", std::to_string(loss));
  EXPECT_LT(loss, kLoss) << "after " << kSteps << " steps";
}

std::vector<conformance::ListedLayer> mixers() {
  std::vector<conformance::ListedLayer> found;
  std::copy_if(conformance::listed_layers().begin(), conformance::listed_layers().end(), std::back_inserter(found),
               [](const auto& layer) { return layer.mixes; });
  return found;
}
INSTANTIATE_TEST_SUITE_P(AllMixers, Mixer, ::testing::ValuesIn(mixers()), layer_name);

}  // namespace
}  // namespace minrnn::tests
