// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "evaluate.hpp"

#include <cmath>
#include <cstdio>
#include <limits>
#include <numbers>
#include <optional>
#include <type_traits>
#include <vector>

#include "commands.hpp"
#include "model.hpp"
#include "support/console.hpp"

namespace char_lm {

int evaluate(const std::string& checkpoint, std::optional<minrnn::WeightFormat> weights, const std::string& data,
             minrnn::Executor& executor) {
  FileReader file(data);
  const std::uint64_t size = file.size();
  const std::uint64_t length = size > 0 ? size : std::numeric_limits<std::uint64_t>::max();
  return with_checkpoint(checkpoint, length, weights, [&](auto& model, const Vocabulary& vocabulary) {
    StreamLoss<std::remove_cvref_t<decltype(model)>> loss(model, 1, executor);
    std::vector<std::int32_t> tokens;  // the last one of the piece before, then this piece
    std::uint64_t position = 0;
    const Clock clock;
    Meter meter(stderr);
    for (auto bytes = file.read(kFrames); !bytes.empty(); bytes = file.read(kFrames)) {
      if (!tokens.empty()) tokens.assign(1, tokens.back());
      for (const char c : bytes) tokens.push_back(vocabulary.token(c, data, position++));
      if (tokens.size() > 1) loss.add({tokens.data(), 1, static_cast<Index>(tokens.size())});
      if (loss.count() > 0 && !std::isfinite(loss.loss()))
        throw InputError(shown(checkpoint) + ": the loss is not a finite number: the weights are too large");
      meter.update([&] {
        const auto done = static_cast<double>(position);
        std::string text = std::to_string(position);
        if (size > 0) text += " of " + std::to_string(size);
        text += " characters";
        if (size > 0) text += "  left " + duration_text(clock.seconds() * (static_cast<double>(size) / done - 1));
        return text;
      });
    }
    if (loss.count() == 0) throw InputError(shown(data) + ": is too short: wanted at least two characters");
    meter.clear();
    say("%lld characters predicted\n", static_cast<long long>(loss.count()));
    say("loss %.6f nats/char %.6f bits/byte\n", loss.loss(), loss.loss() / std::numbers::ln2);
    return 0;
  });
}

}  // namespace char_lm
