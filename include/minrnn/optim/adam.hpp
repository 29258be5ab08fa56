// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/parallel.hpp"
#include "minrnn/core/parameter.hpp"

namespace minrnn {

template <class S>
struct AdamOptions {
  S learning_rate = S(1e-3);
  S beta1 = S(0.9), beta2 = S(0.999);
  S epsilon = S(1e-8);
  /// Decoupled decay (AdamW); 0 is plain Adam.
  S weight_decay = S(0);
  /// Which parameters decay, by name, of those that may; by default those of rank 2, so neither biases nor gains.
  std::function<bool(const std::string& name, int rank)> decays = [](const std::string&, int rank) { return rank > 1; };
};

/// Adam, and with a weight decay AdamW. One step counter for all parameters; moments in the order of the visit.
///
/// Equations   t += 1;  v *= 1 - lr decay;  m = beta1 m + (1 - beta1) g;  s = beta2 s + (1 - beta2) g^2
///             v -= lr / (1 - beta1^t) m / (sqrt(s) / sqrt(1 - beta2^t) + epsilon)           [as torch.optim.AdamW]
/// Throws      std::invalid_argument where a layer's parameters are not those that the optimizer was made for
/// Source      Kingma and Ba 2015, "Adam"; Loshchilov and Hutter 2019, "Decoupled weight decay regularization"
template <class S>
class Adam {
 public:
  struct Moments {
    std::string name;
    Matrix<S> first, second;
    bool decays;
  };

  AdamOptions<S> options;  // may be changed between steps, the learning rate above all

  template <class L>
  explicit Adam(const L& layer, AdamOptions<S> settings = {}) : options(std::move(settings)) {
    visit_parameters(layer, [&](const Name& name, const Parameter<S>& p) {
      const Matrix<S> zero = Matrix<S>::Zero(p.value.rows(), p.value.cols());
      const std::string path = name.str();
      moments_.push_back({path, zero, zero, p.decays && options.decays(path, p.rank)});
    });
  }

  /// One step from the gradients of `layer`, which stay as they are. Nothing changes where it throws.
  template <class L>
  void step(L& layer) {
    check_parameters(layer);
    ++steps_;
    const double t = static_cast<double>(steps_);
    const S correction1 = static_cast<S>(1 - std::pow(static_cast<double>(options.beta1), t));
    const S correction2 = static_cast<S>(std::sqrt(1 - std::pow(static_cast<double>(options.beta2), t)));
    const S rate = options.learning_rate / correction1;
    std::size_t next = 0;
    visit_parameters(layer, [&](const Name&, Parameter<S>& p) {
      Moments& m = moments_[next++];
      const S keep = m.decays ? S(1) - options.learning_rate * options.weight_decay : S(1);
      constexpr Index kChunk = 8192;
      parallel_for((p.size() + kChunk - 1) / kChunk, [&](Index chunk, Index) {
        const Index first = chunk * kChunk, count = std::min<Index>(kChunk, p.size() - first);
        using Array = Eigen::Map<Eigen::Array<S, Eigen::Dynamic, 1>>;
        Array value(p.value.data() + first, count), grad(p.grad.data() + first, count);
        Array one(m.first.data() + first, count), two(m.second.data() + first, count);
        one += (grad - one) * (S(1) - options.beta1);
        two = options.beta2 * two + (S(1) - options.beta2) * grad.square();
        value = keep * value - rate * one / (two.sqrt() / correction2 + options.epsilon);
      });
    });
  }

  std::int64_t steps() const { return steps_; }

  /// What a checkpoint holds: step, then first/<parameter> and second/<parameter> for each. The options are the caller's.
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "step", self.steps_);
    for (auto& m : self.moments_) {
      visitor(scope / "first" / m.name, m.first);
      visitor(scope / "second" / m.name, m.second);
    }
  }

 private:
  template <class L>
  void check_parameters(L& layer) const {
    std::size_t next = 0;
    visit_parameters(layer, [&](const Name& name, const Parameter<S>& p) {
      detail::check(next < moments_.size(), "Adam::step", "layer", std::to_string(moments_.size()) + " parameters",
                    "more, from " + name.str());
      const Moments& m = moments_[next++];
      const std::string path = name.str();
      if (path != m.name) detail::throw_argument("Adam::step", "parameter " + std::to_string(next - 1), m.name, path);
      detail::check_matrix("Adam::step", path, p.value, m.first.rows(), m.first.cols());
    });
    detail::check(next == moments_.size(), "Adam::step", "layer", std::to_string(moments_.size()) + " parameters",
                  std::to_string(next));
  }

  std::int64_t steps_ = 0;
  std::vector<Moments> moments_;
};

}  // namespace minrnn
