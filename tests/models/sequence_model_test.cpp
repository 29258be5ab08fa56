// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/models/sequence_model.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "conformance/listed_layer.hpp"
#include "minrnn/core/sequence_batch.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/loss/cross_entropy.hpp"
#include "minrnn/models/mixer_blocks.hpp"
#include "support/compare.hpp"
#include "support/difference.hpp"
#include "support/message.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

using minrnn::detail::erased::AnyMixer;

constexpr Index kInputs = 3, kClasses = 4;
constexpr Pooling kPoolings[] = {Pooling::last, Pooling::mean, Pooling::max};

/// A model around it is compiled once for each scalar, whatever the mixer.
template <class Mixer>
using Any = AnyMixer<typename Mixer::Scalar, MixerWithProjections<Mixer>>;

template <class Mixer>
MixerBlocks<Any<Mixer>> make_mixer_blocks(const BlockOptions& options) {
  return make_blocks<Any<Mixer>>(options, Random(1).stream(0), [](Index inputs, Index features, RandomStream stream) {
    if constexpr (MixerWithProjections<Mixer>)
      return Any<Mixer>(conformance::erase(Mixer(inputs, stream)));
    else
      return Any<Mixer>(conformance::erase(Mixer(inputs, features, stream)));
  });
}
template <class Mixer>
auto make_model(Pooling pooling, double dropout = 0) {
  return SequenceModel(
      {.inputs = kInputs, .outputs = kClasses, .pooling = pooling}, Random(1).stream(1),
      make_mixer_blocks<Mixer>({.dim = 6, .layers = 2, .kernel = 3, .mlp_factor = 2, .dropout = dropout}));
}

/// Sequences of unequal length with a class of each.
template <class S>
struct Examples {
  std::vector<Matrix<S>> list;
  std::vector<std::int32_t> classes;

  explicit Examples(const std::vector<Index>& lengths = {5, 1, 7, 3, 2}) {
    Random random(4);
    for (const Index frames : lengths) {
      list.push_back(random_matrix<S>(kInputs, frames, random));
      classes.push_back(static_cast<std::int32_t>(random.below(kClasses)));
    }
  }
  SequenceView<const std::int32_t> targets() const {
    return {classes.data(), 1, 1, static_cast<Index>(classes.size())};
  }
  SequenceBatch<S> batch(bool packed) const {
    SequenceBatch<S> made;
    if (packed)
      made.pack(list);
    else
      made.pad(list);
    return made;
  }
};

template <class Model>
void expect_gradients(Model model) {
  const Examples<double> examples;
  std::map<bool, Results<double>> found;
  for (const bool packed : {false, true}) {
    const auto batch = examples.batch(packed);
    Sequence<double> danswers;
    const auto loss = [&] {
      typename Model::Cache cache;
      return softmax_cross_entropy(model.forward(batch, cache), examples.targets(), danswers).loss;
    };
    typename Model::Cache cache;
    zero_gradients(model);
    softmax_cross_entropy(model.forward(batch, cache), examples.targets(), danswers);
    const auto dx = model.backward(danswers, cache);
    for (Index b = 0; b < dx.batch(); ++b)
      for (Index t = 0; t < dx.time(); ++t)
        if (*batch.mask().column(t, b) == 0) {
          EXPECT_TRUE(dx.matrix(b).col(t).isZero(0)) << "padding";
        }
    for (std::size_t n = 0; n < examples.list.size(); ++n) {
      const Placement place = batch.places()[n];
      found[packed]["dx " + std::to_string(n)] = dx.matrix(place.row).middleCols(place.first, place.frames);
    }
    add_gradients(found[packed], model);
    if (!packed) continue;
    visit_parameters(model, [&](const Name& name, auto& p) {
      double largest = 0;
      for (Index i = 0; i < p.size(); ++i) {
        const double error = std::abs(p.grad.data()[i] - central_difference(p.value.data()[i], 1e-6, loss));
        largest = std::isnan(error) ? error : std::max(largest, error);
      }
      EXPECT_LE(largest, 1e-8) << name.str();  // rounding of 1e-9
      EXPECT_GT(p.grad.norm(), 0) << name.str() << " has no gradient";
    });
  }
  EXPECT_TRUE(close(found[false], found[true], 1e-13));  // the same terms, summed in another order
}

TEST(SequenceModel, GradientsOfItsLossEqualCentralDifferencesPackedOrPadded) {
  for (const Pooling pooling : kPoolings) expect_gradients(make_model<MinGru<double>>(pooling));
  expect_gradients(make_model<Mamba<double>>(Pooling::mean));
}

/// Answers (K, N) of the sequences one by one.
template <class Model>
Matrix<float> answers_alone(const Model& model, const std::vector<Matrix<float>>& list) {
  Matrix<float> answers(model.output_size(), static_cast<Index>(list.size()));
  for (std::size_t n = 0; n < list.size(); ++n) {
    SequenceBatch<float> alone;
    alone.pad({list[n]});
    typename Model::Cache cache;
    answers.col(static_cast<Index>(n)) = model.infer(alone, cache).matrix(0);
  }
  return answers;
}

template <class Model>
void expect_answers_of_alone(const Model& model) {
  const Examples<float> examples({9, 1, 20, 3, 2, 14});
  const Matrix<float> wanted = answers_alone(model, examples.list);
  typename Model::Cache cache;
  for (const bool packed : {false, true}) {
    const auto batch = examples.batch(packed);
    EXPECT_TRUE(equal<float>(to_matrix(model.forward(batch, cache)), wanted)) << packed;
    EXPECT_TRUE(equal<float>(to_matrix(model.infer(batch, cache)), wanted)) << packed;
  }
}

template <class Model>
void expect_one_answer(const Model& model) {
  expect_answers_of_alone(model);
  // A stream has the answer of what it has seen after each frame.
  const Examples<float> examples({7});
  const SequenceView<const float> x = examples.list[0];
  auto state = model.initial_state(1);
  typename Model::Cache cache;
  for (Index t = 0; t < 7; ++t) {
    const Matrix<float> wanted = answers_alone(model, {examples.list[0].leftCols(t + 1)});
    EXPECT_TRUE(equal<float>(model.step(x.frame(t), state, cache).matrix(), wanted)) << "after frame " << t;
  }
}

TEST(SequenceModel, HasOneAnswerForEveryWayToRunIt) {
  for (const Pooling pooling : kPoolings) {
    expect_one_answer(make_model<MinGru<float>>(pooling));
    expect_one_answer(make_model<MinLstm<float>>(pooling));
  }
  expect_one_answer(make_model<Gru<float>>(Pooling::last));
  expect_one_answer(make_model<Mamba<float>>(Pooling::mean));
}

/// A map that sees the future of its segment and so has no step: y_t = the sum of x_t and what is behind it.
class Suffix {
 public:
  using Scalar = float;
  using State = NoState;
  class Cache : public CacheBase {
    friend Suffix;
    Starts starts_;
    Sequence<float> y_, dx_;
  };

  Index input_size() const { return 6; }
  Index output_size() const { return 6; }
  State initial_state(Index) const { return {}; }
  SequenceView<const float> forward(SequenceView<const float> x, State&, Cache& cache, const Context& = {}) const {
    cache.starts_ = x.starts();
    const auto y = cache.y_.resize(6, x.time(), x.batch());
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = x.time(); t-- > 0;) {
        const bool is_last = t + 1 == x.time() || x.starts(t + 1, b);
        y.matrix(b).col(t) = x.matrix(b).col(t);
        if (!is_last) y.matrix(b).col(t) += y.matrix(b).col(t + 1);
      }
    return SequenceView<const float>(y).with_starts(x.starts());
  }
  SequenceView<const float> infer(SequenceView<const float> x, State& state, Cache& cache, const Context& = {}) const {
    return forward(x, state, cache);
  }
  SequenceView<const float> backward(SequenceView<const float> dy, Cache& cache, const Context& = {}) {
    const auto dx = cache.dx_.resize(6, dy.time(), dy.batch());
    for (Index b = 0; b < dy.batch(); ++b)
      for (Index t = 0; t < dy.time(); ++t) {
        dx.matrix(b).col(t) = dy.matrix(b).col(t);
        if (t > 0 && !cache.starts_(t, b)) dx.matrix(b).col(t) += dx.matrix(b).col(t - 1);
      }
    return dx;
  }
  template <class Self, class V>
  static void visit(Self&, const Name&, V&&) {}
};

template <class Model>
concept HasStep = requires(const Model& model, FrameView<const float> x, typename Model::State& state,
                           typename Model::Cache& cache) {
  model.step(x, state, cache);
};

TEST(SequenceModel, TakesBlocksThatSeeTheFutureAndHaveNoStep) {
  static_assert(HasStep<SequenceModel<MixerBlocks<MinGru<float>>>>);
  static_assert(!HasStep<SequenceModel<Suffix>>);
  for (const Pooling pooling : kPoolings) {
    SequenceModel model({.inputs = kInputs, .outputs = kClasses, .pooling = pooling}, Random(1).stream(1), Suffix());
    expect_answers_of_alone(model);
    SequenceModel<Suffix>::Cache cache;
    const auto batch = Examples<float>().batch(true);
    EXPECT_EQ(model.backward(model.forward(batch, cache), cache).time(), batch.x().time());
  }
}

TEST(SequenceModel, DropsInForwardAloneAsTheDrawSays) {
  const auto model = make_model<MinGru<float>>(Pooling::mean, 0.3);
  const auto batch = Examples<float>().batch(true);
  std::remove_const_t<decltype(model)>::Cache cache;
  const auto forward = [&](std::int64_t draw) { return to_matrix(model.forward(batch, cache, {.draw = draw})); };
  const Matrix<float> first = forward(0), second = forward(1), inferred = to_matrix(model.infer(batch, cache));
  EXPECT_NE(first, second);
  EXPECT_NE(first, inferred);
  EXPECT_TRUE(equal(forward(0), first));
  EXPECT_THROW(model.forward(batch, cache), std::invalid_argument) << "which would have one mask for ever";
}

TEST(SequenceModel, GivesTheSameBitsOnAnyExecutor) {
  const Examples<float> examples({600, 3, 1000, 70});
  const auto run = [&](const Context& context) {
    auto model = make_model<MinGru<float>>(Pooling::mean);
    decltype(model)::Cache cache;
    Sequence<float> danswers;
    const auto batch = examples.batch(true);
    zero_gradients(model);
    Results<float> results;
    results["answers"] = to_matrix(model.forward(batch, cache, context));
    softmax_cross_entropy(model.forward(batch, cache, context), examples.targets(), danswers, context);
    results["dx"] = to_matrix(model.backward(danswers, cache, context));
    add_gradients(results, model);
    return results;
  };
  const auto alone = run({});
  for (const Index workers : {2, 3}) {
    ThreadPool pool(workers, 0);
    EXPECT_TRUE(equal(run({.executor = &pool}), alone)) << workers;
  }
}

/// How often each parameter was told to be finished.
class Listener final : public GradientListener {
 public:
  std::map<const void*, int> told;
  void finished(const void* parameter) override { ++told[parameter]; }
};

TEST(SequenceModel, TellsOfEveryGradientOnce) {
  auto model = make_model<MinGru<float>>(Pooling::max);
  decltype(model)::Cache cache;
  const auto batch = Examples<float>().batch(true);
  Listener listener;
  const auto answers = model.forward(batch, cache);
  model.backward(answers, cache, {.listener = &listener});
  std::size_t count = 0;
  visit_parameters(model, [&](const Name& name, const auto& p) {
    EXPECT_EQ(listener.told[&p], 1) << name.str();
    ++count;
  });
  EXPECT_EQ(listener.told.size(), count);
}

TEST(SequenceModel, SaysWhatIsWrong) {
  auto model = make_model<MinGru<float>>(Pooling::mean);
  using Model = decltype(model);
  Model::Cache cache;
  const auto message = [](auto&& body) { return message_of<std::invalid_argument>(body); };
  SequenceBatch<float> batch;
  EXPECT_EQ(message([&] { model.infer(batch, cache); }), "SequenceModel: batch: wanted at least 1 sequence, given 0");
  const Matrix<float> wide = Matrix<float>::Zero(kInputs + 1, 2);
  batch.pack({wide});
  EXPECT_EQ(message([&] { model.forward(batch, cache); }),
            "SequenceModel: x: wanted (F, T, B) = (3, any, any), given (4, 2, 1)");
  batch.pack(Examples<float>().list);
  model.infer(batch, cache);
  const Sequence<float> danswers(kClasses, 1, 5), four(kClasses, 1, 4);
  EXPECT_NE(message([&] { model.backward(danswers, cache); }).find("cache: wanted one that forward was the last"),
            std::string::npos);
  model.forward(batch, cache);
  EXPECT_EQ(message([&] { model.backward(four, cache); }),
            "SequenceModel: dy: wanted (F, T, B) = (4, 1, 5), given (4, 1, 4)");
  auto state = model.initial_state(2);
  EXPECT_THROW(model.step(Matrix<float>::Zero(kInputs, 3).eval(), state, cache), std::invalid_argument);
  auto of_another = make_model<MinGru<float>>(Pooling::last).initial_state(3);
  EXPECT_THROW(model.step(Matrix<float>::Zero(kInputs, 3).eval(), of_another, cache), std::invalid_argument);
  const Random random(1);
  EXPECT_EQ(message([&] {
              SequenceModel({.inputs = 2, .outputs = 2}, random.stream(0), Linear<float>(5, 6, random.stream(1)));
            }),
            "SequenceModel: blocks: wanted from 5 features to as many, given 5 to 6");
  EXPECT_EQ(message([&] { make_mixer_blocks<MinGru<float>>({.dim = 0}); }),
            "make_blocks: dim: wanted a size of at least 1, given 0");
}

}  // namespace
}  // namespace minrnn::tests
