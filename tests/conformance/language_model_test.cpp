// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/models/language_model.hpp"

#include <gtest/gtest.h>

#include "conformance/listed_layer.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "support/difference.hpp"
#include "support/run.hpp"

// A model reads tokens, not numbers, so that it is no layer of the conformance suite: the same promises, tested here.
namespace minrnn::tests {
namespace {

using minrnn::detail::erased::AnyMixer;

constexpr Index kVocabulary = 11;

/// A model around it is compiled once for each scalar, whatever the mixer.
template <class Mixer>
using Any = AnyMixer<typename Mixer::Scalar, MixerWithProjections<Mixer>>;

template <class Mixer>
LanguageModel<Any<Mixer>> make_model(double dropout = 0, std::uint64_t seed = 1) {
  return LanguageModel<Any<Mixer>>(
      {.vocabulary = kVocabulary, .dim = 6, .layers = 2, .kernel = 3, .mlp_factor = 2, .dropout = dropout},
      Random(seed).stream(0), [&](Index inputs, Index features, RandomStream stream) {
        if constexpr (std::is_same_v<Mixer, Attention<typename Mixer::Scalar>>)
          return Any<Mixer>(conformance::erase(Mixer(inputs, 1, stream, {.window = 5})));
        else if constexpr (MixerWithProjections<Mixer>)
          return Any<Mixer>(conformance::erase(Mixer(inputs, stream)));
        else
          return Any<Mixer>(conformance::erase(Mixer(inputs, features, stream)));
      });
}

struct Text {
  Sequence<std::int32_t> tokens, targets;
  std::vector<std::uint8_t> flags;

  Text(Index time, Index batch, std::initializer_list<std::pair<Index, Index>> starts = {})
      : tokens(1, time, batch), targets(1, time, batch), flags(starts_at(time, batch, starts)) {
    Random random(4);
    for (Index i = 0; i < tokens.size(); ++i) {
      tokens.data()[i] = static_cast<std::int32_t>(random.below(kVocabulary));
      targets.data()[i] = static_cast<std::int32_t>(random.below(kVocabulary + 1)) - 1;  // some are ignored
    }
  }
  Tokens input() const { return tokens.view().with_starts(flags.data()); }
};

template <class Model>
void expect_gradients(Model model) {
  const Text text(7, 3, {{0, 0}, {3, 0}, {6, 2}});
  Sequence<double> dlogits;
  const auto loss = [&] {
    typename Model::Cache cache;
    auto state = model.initial_state(3);
    return softmax_cross_entropy(model.forward(text.input(), state, cache, context()), text.targets.view(), dlogits)
        .loss;
  };
  typename Model::Cache cache;
  auto state = model.initial_state(3);
  zero_gradients(model);
  softmax_cross_entropy(model.forward(text.input(), state, cache, context()), text.targets.view(), dlogits);
  model.backward(dlogits.view(), cache, context());
  double worst = 0;
  visit_parameters(model, [&](const Name& name, auto& p) {
    double largest = 0;
    for (Index i = 0; i < p.size(); ++i) {
      const double error = std::abs(p.grad.data()[i] - central_difference(p.value.data()[i], 1e-6, loss));
      largest = std::isnan(error) ? error : std::max(largest, error);
    }
    // Rounding of 1e-9; the third derivative of the normalisation, steep after an embedding of order 0.02, adds 4e-8.
    EXPECT_LE(largest, 1e-7) << name.str();
    EXPECT_GT(p.grad.norm(), 0) << name.str() << " has no gradient";
    worst = std::max(worst, largest);
  });
  std::cout << "worst gradient error of a language model: " << worst << "\n";
}

TEST(LanguageModel, GradientsOfItsLossEqualCentralDifferences) {
  expect_gradients(make_model<MinGru<double>>());
  expect_gradients(make_model<Mamba<double>>());
  expect_gradients(make_model<Attention<double>>());
}

template <class Model>
void expect_one_answer(const Model& model) {
  const Text text(19, 3, {{0, 1}, {7, 0}, {8, 0}, {18, 2}});
  const Tokens tokens = text.input();
  typename Model::Cache cache;
  auto state = model.initial_state(3);
  const Matrix<float> whole = to_matrix(model.forward(tokens, state, cache, context()));
  const auto equal_state = [&](typename Model::State& a, typename Model::State& b) {
    const auto of_a = matrices_of<Model>(a), of_b = matrices_of<Model>(b);
    ASSERT_FALSE(of_a.empty());
    for (std::size_t i = 0; i < of_a.size(); ++i) EXPECT_TRUE(equal(*of_a[i], *of_b[i], "state"));
  };

  auto inferred = model.initial_state(3);
  EXPECT_TRUE(equal<float>(to_matrix(model.infer(tokens, inferred, cache, context())), whole));
  equal_state(inferred, state);

  auto chunked = model.initial_state(3), streamed = model.initial_state(3);
  for (const auto& [first, count] : {std::pair<Index, Index>{0, 5}, {5, 1}, {6, 13}}) {
    const auto y = model.infer(tokens.chunk(first, count), chunked, cache, context());
    for (Index b = 0; b < 3; ++b)
      EXPECT_TRUE(equal<float>(y.matrix(b), whole.middleCols(19 * b + first, count), "chunk"));
  }
  equal_state(chunked, state);
  for (Index t = 0; t < 19; ++t) {
    const Matrix<float> y = model.step(tokens.frame(t), streamed, cache, context()).matrix();
    for (Index b = 0; b < 3; ++b) EXPECT_TRUE(equal<float>(y.col(b), whole.col(19 * b + t), "step"));
  }
  equal_state(streamed, state);

  // The segment that begins at (8, 0) alone.
  auto fresh = model.initial_state(1);
  EXPECT_TRUE(equal<float>(
      to_matrix(model.infer(Tokens(text.tokens.view()).sequences(0, 1).chunk(8, 11), fresh, cache, context())),
      whole.middleCols(8, 11), "segment"));
}

TEST(LanguageModel, HasOneAnswerForEveryWayToRunIt) {
  expect_one_answer(make_model<MinGru<float>>());
  expect_one_answer(make_model<MinLstm<float>>());
  expect_one_answer(make_model<Mamba<float>>());
}

TEST(LanguageModel, DropsInForwardAloneAsTheDrawSays) {
  const auto model = make_model<MinGru<float>>(0.3);
  const Text text(9, 2);
  decltype(make_model<MinGru<float>>())::Cache cache;
  const auto forward = [&](std::int64_t draw, auto&& used) {
    auto state = model.initial_state(2);
    return to_matrix(model.forward(text.input(), state, used, {.draw = draw}));
  };
  const auto infer = [&] {
    auto state = model.initial_state(2);
    return to_matrix(model.infer(text.input(), state, cache));
  };
  const Matrix<float> first = forward(0, cache), second = forward(1, cache);
  EXPECT_NE(first, second);
  EXPECT_NE(first, infer());
  EXPECT_EQ(infer(), infer());
  EXPECT_TRUE(equal(forward(0, cache), first));
  EXPECT_TRUE(equal(forward(1, decltype(cache)()), second)) << "a fresh cache has the same masks";
  auto state = model.initial_state(2);
  EXPECT_THROW(model.forward(text.input(), state, cache), std::invalid_argument)
      << "which would have one mask for ever";
}

TEST(LanguageModel, RefusesTokensBeyondItsVocabulary) {
  const auto model = make_model<MinGru<float>>();
  Text text(5, 2);
  for (const std::int32_t bad : {static_cast<std::int32_t>(kVocabulary), -1}) {
    text.tokens.data()[7] = bad;
    decltype(make_model<MinGru<float>>())::Cache cache;
    auto state = model.initial_state(2);
    try {
      model.forward(text.input(), state, cache, context());
      ADD_FAILURE() << "nothing thrown for " << bad;
    } catch (const std::invalid_argument& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find("tokens"), std::string::npos) << message;
      EXPECT_NE(message.find(std::to_string(bad)), std::string::npos) << message;
    }
  }
}

TEST(LanguageModel, TokensMayChangeBetweenForwardAndBackward) {
  auto model = make_model<MinGru<double>>();
  using Model = decltype(model);
  const Text text(7, 3);
  Sequence<double> dlogits;
  const auto gradients = [&](bool change) {
    typename Model::Cache cache;
    auto state = model.initial_state(3);
    Sequence<std::int32_t> tokens(1, 7, 3);
    std::copy_n(text.tokens.data(), 21, tokens.data());
    zero_gradients(model);
    softmax_cross_entropy(model.forward(tokens.view(), state, cache, context()), text.targets.view(), dlogits);
    if (change) std::fill_n(tokens.data(), 21, std::int32_t{1'000'000});
    model.backward(dlogits.view(), cache, context());
    Results<double> results;
    add_gradients(results, model);
    return results;
  };
  EXPECT_TRUE(equal(gradients(true), gradients(false)));
}

TEST(LanguageModel, RefusesABackwardThatNoForwardPrepared) {
  auto model = make_model<MinGru<double>>();
  using Model = decltype(model);
  const Text text(7, 3);
  Sequence<double> dlogits;
  typename Model::Cache cache;
  auto state = model.initial_state(3);
  softmax_cross_entropy(model.infer(text.input(), state, cache, context()), text.targets.view(), dlogits);
  EXPECT_THROW(model.backward(dlogits.view(), cache, context()), std::invalid_argument);
  model.forward(text.input(), state, cache, context());
  model.step(text.input().frame(0), state, cache, context());
  EXPECT_THROW(model.backward(dlogits.view(), cache, context()), std::invalid_argument);
  state = model.initial_state(3);
  model.forward(text.input(), state, cache, context());
  auto short_state = model.initial_state(2);
  EXPECT_THROW(model.forward(text.input(), short_state, cache, context()), std::invalid_argument);
  EXPECT_THROW(model.backward(dlogits.view(), cache, context()), std::invalid_argument)
      << "of a forward that ended half-way";
}

TEST(LanguageModel, RefusesSizesWhoseProductIsNone) {
  constexpr Index kLarge = minrnn::detail::kMostSize / 2;
  for (const LanguageModelOptions& options :
       {LanguageModelOptions{.vocabulary = 5, .dim = 8, .layers = 1, .expansion = kLarge},
        {.vocabulary = 5, .dim = 8, .layers = 1, .mlp_factor = kLarge},
        {.vocabulary = 5, .dim = 0, .layers = 1},
        {.vocabulary = 0, .dim = 8, .layers = 1},
        {.vocabulary = 5, .dim = 8, .layers = 0}})
    EXPECT_THROW(LanguageModel<Any<MinGru<float>>>(options, Random(1).stream(0),
                                                   [](Index inputs, Index features, RandomStream stream) {
                                                     return Any<MinGru<float>>(
                                                         conformance::erase(MinGru<float>(inputs, features, stream)));
                                                   }),
                 std::invalid_argument);
}

TEST(TokenModel, RefusesBlocksOfAnotherSize) {
  const Random random(1);
  const auto make = [&](Index inputs, Index features) {
    TokenModel(kVocabulary, 6, 1, random.stream(0), Linear<float>(inputs, features, random.stream(1)));
  };
  make(6, 6);
  for (const auto& [inputs, features] : {std::pair<Index, Index>{5, 6}, {6, 7}}) try {
      make(inputs, features);
      ADD_FAILURE() << "nothing thrown from " << inputs << " to " << features;
    } catch (const std::invalid_argument& error) {
      EXPECT_STREQ(error.what(), ("TokenModel: blocks: wanted from 6 features to as many, given " +
                                  std::to_string(inputs) + " to " + std::to_string(features))
                                     .c_str());
    }
}

}  // namespace
}  // namespace minrnn::tests
