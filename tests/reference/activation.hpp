// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>

#include "reference/given.hpp"
#include "reference/mlp.hpp"

namespace minrnn::reference {

/// A function of one feature and its slope.
struct Pointwise {
  double (*value)(double x);
  double (*slope)(double x);
};

inline double sigmoid_of(double x) { return 1 / (1 + std::exp(-x)); }

inline constexpr Pointwise kTanh{[](double x) { return std::tanh(x); },
                                 [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); }};
inline constexpr Pointwise kSigmoid{sigmoid_of, [](double x) { return sigmoid_of(x) * sigmoid_of(-x); }};
inline constexpr Pointwise kRelu{[](double x) { return std::max(x, 0.0); }, [](double x) { return x > 0 ? 1.0 : 0.0; }};
inline constexpr Pointwise kElu{[](double x) { return x < 0 ? std::expm1(x) : x; },
                                [](double x) { return x < 0 ? std::exp(x) : 1.0; }};
inline constexpr Pointwise kGelu{gelu, gelu_slope}, kExactGelu{exact_gelu, exact_gelu_slope};
inline constexpr Pointwise kSilu{[](double x) { return x * sigmoid_of(x); },
                                 [](double x) { return sigmoid_of(x) * (1 + x * sigmoid_of(-x)); }};

/// y = f(x)
inline Found pointwise(const Given& given, const Pointwise& f) {
  Found found(given);
  for (Index t = 0; t < given.time(); ++t)
    for (Index i = 0; i < given.x.rows(); ++i) {
      found.y(i, t) = f.value(given.x(i, t));
      found.dx(i, t) = given.dy(i, t) * f.slope(given.x(i, t));
    }
  return found;
}

/// y_i = exp(x_i) / sum_j exp(x_j);  dy_i / dx_j = y_i ([i = j] - y_j)
inline Found softmax(const Given& given) {
  Found found(given);
  for (Index t = 0; t < given.time(); ++t) {
    const Vector e = (given.x.col(t).array() - given.x.col(t).maxCoeff()).exp(), y = e / e.sum();
    found.y.col(t) = y;
    for (Index i = 0; i < y.size(); ++i)
      for (Index j = 0; j < y.size(); ++j) found.dx(j, t) += given.dy(i, t) * y(i) * ((i == j ? 1.0 : 0.0) - y(j));
  }
  return found;
}

}  // namespace minrnn::reference
