// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "conformance/listed_layer.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/embedding.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/layer_norm.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/running_max.hpp"
#include "minrnn/layers/running_mean.hpp"
#include "minrnn/layers/unfold.hpp"
#include "minrnn/testing/layer_run.hpp"
#include "reference/activation.hpp"
#include "reference/attention.hpp"
#include "reference/conv1d.hpp"
#include "reference/diagonal_gru.hpp"
#include "reference/diagonal_lstm.hpp"
#include "reference/embedding.hpp"
#include "reference/gru.hpp"
#include "reference/highway.hpp"
#include "reference/layer_norm.hpp"
#include "reference/linear.hpp"
#include "reference/lstm.hpp"
#include "reference/mamba.hpp"
#include "reference/min_gru_reference.hpp"
#include "reference/min_lstm_reference.hpp"
#include "reference/mlp.hpp"
#include "reference/pooling.hpp"
#include "reference/prelu.hpp"
#include "reference/rg_lru.hpp"
#include "reference/rms_norm.hpp"
#include "reference/unfold.hpp"
#include "support/compare.hpp"
#include "support/run.hpp"

/// Every layer gives the values and all the gradients of its equations, as tests/reference/ writes them down.
namespace minrnn::tests {
namespace {

using conformance::erase;
using minrnn::detail::promises::LayerExample;
using minrnn::detail::promises::train_in_chunks;
using minrnn::detail::promises::train_layer;
using reference::Found;
using reference::Given;

using Layer = conformance::AnyLayer<double>;
using State = Layer::State;
using Reference = std::function<Found(const Given&)>;

/// Double against double: sums of some hundred terms in another order, and other ways to write each function.
constexpr double kTolerance = 1e-12;

LayerExample<double> make_example(const Layer& layer, Index time, Index batch, double scale) {
  Random random(3);
  LayerExample<double> example{time,
                               batch,
                               random_matrix<double>(layer.input_size(), time * batch, random, scale),
                               random_matrix<double>(layer.output_size(), time * batch, random),
                               layer.initial_state(batch),
                               random_state_gradient(layer, batch),
                               starts_at(time, batch, {{time / 3, 0}, {time / 3 + 1, 0}, {time - 1, 1}, {0, 2}})};
  for (Matrix<double>* m : matrices_of<Layer>(example.first))
    *m = random_matrix<double>(m->rows(), m->cols(), random).cwiseAbs();
  return example;
}

/// What sequence b of an example is given.
Given given_of(const Layer& layer, const LayerExample<double>& example, Index b) {
  Given given;
  const Index time = example.time;
  visit_parameters(layer, [&](const Name& name, const auto& p) { given.parameters[name.str()] = p.value; });
  given.x = example.x.middleCols(b * time, time);
  given.dy = example.dy.middleCols(b * time, time);
  State::visit(example.first, Name{}, [&](const Name& name, const auto& m) { given.state[name.str()] = m.col(b); });
  State::visit(example.dlast, Name{}, [&](const Name& name, const auto& m) { given.dlast[name.str()] = m.col(b); });
  given.starts.assign(example.flags.begin() + b * time, example.flags.begin() + (b + 1) * time);
  return given;
}

/// The results of the reference for all sequences, by the names that train_layer gives them. What the reference has no
/// state for is left out.
Results<double> results_of(const Layer& layer, const LayerExample<double>& example, const Reference& reference) {
  Results<double> results;
  const auto put = [&](const std::string& name, const Matrix<double>& part, Index b) {
    Matrix<double>& whole = results[name];
    if (b == 0) whole.resize(part.rows(), part.cols() * example.batch);
    whole.middleCols(b * part.cols(), part.cols()) = part;
  };
  for (Index b = 0; b < example.batch; ++b) {
    const Found found = reference(given_of(layer, example, b));
    put("y", found.y, b);
    put("dx", found.dx, b);
    for (const auto& [name, m] : found.state) put("state " + name, m, b);
    for (const auto& [name, m] : found.dstate) put("dstate " + name, m, b);
    for (const auto& [name, m] : found.gradients)
      results["gradient " + name] = b == 0 ? m : Matrix<double>(results["gradient " + name] + m);
  }
  return results;
}

void expect_reference(const std::string& what, const Layer& layer, const Reference& reference) {
  for (const auto& [time, batch, scale] : {std::tuple{Index{6}, Index{3}, 1.0}, {40, 4, 1.0}, {9, 3, 30.0}}) {
    const auto example = make_example(layer, time, batch, scale);
    EXPECT_TRUE(close(train_layer(layer, example), results_of(layer, example, reference), kTolerance))
        << what << ", " << time << " frames of " << batch << " sequences, inputs of " << scale;
  }
}

TEST(ReferenceOfLayers, OfFrames) {
  Random random(1);
  expect_reference("linear", erase(Linear<double>(5, 7, random.stream(0))), reference::linear);
  expect_reference("linear without bias", erase(Linear<double>(5, 7, random.stream(0), {.bias = false})),
                   reference::linear);
  expect_reference("rms_norm", erase(RmsNorm<double>(5)),
                   [](const Given& given) { return reference::rms_norm(given, 1e-6); });
  expect_reference("rms_norm of another epsilon", erase(RmsNorm<double>(5, {.epsilon = 0.25})),
                   [](const Given& given) { return reference::rms_norm(given, 0.25); });
  for (const bool bias : {false, true})
    for (const double epsilon : {1e-5, 0.25})
      expect_reference("layer_norm", erase(LayerNorm<double>(5, {.epsilon = epsilon, .bias = bias})),
                       [&](const Given& given) { return reference::layer_norm(given, bias, epsilon); });
  for (const MlpForm form : {MlpForm::gelu, MlpForm::gated})
    for (const GeluForm gelu : {GeluForm::tanh, GeluForm::exact})
      expect_reference(
          "mlp", erase(Mlp<double>(5, 9, random.stream(0), {.form = form, .gelu = gelu})),
          [&](const Given& given) { return reference::mlp(given, form == MlpForm::gated, gelu == GeluForm::exact); });
}

TEST(ReferenceOfLayers, Activation) {
  using F = ActivationFunction;
  const auto expect = [](F function, const Reference& wanted) {
    for (const Index features : {1, 5, 16})
      expect_reference(std::string(name_of(function)), erase(Activation<double>(features, function)), wanted);
  };
  for (const auto& [function, f] : {std::pair{F::tanh, reference::kTanh},
                                    {F::sigmoid, reference::kSigmoid},
                                    {F::relu, reference::kRelu},
                                    {F::elu, reference::kElu},
                                    {F::gelu, reference::kGelu},
                                    {F::exact_gelu, reference::kExactGelu},
                                    {F::silu, reference::kSilu}})
    expect(function, [f = f](const Given& given) { return reference::pointwise(given, f); });
  expect(F::softmax, reference::softmax);
}

/// At sizes where the gradients of weights go in panels; also where time is divided, which is as if it were not.
void expect_large(const std::string& what, const Layer& layer, const Reference& reference) {
  const auto example = make_example(layer, 5, 3, 1);
  EXPECT_TRUE(close(train_layer(layer, example), results_of(layer, example, reference), kTolerance)) << what;
  const auto divided = make_example(layer, 1200, 3, 1);
  EXPECT_TRUE(close(train_layer(layer, divided), train_in_chunks(layer, divided, 3), kTolerance)) << what;
}

TEST(ReferenceOfLayers, OfLargeWeights) {
  Random random(1);
  expect_large("linear", erase(Linear<double>(300, 130, random.stream(0))), reference::linear);
  expect_large("mlp", erase(Mlp<double>(150, 1000, random.stream(0))),
               [](const Given& given) { return reference::mlp(given, false); });
  expect_large("min_gru", erase(MinGru<double>(2000, 70, random.stream(0), {.learn_initial_state = true})),
               [](const Given& given) { return reference::min_gru(given, true); });
  expect_large("min_lstm", erase(MinLstm<double>(1300, 70, random.stream(0))),
               [](const Given& given) { return reference::min_lstm(given, true, true); });
  expect_large("diagonal_lstm", erase(DiagonalLstm<double>(1300, 70, random.stream(0))), reference::diagonal_lstm);
}

TEST(ReferenceOfLayers, Conv1d) {
  Random random(1);
  for (const Index kernel : {1, 2, 4})
    for (const Index dilation : {1, 2, 3, 11})
      expect_reference("conv1d", erase(Conv1d<double>(5, kernel, random.stream(0), {.dilation = dilation})),
                       [&](const Given& given) { return reference::conv1d(given, dilation); });
}

TEST(ReferenceOfLayers, Unfold) {
  for (const Index kernel : {1, 2, 4, 20})
    for (const Index dilation : {1, 2, 3, 11})
      expect_reference("unfold", erase(Unfold<double>(5, kernel, {.dilation = dilation})),
                       [&](const Given& given) { return reference::unfold(given, dilation); });
}

TEST(ReferenceOfLayers, Prelu) {
  for (const Index features : {1, 5, 16}) expect_reference("prelu", erase(Prelu<double>(features)), reference::prelu);
}

template <Candidate candidate, Arithmetic arithmetic = Arithmetic::linear>
void expect_min_gru() {
  Random random(1);
  for (const bool learns : {false, true})
    expect_reference(
        "min_gru",
        erase(MinGru<double, candidate, arithmetic>(5, 7, random.stream(0), {.learn_initial_state = learns})),
        [](const Given& given) { return reference::min_gru(given, candidate == Candidate::positive); });
}

TEST(ReferenceOfLayers, MinGru) {
  expect_min_gru<Candidate::positive>();
  expect_min_gru<Candidate::plain>();
  expect_min_gru<Candidate::positive, Arithmetic::log_space>();
}

TEST(ReferenceOfLayers, SignedMinimalLayers) {
  Random random(1);
  for (const bool learns : {false, true}) {
    const MinimalOptions options{.learn_initial_state = learns};
    expect_reference("signed min_gru", erase(SignedMinGru<double>(5, 7, random.stream(0), options)),
                     [](const Given& given) { return reference::min_gru(given, false, 2); });
    expect_reference("signed min_lstm", erase(SignedMinLstm<double>(5, 7, random.stream(0), options)),
                     [](const Given& given) { return reference::min_lstm(given, true, false, 1); });
    expect_reference("signed min_lstm, unnormalised",
                     erase(SignedMinLstm<double, GateScaling::unnormalised>(5, 7, random.stream(0), options)),
                     [](const Given& given) { return reference::min_lstm(given, false, false, 1); });
  }
}

template <GateScaling scaling, Candidate candidate>
void expect_min_lstm() {
  Random random(1);
  for (const bool learns : {false, true})
    expect_reference(
        "min_lstm", erase(MinLstm<double, scaling, candidate>(5, 7, random.stream(0), {.learn_initial_state = learns})),
        [](const Given& given) {
          return reference::min_lstm(given, scaling == GateScaling::normalised, candidate == Candidate::positive);
        });
}

TEST(ReferenceOfLayers, MinLstm) {
  expect_min_lstm<GateScaling::normalised, Candidate::positive>();
  expect_min_lstm<GateScaling::normalised, Candidate::plain>();
  expect_min_lstm<GateScaling::unnormalised, Candidate::positive>();
  expect_min_lstm<GateScaling::unnormalised, Candidate::plain>();
}

TEST(ReferenceOfLayers, GruAndLstm) {
  Random random(1);
  expect_reference("gru", erase(Gru<double>(5, 7, random.stream(0))), reference::gru);
  expect_reference("lstm", erase(Lstm<double>(5, 7, random.stream(0))), reference::lstm);
}

TEST(ReferenceOfLayers, Pooling) {
  expect_reference("running_mean", erase(RunningMean<double>(5)), reference::running_mean);
  expect_reference("running_max", erase(RunningMax<double>(5)), reference::running_max);
}

TEST(ReferenceOfLayers, HighwayAroundMinGru) {
  const Random random(1);
  const auto make = [&](Index size) {
    return Layer(Highway(erase(MinGru<double>(size, size, random.stream(0))), random.stream(1)));
  };
  const auto inner = [](const Given& given) { return reference::min_gru(given, true); };
  const auto wanted = [&](const Given& given) { return reference::highway(given, inner); };
  expect_reference("highway", make(5), wanted);
  expect_reference("highway", make(16), wanted);
  expect_large("highway", make(200), wanted);
}

TEST(ReferenceOfLayers, DiagonalLayers) {
  Random random(1);
  expect_reference("diagonal_gru", erase(DiagonalGru<double>(5, 7, random.stream(0))), reference::diagonal_gru);
  expect_reference("diagonal_lstm", erase(DiagonalLstm<double>(5, 7, random.stream(0))), reference::diagonal_lstm);
}

TEST(ReferenceOfLayers, RgLru) {
  Random random(1);
  for (const bool learns : {false, true})
    expect_reference("rg_lru", erase(RgLru<double>(5, 7, random.stream(0), {.learn_initial_state = learns})),
                     reference::rg_lru);
}

TEST(ReferenceOfLayers, Mamba) {
  Random random(1);
  expect_reference("mamba", erase(Mamba<double>(5, random.stream(0), {.states = 3, .delta_rank = 2})),
                   reference::mamba);
}

// A ring holds keys in places of their own, so the state is tested by what it does: in chunks, from an empty one.
TEST(ReferenceOfLayers, Attention) {
  Random random(1);
  for (const Index window : {3, 32}) {
    const Layer layer =
        erase(Attention<double>(5, 2, random.stream(0), {.head_size = 6, .window = window, .base = 100}));
    auto example = make_example(layer, 20, 3, 1);
    example.first = layer.initial_state(3);
    example.dlast = zero_state(layer, 3);
    const auto wanted =
        results_of(layer, example, [&](const Given& given) { return reference::attention(given, 2, window, 100); });
    for (const Index count : {1, 3}) {
      auto found = train_in_chunks(layer, example, count);
      std::erase_if(found, [&](const auto& result) { return !wanted.contains(result.first); });
      EXPECT_TRUE(close(found, wanted, kTolerance)) << "a window of " << window << ", " << count << " chunks";
    }
  }
}

TEST(ReferenceOfLayers, Embedding) {
  Random random(1);
  minrnn::Embedding<double> layer(4, 5, random.stream(0));
  const std::int32_t tokens[] = {3, 0, 3, 3, 1, 0};  // one has no gradient
  const Matrix<double> dy = random_matrix<double>(5, 6, random);
  minrnn::Embedding<double>::Cache cache;
  Given given{{}, Matrix<double>(1, 6), dy, {}, {}, std::vector<std::uint8_t>(6, 0)};
  for (Index t = 0; t < 6; ++t) given.x(0, t) = tokens[t];
  visit_parameters(layer, [&](const Name& name, const auto& p) { given.parameters[name.str()] = p.value; });
  const Found wanted = reference::embedding(given);
  zero_gradients(layer);
  EXPECT_TRUE(equal<double>(to_matrix(layer.forward(Tokens(tokens, 1, 6), cache)), wanted.y));
  layer.backward({dy.data(), 5, 6, 1}, cache);
  visit_parameters(layer, [&](const Name& name, const auto& p) {
    EXPECT_TRUE(close<double>(p.grad, wanted.gradients.at(name.str()), kTolerance));
  });
}

}  // namespace
}  // namespace minrnn::tests
