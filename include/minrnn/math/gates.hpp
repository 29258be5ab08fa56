// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <string_view>

#include "minrnn/math/log_space.hpp"

namespace minrnn {

/// The candidate h~ of a minimal cell: `positive` applies g (as published for log space), `plain` is linear.
/// They are different functions, not two ways to compute one.
enum class Candidate { positive, plain };

/// How the recurrence is computed: `linear` on h itself, `log_space` on log h. With a positive candidate both give the
/// same function.
enum class Arithmetic { linear, log_space };

/// Whether the gates of minLSTM are divided by their sum, as in the paper, or used as they are, as in the official code.
enum class GateScaling { normalised, unnormalised };

namespace detail {

/// One step of a minimal cell as its gates give it: h_t = decay h_{t-1} + input, or the logarithms of both factors.
template <class S>
struct Recurrence {
  Packet<S> decay, input;
};

/// The candidate as a function of its pre-activation, with its derivative.
template <class S, Candidate candidate>
MINRNN_INLINE PositiveCandidate<S> candidate_of(Packet<S> x) {
  if constexpr (candidate == Candidate::positive)
    return positive_candidate(x);
  else
    return {x, Packet<S>(S(1))};
}

/// The gates of minGRU from their pre-activations: what layer, cell and backward share.
template <class S, Candidate kCandidate, Arithmetic kArithmetic>
struct MinGruGates {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 2;
  static constexpr std::string_view kName = "MinGru";
  static constexpr std::array<std::string_view, 2> kWeights{"w_z", "w_h"}, kBiases{"b_z", "b_h"};
  static constexpr double kForgetSign = -1;  // the forget gate is 1 - z

  using P = Packet<S>;
  using Pre = std::array<P, 2>;  // k_z, k_h

  MINRNN_INLINE static auto candidate(P k) { return candidate_of<S, kCandidate>(k); }

  /// h_t = (1 - z) h_{t-1} + z h~, or its logarithm
  MINRNN_INLINE static Recurrence<S> forward(const Pre& k) {
    if constexpr (kArithmetic == Arithmetic::linear) {
      const auto [z, keep] = sigmoid_pair(k[0]);
      return {keep, z * candidate(k[1]).value};
    } else {
      const auto [log_z, log_keep] = log_sigmoid_pair(k[0]);
      return {log_keep, log_z + log_positive_candidate(k[1])};
    }
  }

  /// From delta = dL/dh_t: dk_z = delta (h~ - h_{t-1}) z (1 - z), dk_h = delta z h~'. Returns 1 - z.
  MINRNN_INLINE static P backward(const Pre& k, P before, P delta, Pre& dk) {
    const auto [z, keep] = sigmoid_pair(k[0]);
    const auto [h_tilde, slope] = candidate(k[1]);
    const P dz = delta * (h_tilde - before);
    dk[0] = dz * z * keep;
    dk[1] = delta * z * slope;
    return keep;
  }
  MINRNN_INLINE static P decay(const Pre& k) { return sigmoid_pair(k[0]).complement; }
};

/// The gates of minLSTM, likewise.
template <class S, GateScaling kScaling, Candidate kCandidate, Arithmetic kArithmetic>
struct MinLstmGates {
  static_assert(kArithmetic == Arithmetic::linear || kCandidate == Candidate::positive,
                "log-space arithmetic needs a positive candidate");
  static constexpr Arithmetic arithmetic = kArithmetic;
  static constexpr int kCount = 3;
  static constexpr std::string_view kName = "MinLstm";
  static constexpr std::array<std::string_view, 3> kWeights{"w_f", "w_i", "w_h"}, kBiases{"b_f", "b_i", "b_h"};
  static constexpr double kForgetSign = 1;

  using P = Packet<S>;
  using Pre = std::array<P, 3>;  // k_f, k_i, k_h

  MINRNN_INLINE static auto candidate(P k) { return candidate_of<S, kCandidate>(k); }

  /// f' = f / (f + i) and i' = i / (f + i) without the gates themselves, which may both underflow. With
  /// m = max(0, -k_f, -k_i), one = e^-m, u = e^(-k_i - m), w = e^(-k_f - m), of which the largest is 1:
  ///   f' = (one + u) / d,  i' = (one + w) / d,  d = 2 one + u + w
  ///   df'/dk_f = f' w / d,  df'/dk_i = -i' u / d
  struct Normalised {
    P forget, input, d_forget, d_input;

    MINRNN_INLINE Normalised(P k_f, P k_i) {
      const P m = max(max(-k_f, -k_i), P(S(0)));
      const P one = exp(-m), u = exp(-k_i - m), w = exp(-k_f - m);
      const P reciprocal = P(S(1)) / ((one + u) + (one + w));
      forget = (one + u) * reciprocal;
      input = (one + w) * reciprocal;
      d_forget = forget * (w * reciprocal);
      d_input = input * (u * reciprocal);
    }
  };

  /// h_t = f h_{t-1} + i h~, or its logarithm
  MINRNN_INLINE static Recurrence<S> forward(const Pre& k) {
    if constexpr (kArithmetic == Arithmetic::log_space) {
      P log_f = log_sigmoid_pair(k[0]).value, log_i = log_sigmoid_pair(k[1]).value;
      if constexpr (kScaling == GateScaling::normalised) {
        const auto [value, complement] = log_sigmoid_pair(log_f - log_i);
        log_f = value;
        log_i = complement;
      }
      return {log_f, log_i + log_positive_candidate(k[2])};
    } else if constexpr (kScaling == GateScaling::normalised) {
      const Normalised gates(k[0], k[1]);
      return {gates.forget, gates.input * candidate(k[2]).value};
    } else {
      return {sigmoid(k[0]), sigmoid(k[1]) * candidate(k[2]).value};
    }
  }

  /// From delta = dL/dh_t: df = delta h_{t-1}, di = delta h~, dh~ = delta i; where i = 1 - f they meet in
  /// df - di = delta (h_{t-1} - h~). Returns f.
  MINRNN_INLINE static P backward(const Pre& k, P before, P delta, Pre& dk) {
    const auto [h_tilde, slope] = candidate(k[2]);
    if constexpr (kScaling == GateScaling::normalised) {
      const Normalised gates(k[0], k[1]);
      const P difference = delta * (before - h_tilde);
      dk[0] = difference * gates.d_forget;
      dk[1] = -difference * gates.d_input;
      dk[2] = delta * gates.input * slope;
      return gates.forget;
    } else {
      const auto [f, not_f] = sigmoid_pair(k[0]);
      const auto [i, not_i] = sigmoid_pair(k[1]);
      dk[0] = delta * before * f * not_f;
      dk[1] = delta * h_tilde * i * not_i;
      dk[2] = delta * i * slope;
      return f;
    }
  }
  MINRNN_INLINE static P decay(const Pre& k) {
    if constexpr (kScaling == GateScaling::normalised)
      return Normalised(k[0], k[1]).forget;
    else
      return sigmoid(k[0]);
  }
};

}  // namespace detail
}  // namespace minrnn
