// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "evaluate.hpp"

#include <cstdio>
#include <numbers>

#include "commands.hpp"

namespace char_lm {

int evaluate(const std::string& checkpoint, const std::string& data) {
  return with_checkpoint(checkpoint, [&](auto& model, const Vocabulary& vocabulary) {
    constexpr std::size_t kPiece = 4096;
    std::ifstream file = open_file(data);
    StreamLoss<std::remove_reference_t<decltype(model)>> loss(model, 1);
    std::string bytes(kPiece, '\0');
    std::vector<std::int32_t> tokens;  // the last of the piece before, then this piece
    for (std::size_t offset = 0; file; offset += static_cast<std::size_t>(file.gcount())) {
      file.read(bytes.data(), kPiece);
      const auto count = static_cast<std::size_t>(file.gcount());
      if (!tokens.empty()) tokens.front() = tokens.back(), tokens.resize(1);
      for (std::size_t i = 0; i < count; ++i) tokens.push_back(vocabulary.token(bytes[i], data, offset + i));
      const auto steps = static_cast<Index>(tokens.size()) - 1;
      if (steps > 0) loss.add({tokens.data(), 1, steps}, {tokens.data() + 1, 1, steps});
    }
    if (file.bad()) throw InputError(data + ": cannot be read");
    if (loss.count() == 0) throw InputError(data + ": wanted at least two characters");
    std::printf("%lld characters predicted\n", static_cast<long long>(loss.count()));
    std::printf("loss %.6f nats/char %.6f bits/char\n", loss.loss(), loss.loss() / std::numbers::ln2);
    return 0;
  });
}

}  // namespace char_lm
