// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/checkpoint.hpp"

#include <gtest/gtest.h>

#include "conformance/fixture.hpp"
#include "io/folder.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

template <class L>
std::vector<Matrix<typename L::Scalar>> values_of_parameters(const L& layer) {
  std::vector<Matrix<typename L::Scalar>> values;
  visit_parameters(layer, [&](const Name&, const auto& p) { values.push_back(p.value); });
  return values;
}

class CheckpointConformance : public LayerTest {};

TEST_P(CheckpointConformance, AFreshLayerThatIsLoadedGivesTheSameBits) {
  const Folder folder;
  auto saved = make<float>(kOdd, 1);
  Random random(3);  // some parameters begin as the same in every layer
  visit_parameters(saved, [&](const Name&, auto& p) {
    p.value += random_matrix<float>(p.value.rows(), p.value.cols(), random, 0.1);
  });
  auto fresh = make<float>(kOdd, 2);
  using L = decltype(fresh);
  const auto path = folder / (GetParam().name + ".safetensors");
  save_checkpoint(path, saved);
  const Example example(saved, 7, 3);
  const auto wanted = infer(saved, example);
  if (parameter_count(saved) > 0) {
    EXPECT_NE(infer(fresh, example).at("y"), wanted.at("y"));
  }
  visit_parameters(fresh, [](const Name&, auto& p) { p.grad.setConstant(3); });
  load_checkpoint(path, fresh);
  EXPECT_TRUE(equal(infer(fresh, example), wanted));
  visit_parameters(fresh, [](const Name& name, const auto& p) {
    EXPECT_TRUE((p.grad.array() == 3).all()) << name.str() << ": a gradient is not part of a checkpoint";
  });

  // A state that is saved and loaded goes on where it was.
  auto state = state_after(saved, example.warm_up.view()), loaded = saved.initial_state(3);
  save_checkpoint(path, state);
  load_checkpoint(path, loaded);
  L::Cache cache;
  const auto y = to_matrix(saved.infer(example.input(), state, cache, context()));
  EXPECT_TRUE(equal<float>(to_matrix(fresh.infer(example.input(), loaded, cache, context())), y));
}

TEST_P(CheckpointConformance, WhatDoesNotFitThrowsAndChangesNothing) {
  const auto saved = make<float>(kOdd, 1);
  auto layer = make<float>(kOdd, 2);
  const auto before = values_of_parameters(layer);
  const TensorFile good = to_tensors(saved);
  const auto refused = [&](const TensorFile& file, const std::string& part) {
    EXPECT_TRUE(contains(message_of([&] { restore(file, layer); }), part));
    EXPECT_EQ(values_of_parameters(layer), before) << part;
  };

  TensorFile surplus = good;
  surplus.tensors.push_back({"no/such/name", Dtype::f32, {1}, std::vector<std::byte>(4)});
  refused(surplus, "no/such/name");
  if (good.tensors.empty()) return;  // a layer without parameters can but refuse what it does not know

  const std::string last = good.tensors.back().name;
  TensorFile renamed = good;
  renamed.tensors.back().name += "_";
  refused(renamed, last);
  TensorFile missing = good;
  missing.tensors.pop_back();
  refused(missing, last);
  TensorFile transposed = good;
  transposed.tensors.back().shape.push_back(1);
  refused(transposed, last);

  auto wide = make<double>(kOdd, 2);
  const auto wide_before = values_of_parameters(wide);
  EXPECT_TRUE(contains(message_of([&] { restore(good, wide); }), "F64"));
  EXPECT_EQ(values_of_parameters(wide), wide_before);
  auto large = make<float>({7, 36}, 2);
  const auto large_before = values_of_parameters(large);
  EXPECT_TRUE(contains(message_of([&] { restore(good, large); }), "7"));
  EXPECT_EQ(values_of_parameters(large), large_before);
}

MINRNN_TEST_ALL_LAYERS(CheckpointConformance);

}  // namespace
}  // namespace minrnn::tests
