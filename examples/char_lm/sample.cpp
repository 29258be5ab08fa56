// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "commands.hpp"

namespace char_lm {
namespace {

/// Draws a token from softmax(logits / temperature), among the top_k most likely; temperature 0 takes the most likely.
class Sampler {
 public:
  Sampler(const SampleSettings& settings, std::size_t vocabulary)
      : settings_(settings), random_(settings.seed), order_(vocabulary), weights_(vocabulary) {}

  std::int32_t operator()(const float* logits) {
    std::iota(order_.begin(), order_.end(), 0);
    const auto more_likely = [&](std::int32_t a, std::int32_t b) {
      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    };
    const std::size_t kept =
        settings_.top_k == 0 ? order_.size() : std::min(order_.size(), static_cast<std::size_t>(settings_.top_k));
    std::partial_sort(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(kept), order_.end(), more_likely);
    if (settings_.temperature == 0) return order_.front();
    double total = 0;
    for (std::size_t i = 0; i < kept; ++i)
      total += weights_[i] = std::exp((logits[order_[i]] - logits[order_[0]]) / settings_.temperature);
    double rest = random_.uniform() * total;
    for (std::size_t i = 0; i + 1 < kept; ++i)
      if ((rest -= weights_[i]) < 0) return order_[i];
    return order_[kept - 1];
  }

 private:
  const SampleSettings& settings_;
  minrnn::Random random_;
  std::vector<std::int32_t> order_;
  std::vector<double> weights_;
};

}  // namespace

int sample(const SampleSettings& settings) {
  if (settings.prompt.empty()) throw InputError("--prompt: wanted at least one character");
  return with_checkpoint(settings.checkpoint, [&](auto& model, const Vocabulary& vocabulary) {
    std::vector<std::int32_t> prompt;
    for (std::size_t i = 0; i < settings.prompt.size(); ++i)
      prompt.push_back(vocabulary.token(settings.prompt[i], "--prompt", i));

    typename std::remove_reference_t<decltype(model)>::Cache cache;
    auto state = model.initial_state(1);
    Sampler draw(settings, static_cast<std::size_t>(vocabulary.size()));
    const auto step = [&](const std::int32_t& token) {
      return model.step(minrnn::FrameView<const std::int32_t>(&token, 1), state, cache).data();
    };
    const float* logits = nullptr;
    for (const std::int32_t token : prompt) logits = step(token);
    std::fwrite(settings.prompt.data(), 1, settings.prompt.size(), stdout);
    for (std::int64_t i = 0; i < settings.length; ++i) {
      const std::int32_t token = draw(logits);
      std::fputc(vocabulary.symbol(token), stdout);
      if (std::fflush(stdout) != 0) return 1;  // nobody reads any more
      logits = step(token);
    }
    std::fputc('\n', stdout);
    return 0;
  });
}

}  // namespace char_lm
