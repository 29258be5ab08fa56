// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// A layer of your own: a leaky integrator whose rates are learned.
//
//   h_t = h_{t-1} + r (x_t - h_{t-1}),  r = sigmoid(k), one k for each feature
//
// Whatever satisfies the concept SequenceLayer goes wherever a library layer goes. This program shows that this one
// does, and that it keeps what every layer promises, alone and between library layers.
#include <minrnn/minrnn.hpp>
#include <minrnn/testing/check_layer.hpp>

#include <cstdio>
#include <stdexcept>

using namespace minrnn;

template <class S>
class LeakyIntegrator {
 public:
  using Scalar = S;
  struct State {
    Matrix<S> h;  // (F, B)
    template <class Self, class V>
    static void visit(Self& self, const Name& scope, V&& visitor) {
      visitor(scope / "h", self.h);
    }
  };
  struct Cache : CacheBase {  // knows whether forward was the last to use it
    SequenceView<const S> x;  // (F, T, B)
    Output<S> h, dx;          // (F, T, B)
    Matrix<S> first, rate;    // (F, B), the state before the first step; (F, 1)
  };

  explicit LeakyIntegrator(Index features) : k_(features) {}  // k = 0: a rate of 1/2
  Index input_size() const { return k_.size(); }
  Index output_size() const { return k_.size(); }
  State initial_state(Index batch) const { return {Matrix<S>::Zero(k_.size(), batch)}; }

  SequenceView<const S> forward(SequenceView<const S> x, State& state, Cache& cache, const Context& = {}) const {
    const auto first = state.h;
    const auto y = infer(x, state, cache);
    cache.first = first;
    cache.x = x;
    cache.keep({input_size(), output_size()}, x.time(), x.batch());
    return y;
  }
  SequenceView<const S> infer(SequenceView<const S> x, State& state, Cache& cache, const Context& = {}) const {
    if (x.features() != k_.size()) throw std::invalid_argument("LeakyIntegrator: x");
    check(state, x.batch());
    cache.forget();
    const SequenceView<S> h = cache.h.resize(x.features(), x.time(), x.batch(), x);
    cache.rate = (1 + (-k_.value.array()).exp()).inverse();
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = 0; t < x.time(); ++t)
        for (Index f = 0; f < x.features(); ++f) {
          const S before = x.starts(t, b) ? S(0) : state.h(f, b);
          h.column(t, b)[f] = state.h(f, b) = before + cache.rate(f) * (x.column(t, b)[f] - before);
        }
    return SequenceView<const S>(h).with_starts(x.starts());
  }
  FrameView<const S> step(FrameView<const S> x, State& state, Cache& cache, const Context& = {}) const {
    return infer(x.sequence(), state, cache).frame(0);
  }
  // Forward read upwards. dstate carries dL/dh_t from the steps after t.
  SequenceView<const S> backward(SequenceView<const S> dy, State& dstate, Cache& cache, const Context& = {}) {
    cache.check_backward("LeakyIntegrator", {input_size(), output_size()}, dy);
    check(dstate, dy.batch());
    const SequenceView<const S> x = cache.x, h = cache.h.view();
    const SequenceView<S> dx = cache.dx.resize(x.features(), x.time(), x.batch(), dy);
    for (Index b = 0; b < x.batch(); ++b)
      for (Index t = x.time() - 1; t >= 0; --t)
        for (Index f = 0; f < x.features(); ++f) {
          const bool start = x.starts(t, b);
          const S before = start ? S(0) : t > 0 ? h.column(t - 1, b)[f] : cache.first(f, b);
          const S r = cache.rate(f), delta = dy.column(t, b)[f] + dstate.h(f, b);
          dx.column(t, b)[f] = delta * r;
          dstate.h(f, b) = start ? S(0) : delta * (1 - r);
          k_.grad(f) += delta * (x.column(t, b)[f] - before) * r * (1 - r);
        }
    return dx;
  }
  SequenceView<const S> backward(SequenceView<const S> dy, Cache& cache, const Context& context = {}) {
    return backward_from_zero(*this, dy, cache, context);
  }
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "k", self.k_);
  }

 private:
  void check(const State& state, Index batch) const {
    if (state.h.rows() != k_.size() || state.h.cols() != batch) throw std::invalid_argument("LeakyIntegrator: state");
  }

  Parameter<S> k_;  // (F)
};
static_assert(SequenceLayer<LeakyIntegrator<double>>);
int main() {
  const Random random(1);
  bool holds = true;
  const auto check = [&](const char* what, const auto& layer) {
    const auto findings = check_layer(layer);
    std::printf("%s: %td findings\n", what, std::ssize(findings));
    for (const Finding& finding : findings) std::printf("  %s\n", to_string(finding).c_str());
    holds = holds && findings.empty();
  };
  check("alone", LeakyIntegrator<double>(5));
  check("between library layers", Sequential(Linear<double>(3, 5, random.stream(0)), LeakyIntegrator<double>(5),
                                             RmsNorm<double>(5), MinGru<double>(5, 2, random.stream(1))));
  return holds ? 0 : 1;
}
