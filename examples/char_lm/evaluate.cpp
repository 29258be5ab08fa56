// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "evaluate.hpp"

#include <cstdio>
#include <numbers>
#include <vector>

#include "commands.hpp"
#include "model.hpp"

namespace char_lm {

int evaluate(const std::string& checkpoint, const std::string& data) {
  return with_checkpoint(checkpoint, [&](auto& model, const Vocabulary& vocabulary) {
    FileReader file(data);
    StreamLoss<std::remove_reference_t<decltype(model)>> loss(model, 1);
    std::vector<std::int32_t> tokens;  // the last one of the piece before, then this piece
    std::uint64_t position = 0;
    for (auto bytes = file.read(kFrames); !bytes.empty(); bytes = file.read(kFrames)) {
      if (!tokens.empty()) tokens.assign(1, tokens.back());
      for (const char c : bytes) tokens.push_back(vocabulary.token(c, data, position++));
      if (tokens.size() > 1) loss.add({tokens.data(), 1, static_cast<Index>(tokens.size())});
    }
    if (loss.count() == 0) throw InputError(data + ": is too short: wanted at least two characters");
    std::printf("%lld characters predicted\n", static_cast<long long>(loss.count()));
    std::printf("loss %.6f nats/char %.6f bits/char\n", loss.loss(), loss.loss() / std::numbers::ln2);
    return 0;
  });
}

}  // namespace char_lm
