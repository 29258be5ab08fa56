// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <vector>

#include "commands.hpp"
#include "model.hpp"

namespace char_lm {
namespace {

/// Draws a token from softmax(logits / temperature), among the top_k most likely; temperature 0 takes the most likely.
class Sampler {
 public:
  Sampler(const SampleSettings& settings, Index vocabulary)
      : temperature_(settings.temperature),
        kept_(settings.temperature == 0 ? 1
              : settings.top_k == 0     ? vocabulary
                                        : std::min(vocabulary, settings.top_k)),
        random_(settings.seed),
        order_(static_cast<std::size_t>(vocabulary)),
        weights_(static_cast<std::size_t>(kept_)) {}

  std::int32_t operator()(const float* logits) {
    std::iota(order_.begin(), order_.end(), 0);
    std::partial_sort(order_.begin(), order_.begin() + kept_, order_.end(), [&](std::int32_t a, std::int32_t b) {
      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    });
    if (kept_ == 1) return order_.front();
    double total = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i)
      total += weights_[i] = std::exp((logits[order_[i]] - logits[order_[0]]) / temperature_);
    double rest = random_.uniform() * total;
    for (std::size_t i = 0; i + 1 < weights_.size(); ++i)
      if ((rest -= weights_[i]) < 0) return order_[i];
    return order_[weights_.size() - 1];
  }

 private:
  double temperature_;
  Index kept_;
  minrnn::Random random_;
  std::vector<std::int32_t> order_;  // tokens, the most likely first
  std::vector<double> weights_;      // of the kept ones
};

}  // namespace

int sample(const SampleSettings& settings) {
  return with_checkpoint(settings.checkpoint, [&](auto& model, const Vocabulary& vocabulary) {
    std::vector<std::int32_t> prompt;
    for (std::size_t i = 0; i < settings.prompt.size(); ++i)
      prompt.push_back(vocabulary.token(settings.prompt[i], "--prompt", i));
    if (prompt.empty()) prompt.push_back(std::max(vocabulary.token('\n'), 0));

    typename std::remove_reference_t<decltype(model)>::Cache cache;
    auto state = model.initial_state(1);
    const auto step = [&](const std::int32_t& token) {
      return model.step(minrnn::FrameView<const std::int32_t>(&token, 1), state, cache).data();
    };
    const float* logits = nullptr;
    for (const std::int32_t token : prompt) logits = step(token);
    std::fwrite(settings.prompt.data(), 1, settings.prompt.size(), stdout);
    Sampler draw(settings, vocabulary.size());
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
