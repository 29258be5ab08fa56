// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/sequence.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"

namespace minrnn {

struct GradientCheckOptions {
  Index time = 7, batch = 3;
  const std::uint8_t* starts = nullptr;  // (T, B), or none
  double step = 1e-5;                    // of the central difference
  std::uint64_t seed = 1;
  double input_scale = 1;      // deviation of x and of a carried state
  bool positive_state = true;  // keep carried states positive, as log-space arithmetic needs
};

/// The worst disagreement between `backward` and central differences: |analytic - numeric| / max(1, |analytic|,
/// |numeric|).
struct GradientCheckResult {
  double error = 0;
  std::string where;  // "w_z(3, 1)", "x(0, 2, 1)", "state h(0, 1)"
  double analytic = 0, numeric = 0;
};

namespace detail {

/// The work of `check_gradients` on a layer, its input and its states.
template <SequenceMap L>
class GradientChecker {
  using S = typename L::Scalar;
  using State = typename L::State;

 public:
  GradientChecker(const L& layer, const GradientCheckOptions& options)
      : options_(options),
        layer_(layer),
        random_(options.seed),
        x_(layer.input_size(), options.time, options.batch),
        weights_(layer.output_size(), options.time, options.batch),
        carried_(layer.initial_state(options.batch)),
        state_weights_(carried_) {
    for (Index i = 0; i < x_.size(); ++i) x_.data()[i] = static_cast<S>(options.input_scale * random_.normal());
    for (Index i = 0; i < weights_.size(); ++i) weights_.data()[i] = static_cast<S>(random_.normal());
    for (Matrix<S>* m : matrices_of(carried_)) {
      fill_normal(*m, random_, options.input_scale);
      if (options.positive_state) *m = m->cwiseAbs();
    }
    for (Matrix<S>* m : matrices_of(state_weights_)) fill_normal(*m, random_, 1);
  }

  GradientCheckResult run() {
    for (const bool from_carried : {false, true}) check_from(from_carried);
    return worst_;
  }

 private:
  static std::vector<Matrix<S>*> matrices_of(State& state) {
    std::vector<Matrix<S>*> matrices;
    State::visit(state, Name{}, [&](const Name&, auto& m) { matrices.push_back(&m); });
    return matrices;
  }
  State start_state() const { return from_carried_ ? carried_ : layer_.initial_state(options_.batch); }
  SequenceView<const S> input() const { return SequenceView<const S>(x_).with_starts(options_.starts); }

  double loss() {
    typename L::Cache cache;
    State state = start_state();
    const SequenceView<const S> y = layer_.forward(input(), state, cache, context_);
    double sum = 0;
    for (Index b = 0; b < options_.batch; ++b)
      sum += static_cast<double>(y.matrix(b).cwiseProduct(weights_.view().matrix(b)).sum());
    const auto final = matrices_of(state), by = matrices_of(state_weights_);
    for (std::size_t i = 0; i < final.size(); ++i) sum += static_cast<double>(final[i]->cwiseProduct(*by[i]).sum());
    return sum;
  }

  template <class Where>
  void compare(S& value, S gradient, Where&& where) {
    const S kept = value;
    value = kept + static_cast<S>(options_.step);
    const double above = loss();
    value = kept - static_cast<S>(options_.step);
    const double below = loss();
    value = kept;
    const double analytic = static_cast<double>(gradient), numeric = (above - below) / (2 * options_.step);
    const double error = std::fabs(analytic - numeric) / std::max<double>({1, std::fabs(analytic), std::fabs(numeric)});
    // NaN is the worst of all, and the first one stays.
    if (!detail::is_nan(worst_.error) && (detail::is_nan(error) || error > worst_.error))
      worst_ = {error, where(), analytic, numeric};
  }
  void compare(const std::string& name, Matrix<S>& values, const Matrix<S>& gradients) {
    for (Index j = 0; j < values.cols(); ++j)
      for (Index i = 0; i < values.rows(); ++i)
        compare(values(i, j), gradients(i, j), [&] { return name + shape_text(i, j); });
  }

  void check_from(bool from_carried) {
    from_carried_ = from_carried;
    zero_gradients(layer_);
    typename L::Cache cache;
    State state = start_state(), dstate = state_weights_;
    layer_.forward(input(), state, cache, context_);
    const SequenceView<const S> dx = layer_.backward(SequenceView<const S>(weights_), dstate, cache, context_);
    visit_parameters(layer_,
                     [&](const Name& name, auto& parameter) { compare(name.str(), parameter.value, parameter.grad); });
    for (Index b = 0; b < options_.batch; ++b)
      for (Index t = 0; t < options_.time; ++t)
        for (Index f = 0; f < layer_.input_size(); ++f)
          compare(x_.view().column(t, b)[f], dx.column(t, b)[f], [&] { return "x" + shape_text(f, t, b); });
    if (!from_carried) return;
    const auto gradients = matrices_of(dstate);
    std::size_t next = 0;
    State::visit(carried_, Name{},
                 [&](const Name& name, auto& m) { compare("state " + name.str(), m, *gradients[next++]); });
  }

  GradientCheckOptions options_;
  L layer_;
  Random random_;
  Sequence<S> x_, weights_;  // (F, T, B), (H, T, B)
  State carried_, state_weights_;
  bool from_carried_ = false;
  Context context_{.draw = 0};
  GradientCheckResult worst_;
};

}  // namespace detail

/// Compares every gradient of a layer with (L(v + step) - L(v - step)) / (2 step), element by element, for
///   L = <weights, y> + <state weights, final state>
/// with random weights: of every parameter and the input, once from the layer's initial state, which may depend on a
/// parameter, and once from a carried state, and of that state. Meant for double. The layer is left as given, its
/// gradients too. Works for any `SequenceMap`, one of your own included.
template <SequenceMap L>
GradientCheckResult check_gradients(const L& layer, const GradientCheckOptions& options = {}) {
  detail::check_that(options.step > 0 && detail::is_finite(options.step), "check_gradients", "step",
                     "a positive number", options.step);
  return detail::GradientChecker<L>(layer, options).run();
}

}  // namespace minrnn
