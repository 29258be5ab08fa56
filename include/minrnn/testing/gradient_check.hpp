// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "minrnn/core/context.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"

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

/// Compares every gradient of a layer with (L(v + step) - L(v - step)) / (2 step), element by element, for
///   L = <weights, y> + <state weights, final state>
/// with random weights: of every parameter and the input, once from the layer's initial state, which may depend on a
/// parameter, and once from a carried state, and of that state. Meant for double. The layer is left as given, its
/// gradients too. Works for any `SequenceLayer`, one of your own included.
template <SequenceLayer L>
GradientCheckResult check_gradients(const L& checked, const GradientCheckOptions& options = {}) {
  using S = typename L::Scalar;
  using State = typename L::State;
  detail::check(options.step > 0 && std::isfinite(options.step), "check_gradients", "step", "a positive number",
                options.step);
  L layer = checked;
  Random random(options.seed);
  const Index time = options.time, batch = options.batch;
  const Context context{.draw = 0};

  Sequence<S> x(layer.input_size(), time, batch), weights(layer.output_size(), time, batch);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<S>(options.input_scale * random.normal());
  for (Index i = 0; i < weights.size(); ++i) weights.data()[i] = static_cast<S>(random.normal());
  const auto input = SequenceView<const S>(x).with_starts(options.starts);

  State carried = layer.initial_state(batch), state_weights = layer.initial_state(batch);
  State::visit(carried, Name{}, [&](const Name&, auto& m) {
    fill_normal(m, random, options.input_scale);
    if (options.positive_state) m = m.cwiseAbs();
  });
  State::visit(state_weights, Name{}, [&](const Name&, auto& m) { fill_normal(m, random, 1); });

  const auto flat = [](State& state) {
    std::vector<Matrix<S>*> matrices;
    State::visit(state, Name{}, [&](const Name&, auto& m) { matrices.push_back(&m); });
    return matrices;
  };
  bool from_carried = false;
  const auto start_state = [&] { return from_carried ? carried : layer.initial_state(batch); };
  const auto loss = [&] {
    typename L::Cache cache;
    State state = start_state();
    const SequenceView<const S> y = layer.forward(input, state, cache, context);
    double sum = 0;
    for (Index b = 0; b < batch; ++b)
      sum += static_cast<double>(y.matrix(b).cwiseProduct(weights.view().matrix(b)).sum());
    const auto final = flat(state), by = flat(state_weights);
    for (std::size_t i = 0; i < final.size(); ++i) sum += static_cast<double>(final[i]->cwiseProduct(*by[i]).sum());
    return sum;
  };

  GradientCheckResult worst;
  const auto compare = [&](S& value, S gradient, auto&& where) {
    const S kept = value;
    value = kept + static_cast<S>(options.step);
    const double above = loss();
    value = kept - static_cast<S>(options.step);
    const double below = loss();
    value = kept;
    const double analytic = static_cast<double>(gradient), numeric = (above - below) / (2 * options.step);
    const double error = std::fabs(analytic - numeric) / std::max<double>({1, std::fabs(analytic), std::fabs(numeric)});
    // NaN is the worst of all, and the first one stays.
    if (!std::isnan(worst.error) && !(error <= worst.error)) worst = {error, where(), analytic, numeric};
  };
  const auto element = [](const std::string& name, auto... indices) { return name + detail::shape_text(indices...); };

  for (const bool carries : {false, true}) {
    from_carried = carries;
    zero_gradients(layer);
    typename L::Cache cache;
    State state = start_state();
    layer.forward(input, state, cache, context);
    State dstate = state_weights;
    const SequenceView<const S> dx = layer.backward(SequenceView<const S>(weights), dstate, cache, context);

    visit_parameters(layer, [&](const Name& name, auto& parameter) {
      for (Index j = 0; j < parameter.value.cols(); ++j)
        for (Index i = 0; i < parameter.value.rows(); ++i)
          compare(parameter.value(i, j), parameter.grad(i, j), [&] { return element(name.str(), i, j); });
    });
    for (Index b = 0; b < batch; ++b)
      for (Index t = 0; t < time; ++t)
        for (Index f = 0; f < layer.input_size(); ++f)
          compare(x.view().column(t, b)[f], dx.column(t, b)[f], [&] { return element("x", f, t, b); });
    if (!from_carried) continue;
    const auto gradients = flat(dstate);
    std::size_t next = 0;
    State::visit(carried, Name{}, [&](const Name& name, auto& m) {
      const Matrix<S>& gradient = *gradients[next++];
      for (Index j = 0; j < m.cols(); ++j)
        for (Index i = 0; i < m.rows(); ++i)
          compare(m(i, j), gradient(i, j), [&] { return element("state " + name.str(), i, j); });
    });
  }
  return worst;
}

}  // namespace minrnn
