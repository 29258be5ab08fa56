// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "minrnn/io/safetensors.hpp"
#include "minrnn/io/tensor_file.hpp"
#include "support/checkpoints.hpp"
#include "support/errors.hpp"

namespace tool {

/// The best weights of a training so far: in its checkpoint, or here where it has none.
class BestWeights {
 public:
  explicit BestWeights(std::string checkpoint) : checkpoint_(std::move(checkpoint)) {}

  void keep(minrnn::TensorFile weights) {
    if (checkpoint_.empty())
      weights_ = std::move(weights);
    else
      minrnn::write_safetensors(path_of(checkpoint_), weights);
  }
  minrnn::TensorFile read() const {
    return checkpoint_.empty() ? weights_ : minrnn::read_safetensors(path_of(checkpoint_));
  }

 private:
  std::string checkpoint_;
  minrnn::TensorFile weights_;
};

/// Of a training that is to be resumed. Throws InputError where its best weights are missing, or not finite.
inline void check_best_weights(const std::string& checkpoint) {
  if (!std::filesystem::exists(path_of(checkpoint)))
    throw InputError(shown(checkpoint) + ": is missing: the best weights of the training to resume");
  check_finite(minrnn::read_safetensors(path_of(checkpoint)), "");
}

inline constexpr const char* kNotFinite = "the loss or a weight is not a finite number";

/// A training cannot go on from so many steps.
[[noreturn]] inline void diverge(std::int64_t steps, const std::string& what = kNotFinite) {
  throw Diverged(what + " at step " + std::to_string(steps + 1) + ": try a lower --learning-rate");
}

}  // namespace tool
