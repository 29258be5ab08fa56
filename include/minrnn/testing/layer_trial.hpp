// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/layer.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/testing/finding.hpp"
#include "minrnn/testing/layer_run.hpp"

namespace minrnn {

struct CheckLayerOptions {
  Index time = 7, batch = 3;  // at least 4 frames of 2 sequences
  std::uint64_t seed = 1;
  double input_scale = 1;       // deviation of x
  double tolerance_factor = 1;  // times whatever is allowed for rounding
  bool random_forward = false;  // forward draws, as Dropout: it is not infer, and not the same in a batch and alone
  bool poison = true;           // what must not be seen is also NaN; false for a layer that refuses NaN
  // Fills the features of one frame of x, where not every number is an input; none: normal numbers.
  std::function<void(Random&, Eigen::Ref<Eigen::VectorXd>)> frame = nullptr;
};

namespace detail::promises {

/// A layer on trial: the examples that it is run on, and what was found.
template <class L>
class LayerTrial {
 public:
  using S = typename L::Scalar;
  using State = typename L::State;
  using Cache = typename L::Cache;
  using Example = LayerExample<L>;
  using Results = LayerResults<S>;

  LayerTrial(const L& given, const CheckLayerOptions& given_options)
      : layer(given),
        options(checked(given_options)),
        time(options.time),
        batch(options.batch),
        start(options.time / 2),
        example(make(time, batch, options.seed, options.input_scale)) {
    others.push_back(make(time, batch, options.seed + 1, options.input_scale > 0 ? options.input_scale : 1));
    if (options.poison) others.push_back(poisoned());
  }

  /// Finds what `promise` finds, and an exception.
  void run(const char* name, void (*promise)(LayerTrial&)) {
    findings.begin(name);
    try {
      promise(*this);
    } catch (const std::exception& error) {
      findings.add(std::string("an exception: ") + error.what());
    }
  }

  /// Finds where body() throws no std::invalid_argument.
  template <class Body>
  void expect_refusal(const std::string& what, Body&& body) {
    try {
      body();
      findings.add(what + " is not refused");
    } catch (const std::invalid_argument&) {
    } catch (const std::exception& error) {
      findings.add(what + " is refused by another exception than std::invalid_argument: " + error.what());
    }
  }

  /// Of a sum that is taken in another order, or of a product that is cut into other pieces: some hundred units in the
  /// last place of the largest element.
  double rounding() const { return options.tolerance_factor * (std::is_same_v<S, float> ? 1e-5 : 1e-12); }

  /// Random x, dy and dL/d(final state), and the state after some frames.
  Example make(Index frames, Index sequences, std::uint64_t seed, double scale) const {
    Random random(seed);
    const Matrix<S> warm_up = inputs(3 * sequences, random, scale);
    Matrix<S> x = inputs(frames * sequences, random, scale), dy(layer.output_size(), frames * sequences);
    fill_normal(dy, random, 1);
    State dlast = layer.initial_state(sequences);
    for (Matrix<S>* m : matrices_of<L>(dlast)) fill_normal(*m, random, 1);
    return {frames, sequences, x, dy, state_after(warm_up, sequences), dlast, no_starts(frames, sequences)};
  }
  Example make(Index frames, Index sequences) const {
    return make(frames, sequences, options.seed, options.input_scale);
  }

  Example from_initial() const { return example.from(layer.initial_state(batch)); }
  /// Sequence 0 starts at `start`, sequence 1 at once.
  Example with_starts() const { return example.with_starts({{start, 0}, {0, 1}}); }

  const L& layer;
  const CheckLayerOptions options;
  const Index time, batch, start;
  Findings findings;
  const Example example;
  std::vector<Example> others;  // what stands where nothing may be seen: other numbers, and NaN

 private:
  static const CheckLayerOptions& checked(const CheckLayerOptions& options) {
    check(options.time >= 4, "check_layer", "time", "at least 4 frames", options.time);
    check(options.batch >= 2, "check_layer", "batch", "at least 2 sequences", options.batch);
    return options;
  }

  static std::vector<std::uint8_t> no_starts(Index frames, Index sequences) {
    return std::vector<std::uint8_t>(static_cast<std::size_t>(frames * sequences), 0);
  }

  Matrix<S> inputs(Index columns, Random& random, double scale) const {
    Matrix<S> x(layer.input_size(), columns);
    fill_normal(x, random, scale);
    Eigen::VectorXd column(x.rows());
    for (Index j = 0; options.frame && j < columns; ++j) {
      options.frame(random, column);
      x.col(j) = column.template cast<S>();
    }
    return x;
  }

  State state_after(const Matrix<S>& warm_up, Index sequences) const {
    State state = layer.initial_state(sequences);
    Cache cache;
    layer.infer({warm_up.data(), warm_up.rows(), warm_up.cols() / sequences, sequences}, state, cache);
    return state;
  }

  Example poisoned() const {
    const S nan = std::numeric_limits<S>::quiet_NaN();
    Example spoilt = example;
    spoilt.x.setConstant(nan);
    spoilt.dy.setConstant(nan);
    spoilt.first = state_after(spoilt.x, batch);
    for (Matrix<S>* m : matrices_of<L>(spoilt.dlast)) m->setConstant(nan);
    return spoilt;
  }
};

}  // namespace detail::promises
}  // namespace minrnn
