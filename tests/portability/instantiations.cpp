// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Losses, scans, cells, optimizers and models in float and double, for compilers that are asked for warnings: a
// template says what it holds only once it is instantiated. (The layers are compiled so in conformance/*_layers.cpp.)
#include "minrnn/minrnn.hpp"

namespace minrnn {
namespace {

const Context& context() {
  static ThreadPool pool(2, 0);
  static const Context context{.draw = 0, .executor = &pool};
  return context;
}

template <class S, class L>
double train(L layer) {
  Sequence<S> x(layer.input_size(), 6, 2), dy(layer.output_size(), 6, 2);
  std::fill_n(x.data(), x.size(), S(0.5));
  std::fill_n(dy.data(), dy.size(), S(0.25));
  Adam<S> adam(layer);
  typename L::Cache cache;
  auto state = layer.initial_state(2), dstate = state;
  layer.infer(x, state, cache, context());
  layer.step(x.view().frame(0), state, cache, context());
  layer.forward(x, state, cache, context());
  layer.backward(dy, dstate, cache, context());
  const double norm = clip_gradient_norm(layer, 1);
  adam.step(layer, context());
  zero_gradients(layer);
  return norm + static_cast<double>(parameter_count(layer));
}

template <class S>
double train_model() {
  Random random(1);
  const auto make_mixer = [](Index dim, Index inner, RandomStream stream) { return MinGru<S>(dim, inner, stream); };
  LanguageModel<MinGru<S>> model({.vocabulary = 4, .dim = 4, .layers = 1}, random.stream(0), make_mixer);
  const std::int32_t symbols[] = {0, 1, 2, 3, 3, 2, 1, 0};
  const SequenceView<const std::int32_t> tokens(symbols, 1, 4, 2);
  typename LanguageModel<MinGru<S>>::Cache cache;
  auto state = model.initial_state(2), dstate = state;
  Sequence<S> dlogits, dy;
  model.infer(tokens, state, cache, context());
  model.step(tokens.frame(0), state, cache, context());
  const auto logits = model.forward(tokens, state, cache, context());
  const double loss = softmax_cross_entropy(logits, tokens, dlogits).loss;
  model.backward(dlogits, dstate, cache, context());
  const std::int64_t wide_symbols[] = {0, 1, 2, -1, 3, 2, 1, 0};
  const SequenceView<const std::int64_t> wide(wide_symbols, 1, 4, 2);
  const std::uint8_t flags[] = {1, 1, 1, 1, 1, 1, 0, 0};
  const SequenceView<const std::uint8_t> mask(flags, 1, 4, 2);
  return loss + softmax_cross_entropy(logits, wide, dlogits).loss + softmax_cross_entropy(logits, wide).loss +
         mean_square(logits, logits, dy).loss + mean_square(logits, logits, mask, dy).loss +
         mean_square(logits, logits, mask).loss + mean_square(logits, logits).loss;
}

template <class S>
double train_sequence_model() {
  Random random(1);
  SequenceModel model({.inputs = 2, .outputs = 3, .pooling = Pooling::mean}, random.stream(0),
                      make_blocks<MinGru<S>>(
                          {.dim = 4, .layers = 1}, random.stream(1),
                          [](Index dim, Index inner, RandomStream stream) { return MinGru<S>(dim, inner, stream); }));
  typename decltype(model)::Cache cache;
  const Matrix<S> first = Matrix<S>::Ones(2, 3), second = Matrix<S>::Ones(2, 1);
  SequenceBatch<S> batch;
  batch.pack({first, second}, {.in_order = true});
  batch.pad(std::vector<Matrix<S>>{first, second});
  Sequence<S> weights(1, 1, 2), danswers;
  std::fill_n(weights.data(), weights.size(), S(1));
  const std::int32_t classes[] = {2, 0};
  const SequenceView<const std::int32_t> targets(classes, 1, 1, 2);
  auto state = model.initial_state(1);
  model.step(first.col(0), state, cache, context());
  model.infer(batch, cache, context());
  const auto answers = model.forward(batch, cache, context());
  const double loss = softmax_cross_entropy(answers, targets, Weights(weights), danswers).loss +
                      softmax_cross_entropy(answers, targets, Weights(weights)).loss +
                      mean_square(answers, answers, Weights(weights)).loss;
  model.backward(danswers, cache, context());
  Confusion confusion(3);
  confusion.add(answers, targets);
  RegressionErrors errors;
  errors.add(answers, answers);
  return loss + confusion.accuracy() + errors.r_squared();
}

template <class S>
double run_scans() {
  Sequence<S> a(3, 5, 1), h(3, 5, 1), da(3, 5, 1), db(3, 5, 1);
  std::fill_n(a.data(), a.size(), S(0.5));
  Matrix<S> state = Matrix<S>::Ones(3, 1), dstate = Matrix<S>::Ones(3, 1);
  const SequenceView<const S> in(a);
  linear_scan(in, in, state, h.view());
  linear_scan_backward(in, h.view(), state, in, dstate, da.view(), db.view());
  log_scan(in, in, state, h.view());
  log_scan_backward(in, in, h.view(), state, in, dstate, da.view(), db.view());
  return static_cast<double>(state.sum());
}

template <class S>
double run_cells() {
  Random random(1);
  const MinGruCell<S, 3, 5> gru(MinGru<S>(3, 5, random.stream(0)));
  const MinLstmCell<S, 3, 5> lstm(MinLstm<S>(3, 5, random.stream(0)));
  const Eigen::Vector<S, 3> x(S(1), S(2), S(3));
  Eigen::Vector<S, 5> h = Eigen::Vector<S, 5>::Zero();
  gru.step(x, h);
  lstm.step(x, h);
  return static_cast<double>(h.norm());
}

template <class S>
double run_all() {
  Random random(1);
  return train_model<S>() + train_sequence_model<S>() + run_scans<S>() + run_cells<S>() +
         check_gradients(Linear<S>(2, 2, random.stream(0)), {.time = 2, .batch = 1}).error +
         train<S>(Sequential(Linear<S>(3, 2, random.stream(1)), RmsNorm<S>(2)));
}

}  // namespace
}  // namespace minrnn

int main() { return minrnn::run_all<float>() + minrnn::run_all<double>() > 0 ? 0 : 1; }
