// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <type_traits>
#include <vector>

#include "commands.hpp"
#include "evaluate.hpp"
#include "model.hpp"
#include "support/console.hpp"

namespace char_lm {
namespace {

/// Draws a token from softmax(logits / temperature), among the top_k most likely, and of these among the fewest whose
/// probabilities come to top_p; temperature 0 takes the most likely.
class Sampler {
 public:
  Sampler(const SampleSettings& settings, Index vocabulary)
      : checkpoint_(settings.checkpoint),
        temperature_(settings.temperature),
        top_p_(settings.top_p),
        kept_(settings.temperature == 0 ? 1
              : settings.top_k == 0     ? vocabulary
                                        : std::min(vocabulary, settings.top_k)),
        random_(settings.seed),
        order_(static_cast<std::size_t>(vocabulary)),
        weights_(static_cast<std::size_t>(kept_)) {}

  /// Throws InputError where a logit is no finite number: there is no order among them then.
  std::int32_t operator()(const float* logits) {
    if (!std::all_of(logits, logits + order_.size(), [](float logit) { return std::isfinite(logit); }))
      throw InputError(shown(checkpoint_) + ": the model gives no finite numbers: its weights are too large");
    std::iota(order_.begin(), order_.end(), 0);
    std::partial_sort(order_.begin(), order_.begin() + kept_, order_.end(), [&](std::int32_t a, std::int32_t b) {
      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    });
    if (kept_ == 1) return order_.front();
    double total = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i)
      total += weights_[i] = std::exp((logits[order_[i]] - logits[order_[0]]) / temperature_);
    std::size_t count = weights_.size();
    if (top_p_ < 1) {
      double sum = weights_[0];
      for (count = 1; count < weights_.size() && sum < top_p_ * total; ++count) sum += weights_[count];
      total = sum;
    }
    double rest = random_.uniform() * total;
    for (std::size_t i = 0; i + 1 < count; ++i)
      if ((rest -= weights_[i]) < 0) return order_[i];
    return order_[count - 1];
  }

 private:
  const std::string& checkpoint_;
  double temperature_, top_p_;
  Index kept_;
  minrnn::Random random_;
  std::vector<std::int32_t> order_;  // tokens, the most likely first
  std::vector<double> weights_;      // of the kept ones
};

}  // namespace

int sample(const SampleSettings& settings) {
  const bool from_file = !settings.prompt_file.empty();
  std::string prompt = settings.prompt;
  if (from_file) {
    FileReader file(settings.prompt_file);
    for (auto piece = file.read(1 << 20); !piece.empty(); piece = file.read(1 << 20)) prompt += piece;
  }
  const std::uint64_t length = std::max<std::size_t>(prompt.size(), 1) + static_cast<std::uint64_t>(settings.length);
  return with_checkpoint(settings.checkpoint, length, settings.weights, [&](auto& model, const Vocabulary& vocabulary) {
    std::vector<std::int32_t> tokens;
    for (std::size_t i = 0; i < prompt.size(); ++i)
      tokens.push_back(vocabulary.token(prompt[i], from_file ? settings.prompt_file : "--prompt", i));
    if (tokens.empty()) tokens.push_back(std::max(vocabulary.token('\n'), 0));

    typename std::remove_cvref_t<decltype(model)>::Cache cache;
    auto start = model.initial_state(1);
    // A piece at a time, all but the last character of the prompt, after which each sample begins.
    const auto last = static_cast<Index>(tokens.size()) - 1;
    for (Index first = 0; first < last; first += kFrames)
      model.infer(minrnn::Tokens(tokens.data() + first, 1, std::min(kFrames, last - first)), start, cache);

    make_binary(stdout);
    Sampler draw(settings, vocabulary.size());
    const Clock clock;
    for (std::int64_t number = 0; number < settings.samples; ++number) {
      if (number > 0) say("---------------\n");
      auto state = start;
      const auto step = [&](const std::int32_t& token) {
        return model.step(minrnn::FrameView<const std::int32_t>(&token, 1), state, cache).data();
      };
      const float* logits = step(tokens.back());
      std::fwrite(prompt.data(), 1, prompt.size(), stdout);
      for (std::int64_t i = 0; i < settings.length; ++i) {
        const std::int32_t token = draw(logits);
        std::fputc(vocabulary.symbol(token), stdout);
        flush_output();
        logits = step(token);
      }
      std::fputc('\n', stdout);
      flush_output();
    }
    const double seconds = clock.seconds(), count = static_cast<double>(settings.samples * settings.length);
    std::fprintf(stderr, "%.0f characters in %.2f s: %.0f characters/s\n", count, seconds,
                 count / std::max(seconds, 1e-9));
    return 0;
  });
}

}  // namespace char_lm
