// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <type_traits>

#include "conformance/layers.hpp"
#include "conformance/listed_layer.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"

#include "support/weights.hpp"

namespace minrnn::tests {
namespace {

template <class L, class... Arguments>
constexpr bool takes = std::is_constructible_v<L, Arguments...>;

TEST(FirstWeights, AreTakenFromAStreamAndFromNothingElse) {
  static_assert(takes<Linear<float>, Index, Index, RandomStream> && !takes<Linear<float>, Index, Index, Random&>);
  static_assert(takes<MinGru<float>, Index, Index, RandomStream> && !takes<MinGru<float>, Index, Index, Random&>);
  static_assert(takes<Lstm<float>, Index, Index, RandomStream> && !takes<Lstm<float>, Index, Index, Random&>);
  static_assert(takes<Mamba<float>, Index, RandomStream> && !takes<Mamba<float>, Index, Random&>);
  static_assert(!takes<Linear<float>, Index, Index, int>, "a seed is no stream");
}

TEST(FirstWeights, AreThoseOfTheStreamInWhateverOrderLayersAreMade) {
  const Random random(5);
  const Linear<double> last(4, 2, random.stream(1));
  const MinGru<double> first(3, 4, random.stream(0));
  const auto wanted = weights_of(Sequential(first, last));
  EXPECT_EQ(weights_of(Sequential(MinGru<double>(3, 4, random.stream(0)), Linear<double>(4, 2, random.stream(1)))),
            wanted);
  EXPECT_EQ(weights_of(Sequential{MinGru<double>(3, 4, random.stream(0)), Linear<double>(4, 2, random.stream(1))}),
            wanted);
  EXPECT_NE(weights_of(MinGru<double>(3, 4, random.stream(1))), weights_of(first));
}

bool is_constant(const Matrix<double>& m) { return (m.array() == m(0)).all(); }

/// Where two parameters are filled with one stream, one is a multiple of the other, as far as the smaller goes.
void expect_streams_of_their_own(const std::string& of, const std::map<std::string, Matrix<double>>& weights) {
  int compared = 0;
  for (const auto& [name, m] : weights)
    for (const auto& [other_name, other] : weights) {
      if (name >= other_name || name.ends_with("a_log") || other_name.ends_with("a_log")) continue;
      if (is_constant(m) || is_constant(other)) continue;
      const Index size = std::min<Index>(m.size(), other.size());
      const Eigen::Map<const Eigen::VectorXd> a(m.data(), size), b(other.data(), size);
      EXPECT_LT(std::abs(a.dot(b)), 0.999 * a.norm() * b.norm()) << of << ": " << name << " and " << other_name;
      ++compared;
    }
  EXPECT_GT(compared, 0) << of;
}

TEST(FirstWeights, OfAllPartsAreDifferent) {
  const auto expect_of_layer = [](const std::string& name, const auto& layer) {
    const auto weights = weights_of(layer);
    const auto drawn =
        std::count_if(weights.begin(), weights.end(), [](const auto& w) { return !is_constant(w.second); });
    if (drawn > 1) expect_streams_of_their_own(name, weights);
  };
  conformance::for_each_layer(conformance::LayersOfNoOthers(), [&]<class Descriptor>(Descriptor) {
    expect_of_layer(std::string(Descriptor::name), Descriptor::template make<double>(5, 5, Random(1).stream(0)));
  });
  for (const auto& listed : conformance::listed_layers()) expect_of_layer(listed.name, listed.make<double>({5, 5}));
  const auto expect_of_model = [&]<class Mixer>(const std::string& name, auto make, std::type_identity<Mixer>) {
    const LanguageModel<Mixer> model({.vocabulary = 7, .dim = 6, .layers = 2}, Random(1).stream(0), make);
    expect_streams_of_their_own(name, weights_of(model));
  };
  expect_of_model(
      "a model of minGRU",
      [](Index inputs, Index features, RandomStream stream) { return MinGru<double>(inputs, features, stream); },
      std::type_identity<MinGru<double>>{});
  expect_of_model(
      "a model of Mamba", [](Index dim, Index, RandomStream stream) { return Mamba<double>(dim, stream); },
      std::type_identity<Mamba<double>>{});
}

}  // namespace
}  // namespace minrnn::tests
