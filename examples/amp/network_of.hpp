// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "mixers.hpp"
#include "network.hpp"
#include "stream_of.hpp"

namespace amp {

template <class Model>
class NetworkOf final : public Network {
 public:
  explicit NetworkOf(Model model) : model_(std::move(model)), state_(model_.initial_state(1)) {}

  Index parameters() const override { return parameter_count(model_); }

  void begin(Index batch, float value) override {
    state_ = model_.initial_state(batch);
    Model::State::visit(state_, minrnn::Name{}, [&](const minrnn::Name&, auto& m) { m.setConstant(value); });
  }
  void warm_up(View x, const minrnn::Context& context) override { model_.infer(x, state_, cache_, context); }
  View forward(View x, const minrnn::Context& context) override { return model_.forward(x, state_, cache_, context); }
  double backward(View dy, double clip, const minrnn::Context& context) override {
    zero_gradients(model_);
    model_.backward(dy, cache_, context);
    return clip_gradient_norm(model_, clip);
  }
  void step(double learning_rate, const minrnn::Context& context) override {
    adam_.options.learning_rate = static_cast<float>(learning_rate);
    adam_.step(model_, context);
  }
  bool is_finite() const override {
    bool finite = true;
    visit_parameters(model_, [&](const minrnn::Name&, const auto& p) { finite = finite && p.value.allFinite(); });
    return finite;
  }

  std::unique_ptr<Stream> stream(const Scales& scales) const override { return make_stream(model_, scales); }

  minrnn::TensorFile weights(const Scales& scales, const Metadata& metadata) const override {
    return minrnn::to_tensors(minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"scale", scales}), metadata);
  }
  minrnn::TensorFile state(const TrainingProgress& progress, const Metadata& metadata) override {
    return minrnn::to_tensors(minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"optimizer", adam_},
                                            minrnn::Part{"state", state_}, minrnn::Part{"progress", progress}),
                              metadata);
  }
  void restore_weights(const minrnn::TensorFile& file, Scales& scales) override {
    minrnn::restore(file, minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"scale", scales}));
  }
  void restore_state(const minrnn::TensorFile& file, TrainingProgress& progress) override {
    minrnn::restore(file, minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"optimizer", adam_},
                                        minrnn::Part{"state", state_}, minrnn::Part{"progress", progress}));
  }

 private:
  Model model_;
  typename Model::State state_;
  typename Model::Cache cache_;
  minrnn::Adam<float> adam_{model_, {.beta2 = 0.99f}};
};

/// One or two mixers of this kind, and the output.
template <class Mixer>
std::unique_ptr<Network> network_around(const ModelSettings& s, minrnn::RandomStream stream) {
  using minrnn::Linear, minrnn::Sequential;
  const auto make = [](auto model) { return std::make_unique<NetworkOf<decltype(model)>>(std::move(model)); };
  Mixer first(1, s.size, stream.stream(0));
  Linear<float> output(s.size, 1, stream.stream(2));
  if (s.layers == 1) return make(Sequential(std::move(first), std::move(output)));
  return make(Sequential(std::move(first), Mixer(s.size, s.size, stream.stream(1)), std::move(output)));
}

}  // namespace amp
