// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/recompute.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/language_model.hpp"
#include "minrnn/testing/any_layer.hpp"

namespace minrnn::tests {
namespace {

/// Keeps each parameter as it was when it was reported.
template <class Net>
class Reports final : public GradientListener {
 public:
  explicit Reports(const Net& net) : net_(net) {}
  void finished(const void* parameter) override {
    visit_parameters(net_, [&](const Name& name, const auto& p) {
      if (&p == parameter) reports_.push_back({name.str(), p.grad});
    });
  }

  /// The layers in the order of the reports, each once: the names without their last part.
  std::vector<std::string> layers() const {
    std::vector<std::string> layers;
    for (const auto& [name, grad] : reports_) {
      const std::string layer = name.substr(0, name.rfind('/'));
      if (layers.empty() || layers.back() != layer) layers.push_back(layer);
    }
    return layers;
  }
  /// Every parameter is reported once, when its gradient is what it is at the end.
  void expect_once_and_finished() const {
    Index parameters = 0;
    visit_parameters(net_, [&](const Name& name, const auto& p) {
      ++parameters;
      Index count = 0;
      for (const auto& [reported, grad] : reports_) {
        if (!name.is(reported)) continue;
        ++count;
        EXPECT_EQ(grad, p.grad) << reported;
      }
      EXPECT_EQ(count, 1) << name.str();
    });
    EXPECT_EQ(static_cast<Index>(reports_.size()), parameters);
  }

 private:
  const Net& net_;
  std::vector<std::pair<std::string, Matrix<float>>> reports_;
};

/// By the backward of a net of 3 features, each once and finished.
template <class Net>
std::vector<std::string> layers_told_of(Net& net) {
  Matrix<float> x(3, 7);
  Random numbers(2);
  fill_normal(x, numbers, 1);
  typename Net::Cache cache;
  auto state = net.initial_state(1);
  const auto y = net.forward(x, state, cache);
  Reports reports(net);
  net.backward(y, cache, {.listener = &reports});
  reports.expect_once_and_finished();
  return reports.layers();
}

TEST(GradientListener, IsToldOfEachLayerOfANetOnceItsGradientsAreFinished) {
  const Random random(1);
  const auto block = [&](Index i) {
    const RandomStream own = random.stream(i);
    return Residual(Sequential(MinGru<float>(3, 4, own.stream(0)), Linear<float>(4, 3, own.stream(1))));
  };
  Sequential net(Stack(2, block), Recompute(block(2), 2), Residual(Linear<float>(3, 3, random.stream(3))));
  EXPECT_EQ(layers_told_of(net), (std::vector<std::string>{"2", "1/1", "1/0", "0/1/1", "0/1/0", "0/0/1", "0/0/0"}));
}

TEST(GradientListener, IsToldOfBothDirectionsAndOfTheGateOfAHighway) {
  const Random random(1);
  const auto gru = [&](Index i) { return MinGru<float>(3, 3, random.stream(i)); };
  Sequential net(Highway(Sequential(gru(0)), random.stream(1)), Bidirectional(Sequential(gru(2)), gru(3)));
  EXPECT_EQ(layers_told_of(net), (std::vector<std::string>{"1/forward/0", "1/backward", "0/inner/0", "0"}));
}

TEST(GradientListener, IsToldOnceOfALayerWhoseTypeIsNotKnown) {
  const Random random(1);
  using Any = detail::erased::AnyLayer<float>;
  Sequential net(Any(Linear<float>(3, 3, random.stream(0))),
                 Any(Sequential(Linear<float>(3, 4, random.stream(1)), Linear<float>(4, 3, random.stream(2)))));
  EXPECT_EQ(layers_told_of(net), (std::vector<std::string>{"1/1", "1/0", "0"}));
}

TEST(GradientListener, IsToldOfThePartsOfALanguageModelInTheOrderOfItsBackward) {
  const Random random(1);
  LanguageModel<MinGru<float>> model(
      {.vocabulary = 5, .dim = 4, .layers = 1}, random.stream(0),
      [](Index inputs, Index features, RandomStream stream) { return MinGru<float>(inputs, features, stream); });
  Matrix<std::int32_t> tokens(1, 6);
  tokens << 0, 3, 1, 4, 2, 2;
  decltype(model)::Cache cache;
  auto state = model.initial_state(1);
  const auto logits = model.forward(tokens, state, cache, {.draw = 0});
  Reports reports(model);
  model.backward(logits, cache, {.listener = &reports});
  reports.expect_once_and_finished();
  const std::string mix = "blocks/0/mix/", feed = "blocks/0/feed/";
  EXPECT_EQ(reports.layers(), (std::vector<std::string>{"output", "norm", feed + "mlp", feed + "norm", mix + "down",
                                                        mix + "mixer", mix + "conv", mix + "norm", "embedding"}));
}

TEST(GradientListener, HearsNothingOfAPartOfACall) {
  const Linear<float> layer(2, 2, Random(1).stream(0));
  Reports reports(layer);
  const Context context{.draw = 4, .listener = &reports};
  EXPECT_EQ(context.part(0).listener, nullptr);
  EXPECT_EQ(context.part(0).draw, 4);
  EXPECT_EQ(context.part(1).listener, nullptr);
}

}  // namespace
}  // namespace minrnn::tests
