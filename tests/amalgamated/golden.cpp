// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// A program of the two headers that cmake/amalgamate.cmake writes: PyTorch's numbers, a checkpoint, and the first
// program of README.md, which is the other translation unit of it.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>

#include "minrnn_all_io.hpp"
#include "support/golden.hpp"

int first_program();  // README.md's

namespace {
using namespace minrnn;
using namespace minrnn::tests;

static_assert(MINRNN_VERSION >= MINRNN_VERSION_MAJOR * 10000);
int failed = 0;

void expect(bool holds, const std::string& what) {
  if (!holds) std::printf("FAILED %s\n", what.c_str());
  failed += holds ? 0 : 1;
}
/// To 1e-12, as in tests/layers/golden_test.cpp.
void expect_near(SequenceView<const double> actual, const GoldenTensor& wanted, const std::string& what) {
  bool near_it = actual.size() == static_cast<Index>(wanted.values.size());
  for (Index i = 0; near_it && i < actual.size(); ++i) {
    const double b = wanted.values[static_cast<std::size_t>(i)];
    near_it = std::abs(actual.data()[i] - b) <= 1e-12 * std::fmax(1, std::abs(b));
  }
  expect(near_it, what);
}

/// Result and gradient of the input are PyTorch's, of weights that went through a file where `with_file` says so.
template <class Layer, bool with_file>
void check(const std::string& name) {
  const GoldenCase golden = read_golden("layers.txt").at(name + "_5_7");
  const auto x = golden_sequence<double>(golden.at("x")), dy = golden_sequence<double>(golden.at("dy"));
  Layer layer(5, 7, Random(1).stream(0));
  visit_parameters(layer, [&](const Name& parameter, Parameter<double>& p) {
    p.value = golden_weight<double>(golden.at("parameter/" + parameter.str()));
  });
  if constexpr (with_file) {
    const std::string file = "amalgamated_" + name + ".safetensors";
    save_checkpoint(file, layer);
    layer = Layer(5, 7, Random(2).stream(0));
    load_checkpoint(file, layer);
    std::filesystem::remove(file);
  }

  auto state = layer.initial_state(x.batch()), dstate = state;
  state.h = golden_state<double>(golden.at("state/h"));
  dstate.h = golden_state<double>(golden.at("dfinal/h"));
  typename Layer::Cache cache;
  expect_near(layer.forward(x.view(), state, cache), golden.at("y"), name + ".y");
  expect_near(layer.backward(dy.view(), dstate, cache), golden.at("dx"), name + ".dx");
}
}  // namespace

int main() {
  check<MinGru<double>, true>("min_gru_positive");
  check<MinLstm<double>, false>("min_lstm_normalised_positive");
  check<Gru<double>, false>("gru");
  expect(first_program() == 0, "the first program of README.md");
  return failed == 0 ? 0 : 1;
}
