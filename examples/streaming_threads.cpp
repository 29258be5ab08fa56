// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// One model, many streams.
//
// A layer holds weights and nothing else, so a const model needs no lock: each stream brings a State, what its past
// left behind, and a Cache, where its results lie. This program streams one model from several threads, frame by frame,
// and shows that each gets what one call over all its frames gives, bit for bit; and that a copy of a State is a fork
// of its stream.
#include <minrnn/minrnn.hpp>

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

using minrnn::Index;

namespace {

constexpr Index kInputs = 6, kHidden = 48, kOutputs = 3, kTime = 1000, kStreams = 8;

auto make_model() {
  const minrnn::Random random(1);
  const auto block = [&](Index i) {
    const auto own = random.stream(2 + i);
    return minrnn::Residual(minrnn::Sequential(minrnn::RmsNorm<float>(kHidden),
                                               minrnn::Conv1d<float>(kHidden, 4, own.stream(0)),
                                               minrnn::MinLstm<float>(kHidden, kHidden, own.stream(1))));
  };
  return minrnn::Sequential(minrnn::Linear<float>(kInputs, kHidden, random.stream(0)), minrnn::Stack(2, block),
                            minrnn::Linear<float>(kHidden, kOutputs, random.stream(1)));
}
using Model = decltype(make_model());

}  // namespace

int main() {
  const Model model = make_model();
  minrnn::Random random(2);
  minrnn::Sequence<float> x(kInputs, kTime, kStreams);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random.normal());
  const minrnn::SequenceView<const float> input = x;

  // What is expected: all sequences in one call.
  Model::Cache whole_cache;
  auto whole_state = model.initial_state(kStreams);
  const auto expected = model.infer(input, whole_state, whole_cache);

  std::vector<Index> differences(kStreams, 0), forked(kStreams, 0);
  std::vector<std::thread> threads;
  for (Index stream = 0; stream < kStreams; ++stream)
    threads.emplace_back([&, stream] {
      auto state = model.initial_state(1);
      Model::Cache cache;  // after the first step nothing is allocated
      const auto frames = input.sequences(stream, 1);
      const auto wrong = [&](minrnn::FrameView<const float> y, Index t) {
        return Index{!std::equal(y.data(), y.data() + kOutputs, expected.column(t, stream))};
      };
      auto fork = state;
      for (Index t = 0; t < kTime; ++t) {
        if (t == kTime / 2) fork = state;
        differences[static_cast<std::size_t>(stream)] += wrong(model.step(frames.frame(t), state, cache), t);
      }
      // The second half once more, from the copy: a look ahead that leaves the stream alone.
      for (Index t = kTime / 2; t < kTime; ++t)
        forked[static_cast<std::size_t>(stream)] += wrong(model.step(frames.frame(t), fork, cache), t);
    });
  for (auto& thread : threads) thread.join();

  bool same = true;
  for (std::size_t stream = 0; stream < static_cast<std::size_t>(kStreams); ++stream) {
    std::printf("stream %zu: %td frames, %td differ from infer; from a fork in the middle %td\n", stream, kTime,
                differences[stream], forked[stream]);
    same &= differences[stream] == 0 && forked[stream] == 0;
  }
  std::printf("%td threads, one model of %td parameters: %s\n", kStreams, parameter_count(model),
              same ? "the same bits" : "DIFFERENT");
  return same ? 0 : 1;
}
