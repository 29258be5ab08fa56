// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

#include "minrnn/core/check.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/message.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/finding.hpp"
#include "minrnn/testing/layer_run.hpp"

namespace minrnn::detail::promises {

/// A loss, and the sum of the magnitudes that were added up in it, of which its rounding is a part.
struct Loss {
  double value = 0, magnitude = 0;

  template <class Left, class Right>
  void add(const Left& left, const Right& right) {
    for (Index i = 0; i < left.size(); ++i) {
      const double term = static_cast<double>(left.data()[i]) * static_cast<double>(right.data()[i]);
      value += term;
      magnitude += std::fabs(term);
    }
  }
};

/// A derivative by differences, and how much of it may be rounding.
struct Derivative {
  double value = 0, noise = 0;
};

enum class Side { both, above, below };

/// The derivative of loss() along a direction in which move(distance) goes, by differences of fourth order in steps s,
/// whose error is in proportion to s^4 d^5L:
///   (8 (L(+s) - L(-s)) - (L(+2s) - L(-2s))) / (12 s)
/// or from one side alone, s or -s:
///   (-25 L(0) + 48 L(s) - 36 L(2s) + 16 L(3s) - 3 L(4s)) / (12 s)
template <class Move, class Function>
Derivative derivative(double step, Side side, double epsilon, Move&& move, Function&& loss) {
  double magnitude = 0, weights = 0;
  const auto term = [&](double weight, int steps) {
    move(steps * step);
    const Loss found = loss();
    magnitude = std::max<double>(magnitude, found.magnitude);
    weights += std::fabs(weight) / 12;
    return weight / 12 * found.value;
  };
  if (side == Side::below) step = -step;
  const double sum = side == Side::both ? term(8, 1) + term(-8, -1) + term(-1, 2) + term(1, -2)
                                        : term(-25, 0) + term(48, 1) + term(-36, 2) + term(16, 3) + term(-3, 4);
  return {sum / step, weights * epsilon * magnitude / std::fabs(step)};
}

/// The derivatives of L = <dy, y> + <dlast, final state> that backward gives, against differences: in double element by
/// element, in float along directions that change all elements of a matrix, as L changes by enough then to be told from
/// its rounding in steps so small that few activations pass a corner.
template <class S>
class LayerDerivatives {
 public:
  /// From the state of the example; without `is_carried` from the initial state, which may depend on a parameter.
  LayerDerivatives(const AnyLayer<S>& layer, LayerExample<S> example, bool is_carried)
      : layer_(layer), example_(std::move(example)), is_carried_(is_carried) {
    example_.first = first();
    floor_ = std::clamp(static_cast<double>(example_.x.cwiseAbs().maxCoeff()), 1e-3, 1.0);
    given_ = train_layer(layer, example_);
  }

  WorstElement worst(double tolerance_factor) {
    tolerance_factor_ = tolerance_factor;
    visit_parameters(layer_, [&](const Name& name, Parameter<S>& parameter) {
      check_matrix(parameter.value, "gradient " + name.str(), name.str());
    });
    check_matrix(example_.x, "dx", "x");
    if (is_carried_)
      AnyState<S>::visit(example_.first, Name{}, [&](const Name& name, Matrix<S>& m) {
        check_matrix(m, "dstate " + name.str(), "state " + name.str());
      });
    return worst_;
  }

 private:
  static constexpr bool kSingle = std::is_same_v<S, float>;
  // In double differences are good to about 1e-9. In float a layer's results have six digits, of which differences
  // leave one or two: what is found is a wrong sign, factor or term.
  static constexpr double kTolerance = kSingle ? 5e-2 : 1e-7;
  // Powers of two, so that adding one to an element is exact. The first is best where L is smooth, the others where it
  // bends within that step, as where RMSNorm divides by little.
  static constexpr std::array<double, 3> kSteps =
      kSingle ? std::array<double, 3>{0x1p-9, 0x1p-12, 0x1p-15} : std::array<double, 3>{0x1p-13, 0x1p-17, 0x1p-20};

  AnyState<S> first() const { return is_carried_ ? example_.first : layer_.initial_state(example_.batch); }

  Loss loss() {
    AnyCache cache;
    AnyState<S> state = first();
    const SequenceView<const S> y = layer_.forward(example_.input(), state, cache, kFirstDraw);
    Loss sum;
    for (Index b = 0; b < y.batch(); ++b) sum.add(y.matrix(b), example_.output_gradient().matrix(b));
    const auto states = matrices_of(std::as_const(state)), by = matrices_of(std::as_const(example_.dlast));
    for (std::size_t i = 0; i < states.size(); ++i) sum.add(*states[i], *by[i]);
    return sum;
  }

  void check_matrix(Matrix<S>& m, const std::string& result, const std::string& what) {
    const Matrix<S>& gradient = given_.at(result);
    Matrix<S> direction = Matrix<S>::Zero(m.rows(), m.cols());
    Random random(1);
    for (int i = 0; kSingle && i < 4 && m.size() > 0; ++i) {
      for (Index j = 0; j < m.size(); ++j) direction.data()[j] = i == 0 || random.below(2) == 0 ? S(1) : S(-1);
      check_direction(m, gradient, direction, "the derivative along a direction of " + what);
    }
    for (Index j = 0; !kSingle && j < m.cols(); ++j)
      for (Index i = 0; i < m.rows(); ++i) {
        direction(i, j) = 1;
        check_direction(m, gradient, direction, "d" + what + shape_text(i, j));
        direction(i, j) = 0;
      }
  }

  /// A right gradient agrees with the differences of one step and side: at a corner of an activation, or where a state
  /// may not fall below zero, with those of one side. A wrong one agrees with none of those that rounding leaves
  /// meaning.
  void check_direction(Matrix<S>& m, const Matrix<S>& gradient, const Matrix<S>& direction, const std::string& where) {
    const Matrix<double> terms = gradient.cwiseProduct(direction).template cast<double>();
    const double expected = terms.sum();
    Finding closest;
    for (const double step : kSteps)
      for (const Side side : {Side::both, Side::above, Side::below}) {
        const std::optional<Derivative> found = along(m, direction, step, side);
        if (!found) continue;
        const double size = std::max<double>({floor_, terms.norm(), std::fabs(found->value)});
        const double difference = std::fabs(expected - found->value);
        const double allowed = tolerance_factor_ * (kTolerance * size + found->noise);
        const bool is_first = closest.where.empty();
        if (found->noise > 4 * kTolerance * size && !is_first) continue;
        if (difference <= allowed) return;
        if (is_first || difference / allowed < closest.difference / closest.allowed)
          closest = {{}, where + " = " + std::to_string(expected), difference, allowed};
      }
    if (closest.where.empty() && direction.minCoeff() >= 0)  // where elements fall, a state may have to refuse it
      closest = {{}, where + ": every small change is refused", std::nan(""), 0};
    closest.where += is_carried_ ? ", from a carried state" : ", from the initial state";
    worst_.note(closest.difference, closest.allowed, [&] { return closest.where; });
  }

  /// None where the layer refuses what the differences need.
  std::optional<Derivative> along(Matrix<S>& m, const Matrix<S>& direction, double step, Side side) {
    const Matrix<S> kept = m;
    std::optional<Derivative> found;
    try {
      found = derivative(
          step, side, static_cast<double>(std::numeric_limits<S>::epsilon()),
          [&](double distance) { m = kept + static_cast<S>(distance) * direction; }, [this] { return loss(); });
    } catch (const std::invalid_argument&) {
    }
    m = kept;
    return found;
  }

  AnyLayer<S> layer_;
  LayerExample<S> example_;
  bool is_carried_;
  double tolerance_factor_ = 1;
  double floor_ = 1;  // smaller derivatives count as this large; those by weights shrink with x
  LayerResults<S> given_;
  WorstElement worst_;
};

}  // namespace minrnn::detail::promises
