// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/compose/quantised.hpp"
#include "minrnn/io/checkpoint.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <type_traits>

#include "io/folder.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

template <class S>
auto make_model(std::uint64_t seed) {
  using Mixer = MinGru<S>;
  return LanguageModel<Mixer>(
      {.vocabulary = 70, .dim = 128, .layers = 3}, Random(seed).stream(0),
      [](Index inputs, Index features, RandomStream stream) { return Mixer(inputs, features, stream); });
}

template <class S>
class NarrowCheckpoint : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(NarrowCheckpoint, Scalars);

TYPED_TEST(NarrowCheckpoint, OfALanguageModelHasAFewOfItsBytesAndAllOfItsBits) {
  using S = TypeParam;
  const Folder folder;
  const auto model = make_model<S>(1);
  Matrix<std::int32_t> text(1, 40);
  for (Index t = 0; t < 40; ++t) text(0, t) = static_cast<std::int32_t>((7 * t) % 70);
  const auto logits_of = [&](const auto& any) {
    auto state = any.initial_state(1);
    typename std::remove_cvref_t<decltype(any)>::Cache cache;
    return to_matrix(any.infer(text, state, cache, context()));
  };
  save_checkpoint(folder / "full", model);
  const auto bytes_of = [&](const char* name) {
    return static_cast<double>(std::filesystem::file_size(folder / name));
  };
  for (const WeightFormat format : {WeightFormat::bf16, WeightFormat::int8}) {
    const auto narrow = quantise(model, format);
    const Matrix<S> wanted = logits_of(narrow);
    save_checkpoint(folder / "narrow", narrow);
    // A half or a quarter of float, and some percent of biases, norms, convolutions and scales.
    const double part = bytes_of("narrow") / bytes_of("full") * static_cast<double>(sizeof(S)) / 4;
    EXPECT_LE(part, sizeof(S) == 4 ? (format == WeightFormat::bf16 ? 0.51 : 0.27) : 0.53);
    auto loaded = quantise(make_model<S>(2), format);
    EXPECT_NE(logits_of(loaded), wanted);
    load_checkpoint(folder / "narrow", loaded);
    EXPECT_TRUE(equal(logits_of(loaded), wanted));

    auto of_other_format = quantise(model, format == WeightFormat::bf16 ? WeightFormat::int8 : WeightFormat::bf16);
    EXPECT_THROW(load_checkpoint(folder / "narrow", of_other_format), std::runtime_error);
    auto full = make_model<S>(3);
    if (format == WeightFormat::int8) {
      EXPECT_THROW(load_checkpoint(folder / "narrow", full), std::runtime_error);
    } else {
      load_checkpoint(folder / "narrow", full);
      EXPECT_TRUE(equal(logits_of(full), wanted)) << "the model with rounded weights";
    }
  }
  auto narrow = quantise(model, WeightFormat::bf16);
  EXPECT_THROW(load_checkpoint(folder / "full", narrow), std::runtime_error);
  EXPECT_THROW(load_checkpoint(folder / "full", narrow, Conversion::nearest), std::runtime_error)
      << "what was not rounded by quantise";
}

}  // namespace
}  // namespace minrnn::tests
