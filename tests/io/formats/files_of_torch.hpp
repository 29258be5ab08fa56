// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>
#include <vector>

#include "io/folder.hpp"
#include "io/python.hpp"
#include "io/tensors.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/io/map_tensors.hpp"
#include "minrnn/io/safetensors.hpp"

/// Weights that PyTorch wrote compute here what they computed there, and go back bit for bit.
namespace minrnn::tests {

inline RandomStream stream(Index i = 0) { return Random(1).stream(i); }

template <class S>
std::string kind() {
  return std::is_same_v<S, float> ? ".float" : ".double";
}

/// y (F, T, B) of a layer, from a state of its own for each sequence, or from one of one sequence for all.
template <class In, class L>
std::vector<typename L::Scalar> answer(const L& layer, const StoredTensor& x, const typename L::State* first) {
  const auto values = values_of<std::conditional_t<std::is_same_v<In, std::int32_t>, std::int64_t, In>>(x);
  std::vector<In> input(values.begin(), values.end());
  const auto size = [&](std::size_t i) { return static_cast<Index>(x.shape[i]); };
  typename L::Cache cache;
  auto state = layer.initial_state(size(0));
  for (Index b = 0; first != nullptr && b < size(0); ++b) reset(state, b, *first);
  const auto y = layer.infer(SequenceView<const In>(input.data(), size(2), size(1), size(0)), state, cache);
  std::vector<typename L::Scalar> result;
  for (Index b = 0; b < y.batch(); ++b)
    for (Index t = 0; t < y.time(); ++t) result.insert(result.end(), y.column(t, b), y.column(t, b) + y.features());
  return result;
}

template <class In, class L>
void expect_answer(const L& layer, const TensorFile& run, const typename L::State* first = nullptr) {
  using S = typename L::Scalar;
  const auto y = answer<In>(layer, tensor_named(run, "x"), first), wanted = values_of<S>(tensor_named(run, "y"));
  ASSERT_EQ(y.size(), wanted.size());
  for (std::size_t i = 0; i < y.size(); ++i) {
    // Some hundred roundings of numbers of order 1.
    const double tolerance = (std::is_same_v<S, float> ? 1e-5 : 1e-12) * std::max(1.0, std::abs(double(wanted[i])));
    ASSERT_NEAR(y[i], wanted[i], tolerance) << "element " << i;
  }
}

class FilesOfTorch : public ::testing::Test {
 protected:
  Folder folder;

  /// The script that stands beside this file.
  int run_script(const std::string& command) {
    return run_python("formats/torch_files.py", command, (folder / "").string());
  }

  template <class In, class L>
  void check_layer(const std::string& name, const NameMap& map, L layer) {
    using S = typename L::Scalar;
    SCOPED_TRACE(name + kind<S>());
    const TensorFile theirs = read_safetensors(folder / (name + kind<S>() + ".safetensors"));
    const TensorFile run = read_safetensors(folder / (name + kind<S>() + ".run.safetensors"));
    import_tensors(theirs, map, layer);
    expect_answer<In>(layer, run);
    EXPECT_TRUE(same_tensors(to_ours(theirs, map), to_tensors(layer)));
    write_safetensors(folder / (name + kind<S>() + ".back.safetensors"), export_tensors(layer, map));
  }
  /// make(S()) makes a layer of sequences of S. In double, which shows the smallest difference.
  template <class Make>
  void check(const std::string& name, const NameMap& map, const Make& make) {
    check_layer<double>(name, map, make(double()));
  }
  template <class Make>
  void check_in_float_too(const std::string& name, const NameMap& map, const Make& make) {
    check(name, map, make);
    check_layer<float>(name, map, make(float()));
  }
  template <class Make>
  void check_model_of_tokens(const std::string& name, const NameMap& map, const Make& make) {
    check_layer<std::int32_t>(name, map, make(double()));
  }
};

/// Of a test with files in a folder, where they could not be written.
#define MINRNN_SKIP_WITHOUT_TORCH()                                                                   \
  do {                                                                                                \
    const int status = run_script("write");                                                           \
    if (status == 77) GTEST_SKIP() << MINRNN_TEST_PYTHON " has no torch: no file of PyTorch is read"; \
    ASSERT_EQ(status, 0);                                                                             \
  } while (false)

}  // namespace minrnn::tests
