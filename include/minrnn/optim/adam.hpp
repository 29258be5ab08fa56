// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/columns.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/kernels/lanes.hpp"
#include "minrnn/kernels/packet.hpp"
#include "minrnn/kernels/tiles.hpp"

namespace minrnn {

template <class S>
struct AdamOptions {
  S learning_rate = S(1e-3);
  S beta1 = S(0.9), beta2 = S(0.999);
  S epsilon = S(1e-8);
  /// Decoupled decay (AdamW); 0 is plain Adam.
  S weight_decay = S(0);
  /// Which parameters decay, by name, of those that may; by default those of rank 2, so neither biases nor gains. Asked
  /// at every step.
  std::function<bool(const std::string& name, int rank)> decays = [](const std::string&, int rank) { return rank > 1; };
};

namespace detail {
/// The constants of a step of Adam for one parameter.
template <class S>
struct AdamRates {
  S keep, beta1, new1, beta2, new2, rate, epsilon;

  AdamRates(const AdamOptions<S>& o, double correction1, double correction2, bool decays)
      : keep(decays ? S(1) - o.learning_rate * o.weight_decay : S(1)),
        beta1(o.beta1),
        new1(S(1) - o.beta1),
        beta2(o.beta2),
        new2(S(1) - o.beta2),
        // m / (r / c + epsilon) = c m / (r + c epsilon)
        rate(static_cast<S>(static_cast<double>(o.learning_rate) * correction2 / correction1)),
        epsilon(static_cast<S>(static_cast<double>(o.epsilon) * correction2)) {}
};

/// Advances numbers packet by packet, up to the first packet in which a gradient is not finite. Returns how many it
/// advanced.
template <class S>
Index advance_row(Row<const S> grad, Row<S> first, Row<S> root, Row<S> value, Index count, AdamRates<S> rates) {
  using P = Packet<S>;
  const P least((std::numeric_limits<S>::min)());
  const auto update = [&](auto i) MINRNN_INLINE_LAMBDA {
    const P g = grad[i], r_before = root[i];
    if (!all_finite(g)) [[unlikely]]
      return false;
    const P m = fma(g, P(rates.new1), first[i] * rates.beta1);
    // Of numbers relative to the larger, whose squares have no range to leave, as those of g and r have.
    const P unit = maximum(maximum(absolute(g), r_before), least);
    const P now = as_written(g / unit), before = as_written(r_before / unit);
    const P r = unit * square_root(fma(now * now, P(rates.new2), before * before * rates.beta2));
    first[i] = m;
    root[i] = r;
    // Where nothing but zeros came by, 0 / least is 0, and no NaN, even with an epsilon of 0.
    const P direction = m / maximum(r + rates.epsilon, least);
    value[i] = fma(-direction, P(rates.rate), value[i] * rates.keep);
    return true;
  };
  Index i = 0;
  for (; i + P::size <= count; i += P::size)
    if (!update(FullLanes<S>{i})) [[unlikely]]
      return i;
  return i < count && update(PartialLanes<S>{i, count - i}) ? count : i;
}

/// One step of Adam for a parameter and its moments, on all threads. Returns how many gradients are not finite.
template <class S>
Index advance_parameter(Parameter<S>& p, Matrix<S>& first, Matrix<S>& root, const AdamRates<S>& rates,
                        const Context& context) {
  constexpr double kWork = 32;  // of a number
  std::atomic<Index> skipped = 0;
  const Pieces pieces(p.size(), Tiles::of(p.size(), {kWork}), 1024);
  parallel_for(context, pieces.count(), kWork * static_cast<double>(p.size()), [&](Index piece, Index) {
    const Index end = pieces.last(piece);
    const auto advance_from = [&](Index i, Index count) {
      return advance_row(Row<const S>(p.grad).from(i), Row<S>(first).from(i), Row<S>(root).from(i),
                         Row<S>(p.value).from(i), count, rates);
    };
    for (Index i = pieces.first(piece); i < end;) {
      i += advance_from(i, end - i);
      for (const Index after = std::min<Index>(end, i + Packet<S>::size); i < after; ++i)  // what ended it, one by one
        if (advance_from(i, 1) == 0) skipped.fetch_add(1, std::memory_order_relaxed);
    }
  });
  return skipped;
}
}  // namespace detail

/// Adam, and with a weight decay AdamW. One step counter for all parameters; moments in the order of the visit.
///
/// Equations   t += 1;  v *= 1 - lr decay;  m = beta1 m + (1 - beta1) g;  r^2 = beta2 r^2 + (1 - beta2) g^2
///             v -= lr / (1 - beta1^t) m / (r / sqrt(1 - beta2^t) + epsilon)                 [as torch.optim.AdamW]
/// Range       r, the root of the second moment, is what is kept: a square leaves the range of S long before its root
///             does, and an infinite one would hold its weight for good. So every finite gradient counts for what it is
/// Use         Adam adam(net, {.learning_rate = 0.01f});  // of the scalar of the net
/// Throws      std::invalid_argument where a layer's parameters are not those that the optimizer was made for, or an
///             option is out of its range: learning_rate, epsilon, weight_decay finite and at least 0, beta1 and beta2
///             in [0, 1), decays a function
/// Source      Kingma and Ba 2015, "Adam"; Loshchilov and Hutter 2019, "Decoupled weight decay regularization"
template <class S>
class Adam {
 public:
  struct Moments {
    std::string name;
    Matrix<S> first, root;
    bool decays = false;  // in the present step
  };

  AdamOptions<S> options;  // may be changed between steps, the learning rate above all

  template <Parameterised L>
  explicit Adam(const L& layer, AdamOptions<S> settings = {}) : options(std::move(settings)) {
    check_options("Adam");
    visit_own(layer, [&](const Name& name, const Parameter<S>& p) {
      const Matrix<S> zero = Matrix<S>::Zero(p.value.rows(), p.value.cols());
      moments_.push_back({name.str(), zero, zero});
    });
  }

  /// One step from the gradients of `layer`, which stay as they are. Nothing changes where it throws; allocates
  /// nothing.
  ///
  /// Returns whether all gradients are finite numbers. One that is not moves nothing: its weight and its moments stay
  /// what they are, bit for bit. Where none is finite the step does not take place, and `steps` does not count it;
  /// after `clip_gradient_norm` all are finite or none is. So a training goes on behind a batch whose loss is NaN.
  template <Parameterised L>
  bool step(L& layer, const Context& context = {}) {
    check_options("Adam::step");
    check_parameters(layer);
    choose_decays(layer);
    ++steps_;
    const double t = static_cast<double>(steps_);
    const double correction1 = 1 - std::pow(static_cast<double>(options.beta1), t);
    const double correction2 = std::sqrt(1 - std::pow(static_cast<double>(options.beta2), t));
    std::size_t next = 0;
    Index all = 0, skipped = 0;  // gradients, and those that are not finite
    visit_own(layer, [&](const Name&, Parameter<S>& p) {
      Moments& m = moments_[next++];
      all += p.size();
      skipped += detail::advance_parameter(p, m.first, m.root, {options, correction1, correction2, m.decays}, context);
    });
    if (skipped == all && all > 0) --steps_;
    return skipped == 0;
  }

  std::int64_t steps() const { return steps_; }

  /// What a checkpoint holds: step, then first/<parameter> and root/<parameter> for each. The options are the caller's.
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "step", self.steps_);
    for (auto& m : self.moments_) {
      visitor(scope / "first" / m.name, m.first);
      visitor(scope / "root" / m.name, m.root);
    }
  }

 private:
  /// As visit_parameters, of parameters whose scalar is S.
  template <class L, class V>
  static void visit_own(L& layer, V&& visitor) {
    visit_parameters(layer, [&](const Name& name, auto& p) {
      constexpr bool kOwn = std::same_as<typename std::remove_cvref_t<decltype(p)>::Scalar, S>;
      static_assert(kOwn, "the parameters of this net have another scalar than Adam: write Adam adam(net)");
      if constexpr (kOwn) visitor(name, p);
    });
  }

  void check_options(std::string_view where) const {
    const auto wants = [&](bool ok, std::string_view option, const char* wanted, S given) {
      if (!ok) [[unlikely]]
        detail::throw_argument(where, option, wanted, given);
    };
    const auto at_least_0 = [](S option) { return detail::is_finite(option) && option >= S(0); };
    const auto below_1 = [](S option) { return detail::is_finite(option) && option >= S(0) && option < S(1); };
    const char *amount = "a finite number of at least 0", *fraction = "a number of at least 0 and below 1";
    wants(at_least_0(options.learning_rate), "learning_rate", amount, options.learning_rate);
    wants(below_1(options.beta1), "beta1", fraction, options.beta1);
    wants(below_1(options.beta2), "beta2", fraction, options.beta2);
    wants(at_least_0(options.epsilon), "epsilon", amount, options.epsilon);
    wants(at_least_0(options.weight_decay), "weight_decay", amount, options.weight_decay);
    if (steps_ < 0) [[unlikely]]
      detail::throw_argument(where, "step", "a count of at least 0", steps_);
    if (!options.decays) [[unlikely]]
      detail::throw_argument(where, "decays", "a function", "none");
  }

  template <class L>
  void check_parameters(L& layer) const {
    std::size_t next = 0;
    visit_own(layer, [&](const Name& name, const Parameter<S>& p) {
      if (next == moments_.size()) [[unlikely]]
        detail::throw_argument("Adam::step", "layer", {moments_.size(), " parameters"}, {"more, from ", name.str()});
      const Moments& m = moments_[next++];
      if (!name.is(m.name)) [[unlikely]]
        detail::throw_argument("Adam::step", {"parameter ", next - 1}, m.name, name.str());
      detail::check_matrix("Adam::step", m.name, p.value, m.first.rows(), m.first.cols());
      detail::check_matrix("Adam::step", m.name, p.grad, m.first.rows(), m.first.cols());
    });
    if (next != moments_.size()) [[unlikely]]
      detail::throw_argument("Adam::step", "layer", {moments_.size(), " parameters"}, next);
  }

  /// Asks before anything changes: what is asked is the user's, and may throw.
  template <class L>
  void choose_decays(L& layer) {
    std::size_t next = 0;
    visit_own(layer, [&](const Name&, const Parameter<S>& p) {
      Moments& m = moments_[next++];
      m.decays = p.decays && options.decays(m.name, p.rank);
    });
  }

  std::int64_t steps_ = 0;
  std::vector<Moments> moments_;
};

template <class L>
requires requires { typename L::Scalar; }
Adam(const L&, AdamOptions<typename L::Scalar> = {})->Adam<typename L::Scalar>;

}  // namespace minrnn
