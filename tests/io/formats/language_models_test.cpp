// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include "conformance/listed_layer.hpp"
#include "io/formats/files_of_torch.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/io/formats/mamba.hpp"
#include "minrnn/io/formats/min_gru_pytorch.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/models/mamba_language_model.hpp"
#include "minrnn/models/min_lm.hpp"
#include "minrnn/testing/any_layer.hpp"

namespace minrnn::tests {
namespace {

using conformance::erase;
using minrnn::detail::erased::AnyMixer;

class LanguageModels : public FilesOfTorch {
 protected:
  void check_minimal_layers();
  void check_mamba();
};

void LanguageModels::check_minimal_layers() {
  check_in_float_too("min_gru", lucidrains_mixer(), []<class S>(S) { return erase(MinGru<S>(5, 5, stream())); });
  check("min_lstm", lucidrains_mixer({.mixer = MinimalMixer::min_lstm}),
        []<class S>(S) { return erase(MinLstm<S>(5, 5, stream())); });
  check("projected_min_gru", lucidrains_mixer({.projection = true}), []<class S>(S) {
    return Sequential(named<"mixer">(erase(MinGru<S>(5, 7, stream(0)))),
                      named<"down">(erase(Linear<S>(7, 5, stream(1), {.bias = false}))));
  });
  check_model_of_tokens("min_lm", lucidrains_min_lm({.layers = 2}), []<class S>(S) {
    return make_min_lm<AnyMixer<S, false>>({.vocabulary = 11, .dim = 8, .layers = 2, .inner = 12, .mlp_inner = 32},
                                           stream(), [](Index inputs, Index features, RandomStream own) {
                                             return AnyMixer<S, false>(erase(MinGru<S>(inputs, features, own)));
                                           });
  });
  check_model_of_tokens(
      "min_lm_of_min_lstm",
      lucidrains_min_lm({.mixer = MinimalMixer::min_lstm, .layers = 2, .projection = false, .convolution = true}),
      []<class S>(S) {
        return make_min_lm<AnyMixer<S, false>, MinLmParts{.convolves = true, .projects = false}>(
            {.vocabulary = 11, .dim = 8, .layers = 2, .mlp_inner = 32}, stream(),
            [](Index inputs, Index features, RandomStream own) {
              return AnyMixer<S, false>(erase(MinLstm<S>(inputs, features, own)));
            });
      });
}

void LanguageModels::check_mamba() {
  const auto make = []<class S>(S) {
    return make_mamba_language_model<S>(
        {.vocabulary = 11, .dim = 8, .layers = 2, .mixer = {.states = 4, .kernel = 3, .delta_rank = 2}}, stream());
  };
  for (const bool original : {false, true}) {
    const MambaMapOptions options{.layers = 2, .delta_rank = 2, .original = original, .tied = !original};
    const std::string name = original ? "original_mamba" : "mamba";
    check_model_of_tokens(name, mamba_map(options), make);
    const auto found = mamba_options_of(read_safetensors(folder / (name + ".double.safetensors")));
    EXPECT_EQ(found.layers, 2);
    EXPECT_EQ(found.delta_rank, 2);
    EXPECT_EQ(found.original, original);
    EXPECT_EQ(found.tied, !original);
  }
}

// One test, as a start of Python with torch takes seconds.
TEST_F(LanguageModels, ComputeTheSameAndGoBackBitForBit) {
  MINRNN_SKIP_WITHOUT_TORCH();
  check_minimal_layers();
  check_mamba();
  EXPECT_EQ(run_script("compare"), 0);
}

}  // namespace
}  // namespace minrnn::tests
