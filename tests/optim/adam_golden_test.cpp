// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// Ten steps give torch.optim.Adam's and torch.optim.AdamW's numbers (tests/golden/make_golden.py).
#include <gtest/gtest.h>

#include "minrnn/optim/adam.hpp"
#include "support/golden.hpp"

namespace minrnn::tests {
namespace {

template <class S>
struct TwoParameters {
  Parameter<S> w, b;

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
    visitor(scope / "b", self.b);
  }
};

template <class S>
void check(const std::string& name, S weight_decay, double tolerance) {
  const GoldenCase golden = read_golden("adam.txt").at(name);
  TwoParameters<S> layer{Parameter<S>(4, 3), Parameter<S>(5)};
  layer.w.value = golden_weight<S>(golden.at("w"));
  layer.b.value = golden_weight<S>(golden.at("b"));
  Adam<S> adam(layer, {.learning_rate = S(1e-2),
                       .beta2 = S(0.99),
                       .weight_decay = weight_decay,
                       .decays = [](const std::string& parameter, int) { return parameter == "w"; }});
  for (int step = 0; step < 10; ++step) {
    const std::string n = std::to_string(step);
    layer.w.grad = golden_weight<S>(golden.at("dw" + n));
    layer.b.grad = golden_weight<S>(golden.at("db" + n));
    adam.step(layer);
    const Matrix<double> w = golden_weight<double>(golden.at("w" + n)), b = golden_weight<double>(golden.at("b" + n));
    EXPECT_LE((layer.w.value.template cast<double>() - w).cwiseAbs().maxCoeff(), tolerance) << name << ", step " << n;
    EXPECT_LE((layer.b.value.template cast<double>() - b).cwiseAbs().maxCoeff(), tolerance) << name << ", step " << n;
  }
  EXPECT_EQ(adam.steps(), 10);
}

// The parameters are of order 1, so these are relative errors.
TEST(AdamGolden, AdamInDouble) { check<double>("adam", 0, 1e-12); }
TEST(AdamGolden, AdamWInDouble) { check<double>("adamw", 0.1, 1e-12); }
TEST(AdamGolden, AdamInFloat) { check<float>("adam", 0, 1e-5); }
TEST(AdamGolden, AdamWInFloat) { check<float>("adamw", 0.1f, 1e-5); }

}  // namespace
}  // namespace minrnn::tests
