// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// What a forward keeps for each step, as the comment of its layer states it.
#include <gtest/gtest.h>

#include "alloc/counting.hpp"
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/unfold.hpp"

#include "support/threads.hpp"

namespace minrnn::tests {
namespace {

constexpr Index kInputs = 32, kFeatures = 64, kTime = 512;

/// Scalars that one more step of one more sequence takes of a forward's cache. Scratch of threads, packed weights and
/// whatever does not grow with the batch drop out of the difference.
template <class L>
double scalars_per_step(const L& layer) {
  const auto bytes = [&](Index batch) {
    Sequence<float> x(layer.input_size(), kTime, batch);
    std::fill_n(x.data(), x.size(), 0.5f);
    auto state = layer.initial_state(batch);
    typename L::Cache cache;
    const AllocationCount count;
    layer.forward(x.view(), state, cache, context());
    return count.bytes_of_new();
  };
  return static_cast<double>(bytes(64) - bytes(32)) / (32 * kTime * sizeof(float));
}

/// What is allocated for each sequence once, as its first state, is spread over its steps.
template <class L>
void expect_scalars(const L& layer, Index kept, Index output, const char* name) {
  const double wanted = static_cast<double>(kept + output);
  EXPECT_NEAR(scalars_per_step(layer), wanted, 0.01 * wanted + 1) << name;
}

TEST(Memory, OfAForwardIsWhatItsCommentStates) {
  Random random(1);
  expect_scalars(MinGru<float>(kInputs, kFeatures, random.stream(0)), 3 * kFeatures, 0, "minGRU: h is y");
  expect_scalars(MinLstm<float>(kInputs, kFeatures, random.stream(0)), 4 * kFeatures, 0, "minLSTM");
  expect_scalars(Gru<float>(kInputs, kFeatures, random.stream(0)), 5 * kFeatures, 0, "GRU");
  expect_scalars(Lstm<float>(kInputs, kFeatures, random.stream(0)), 6 * kFeatures, 0, "LSTM");
  expect_scalars(Linear<float>(kInputs, kFeatures, random.stream(0)), 0, kFeatures, "Linear");
  expect_scalars(Conv1d<float>(kInputs, 4, random.stream(0)), 0, kInputs, "Conv1d");
  expect_scalars(Unfold<float>(kInputs, 4), 0, 4 * kInputs, "Unfold");
  expect_scalars(Prelu<float>(kInputs), 0, kInputs, "Prelu");
  expect_scalars(RmsNorm<float>(kInputs), 1, kInputs, "RmsNorm");
  expect_scalars(Mlp<float>(kInputs, kFeatures, random.stream(0)), kFeatures, kInputs, "Mlp");
  expect_scalars(Mlp<float>(kInputs, kFeatures, random.stream(0), {.form = MlpForm::gated}), 2 * kFeatures, kInputs,
                 "gated Mlp");
  const MinGru<float> square(kInputs, kInputs, random.stream(0)), wide(kInputs, kFeatures, random.stream(0));
  expect_scalars(Highway(square, random.stream(1)), 4 * kInputs, kInputs, "highway around minGRU: k");
  expect_scalars(Bidirectional(wide, wide), 2 * 3 * kFeatures + kInputs, 2 * kFeatures, "bidirectional: x reversed");
  expect_scalars(Bidirectional(wide, wide, Join::added), 2 * 3 * kFeatures + kInputs, kFeatures,
                 "bidirectional, added");
  constexpr Index kChannels = 2 * kInputs, kStates = 16, kRank = 2;
  expect_scalars(Mamba<float>(kInputs, random.stream(0)),
                 6 * kChannels + kStates * kChannels / 64 + 2 * kStates + kRank, kInputs, "Mamba");
  // The position and the first key of each frame are no scalars of the layer, but as large.
  expect_scalars(Attention<float>(kInputs, 2, random.stream(0), {.head_size = 16, .window = 64}), 7 * 32 + 3 * 2 + 2,
                 kInputs, "attention");
}

}  // namespace
}  // namespace minrnn::tests
