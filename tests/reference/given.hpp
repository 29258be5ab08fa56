// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "minrnn/core/types.hpp"

/// Layers as their equations read: one sequence, in double, one frame after the other. Every gradient is that of
/// L = <dy, y> + <dlast, state after the last frame>.
namespace minrnn::reference {

using Values = std::map<std::string, Matrix<double>>;
using Vector = Eigen::VectorXd;

/// What a sequence is given: parameters by the layer's names for them, x and dy (features, T), the state before the
/// first frame and the gradient by the state after the last one by name (size, 1), and where segments start.
struct Given {
  Values parameters;
  Matrix<double> x, dy;
  Values state, dlast;
  std::vector<std::uint8_t> starts;  // (T)

  const Matrix<double>& operator[](const std::string& parameter) const { return parameters.at(parameter); }
  Index time() const { return x.cols(); }
  bool start(Index t) const { return starts[static_cast<std::size_t>(t)] != 0; }
  /// What stands before frame t in a state whose values after each frame are h (size, T).
  Vector before(const std::string& name, const Matrix<double>& h, Index t, const Vector& initial) const {
    if (start(t)) return initial;
    return t == 0 ? Vector(state.at(name)) : Vector(h.col(t - 1));
  }
  Vector before(const std::string& name, const Matrix<double>& h, Index t) const {
    return before(name, h, t, Vector::Zero(h.rows()));
  }
};

/// What a layer gives: its results, and the gradients by x, by the first state and by its parameters.
struct Found {
  Matrix<double> y, dx;
  Values state, dstate, gradients;

  explicit Found(const Given& given)
      : y(given.dy.rows(), given.time()), dx(Matrix<double>::Zero(given.x.rows(), given.time())) {
    for (const auto& [name, value] : given.parameters) gradients[name].setZero(value.rows(), value.cols());
  }
  Matrix<double>& d(const std::string& parameter) { return gradients.at(parameter); }
};

/// The adjoint of k = W x + b, where b may be none: dW += dk x^T, db += dk; returns W^T dk.
inline Vector affine_adjoint(const Given& given, Found& found, const std::string& w, const std::string& b,
                             const Vector& x, const Vector& dk) {
  found.d(w) += dk * x.transpose();
  if (found.gradients.count(b) != 0) found.d(b) += dk;
  return given[w].transpose() * dk;
}

/// W x + b, where b may be none.
inline Vector affine(const Given& given, const std::string& w, const std::string& b, const Vector& x) {
  const Vector k = given[w] * x;
  return given.parameters.count(b) != 0 ? Vector(k + given[b]) : k;
}

}  // namespace minrnn::reference
