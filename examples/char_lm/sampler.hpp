// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "commands.hpp"
#include "minrnn/core/random.hpp"
#include "text.hpp"

namespace char_lm {

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

}  // namespace char_lm
