// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstdio>
#include <type_traits>
#include <vector>

#include "commands.hpp"
#include "evaluate.hpp"
#include "model.hpp"
#include "sampler.hpp"
#include "support/console.hpp"

namespace char_lm {
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
