// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/formats/min_rnns.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "io/formats/files_of_torch.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/models/min_lm.hpp"

namespace minrnn::tests {
namespace {

// Neither gamma + 1 nor the scale of an MLP comes back bit for bit, but what comes back computes the same.
TEST_F(FilesOfTorch, OfMinRnnsComputeTheSame) {
  MINRNN_SKIP_WITHOUT_TORCH();
  const auto check_both = [&](const std::string& name, MinRnnsOptions options, auto model) {
    SCOPED_TRACE(name);
    options.layers = 2;
    options.convolution = options.initial_state = true;
    const NameMap map = min_rnns_map(options);
    const TensorFile theirs = read_safetensors(folder / (name + ".double.safetensors"));
    const TensorFile run = read_safetensors(folder / (name + ".double.run.safetensors"));
    const MinRnnsOptions found = min_rnns_options_of(theirs);
    EXPECT_TRUE(found.mixer == options.mixer && found.layers == 2 && found.convolution && found.initial_state);
    import_tensors(theirs, map, model);
    expect_answer<std::int32_t>(model, run);
    const TensorFile back = export_tensors(model, map);
    EXPECT_EQ(tensor_named(back, "layers.1.2.init_hidden_state").bytes,
              tensor_named(theirs, "layers.1.2.init_hidden_state").bytes);
    visit_parameters(model, [](const Name&, auto& parameter) { parameter.value.setZero(); });
    import_tensors(back, map, model);
    expect_answer<std::int32_t>(model, run);
  };
  const MinLmOptions options{.vocabulary = 11,
                             .dim = 8,
                             .layers = 2,
                             .inner = 12,
                             .mlp_inner = 16,
                             .mlp = {.form = MlpForm::gated, .gelu = GeluForm::exact},
                             .down_bias = true,
                             .epsilon = kMinRnnsEpsilon};
  constexpr MinLmParts kParts{.convolves = true};
  const MinimalOptions learns{.learn_initial_state = true};
  using Gru = MinGru<double>;
  using Lstm = MinLstm<double, GateScaling::unnormalised>;
  check_both("official_min_gru", {.mixer = MinimalMixer::min_gru},
             make_min_lm<Gru, kParts>(options, stream(), [&](Index inputs, Index features, RandomStream own) {
               return Gru(inputs, features, own, learns);
             }));
  check_both("official_min_lstm", {.mixer = MinimalMixer::min_lstm},
             make_min_lm<Lstm, kParts>(options, stream(), [&](Index inputs, Index features, RandomStream own) {
               return Lstm(inputs, features, own, learns);
             }));
}

}  // namespace
}  // namespace minrnn::tests
