// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "minrnn/io/checkpoint.hpp"
#include "minrnn/models/mixer_blocks.hpp"
#include "minrnn/models/sequence_model.hpp"
#include "minrnn/optim/adam.hpp"
#include "minrnn/optim/clip.hpp"
#include "network.hpp"

namespace sequence_tool {

template <class Model>
class NetworkOf final : public Network {
 public:
  explicit NetworkOf(Model model) : model_(std::move(model)) {}

  Index parameters() const override { return parameter_count(model_); }

  Answers infer(const Batch& batch, const minrnn::Context& context) override {
    return model_.infer(batch, cache_, context);
  }
  Answers forward(const Batch& batch, const minrnn::Context& context) override {
    return model_.forward(batch, cache_, context);
  }
  double backward(Answers danswers, double clip, const minrnn::Context& context) override {
    zero_gradients(model_);
    model_.backward(danswers, cache_, context);
    return clip_gradient_norm(model_, clip);
  }
  void step(double learning_rate, double weight_decay, const minrnn::Context& context) override {
    adam().options.learning_rate = static_cast<float>(learning_rate);
    adam().options.weight_decay = static_cast<float>(weight_decay);
    adam().step(model_, context);
  }

  bool is_finite() const override {
    bool finite = true;
    visit_parameters(model_, [&](const minrnn::Name&, const auto& p) { finite = finite && p.value.allFinite(); });
    return finite;
  }
  minrnn::TensorFile weights(const Scales& scales, const Metadata& metadata) const override {
    return minrnn::to_tensors(minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"scale", scales}), metadata);
  }
  minrnn::TensorFile state(const Progress& progress, const Metadata& metadata) override {
    return minrnn::to_tensors(minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"optimizer", adam()},
                                            minrnn::Part{"progress", progress}),
                              metadata);
  }
  void restore_weights(const minrnn::TensorFile& file, Scales& scales) override {
    minrnn::restore(file, minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"scale", scales}));
  }
  void restore_state(const minrnn::TensorFile& file, Progress& progress) override {
    minrnn::restore(file, minrnn::Parts(minrnn::Part{"model", model_}, minrnn::Part{"optimizer", adam()},
                                        minrnn::Part{"progress", progress}));
  }

 private:
  /// Made when it is first wanted: its moments take twice the memory of the weights.
  minrnn::Adam<float>& adam() {
    if (!adam_) adam_.emplace(model_, minrnn::AdamOptions<float>{.beta2 = 0.99f});
    return *adam_;
  }

  Model model_;
  typename Model::Cache cache_;
  std::optional<minrnn::Adam<float>> adam_;
};

/// Around blocks of this mixer.
template <class Mixer, class MakeMixer>
std::unique_ptr<Network> network_around(const ModelSettings& s, minrnn::RandomStream stream, MakeMixer&& make_mixer) {
  const minrnn::BlockOptions options{
      .dim = s.dim, .layers = s.layers, .expansion = s.expansion, .kernel = s.kernel, .dropout = s.dropout};
  const auto pooling = s.pool == "last"  ? minrnn::Pooling::last
                       : s.pool == "max" ? minrnn::Pooling::max
                                         : minrnn::Pooling::mean;
  minrnn::SequenceModel model({.inputs = s.inputs(), .outputs = s.outputs(), .pooling = pooling}, stream.stream(0),
                              minrnn::make_blocks<Mixer>(options, stream.stream(1), make_mixer));
  return std::make_unique<NetworkOf<decltype(model)>>(std::move(model));
}

/// Two of the mixer, forward and backward in time, whose outputs are added. In an object of its own, as it compiles as
/// long again.
std::unique_ptr<Network> make_bidirectional(const ModelSettings& settings, minrnn::RandomStream stream);

}  // namespace sequence_tool
