// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "minrnn/core/check.hpp"
#include "minrnn/core/context.hpp"
#include "minrnn/core/floating_point.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/testing/any_layer.hpp"
#include "minrnn/testing/finding.hpp"
#include "minrnn/testing/layer_run.hpp"

namespace minrnn {

struct CheckLayerOptions {
  Index time = 7, batch = 3;  // at least 4 frames of 2 sequences
  std::uint64_t seed = 1;
  double input_scale = 1;       // deviation of x
  double tolerance_factor = 1;  // times whatever is allowed for rounding
  bool random_forward = false;  // forward draws, as Dropout: it is not infer, and not the same in a batch and alone
  bool poison = true;  // what must not be seen is also NaN, infinity, 1e30; false for a layer that refuses these
  // Fills the features of one frame of x, where not every number is an input; none: normal numbers.
  std::function<void(Random&, Eigen::Ref<Eigen::VectorXd>)> frame = nullptr;
  // The names of the promises to check; none: all of them.
  std::set<std::string> promises = {};
  // The names of promises that the layer keeps to the bit where rounding is allowed, but for sums over frames.
  std::set<std::string> exact = {};
  // Makes an executor with so many workers; none: a ThreadPool that shares whatever there is.
  std::function<std::unique_ptr<Executor>(Index)> executor = nullptr;
};

namespace detail::promises {

/// A layer on trial: the examples that it is run on, and what was found.
template <class S>
class LayerTrial {
 public:
  using Example = LayerExample<S>;

  LayerTrial(const AnyLayer<S>& given, const CheckLayerOptions& given_options)
      : layer(given),
        options(checked(given_options)),
        time(options.time),
        batch(options.batch),
        start(options.time / 2),
        reversed(find_reversed()),
        example(make(time, batch, options.seed, options.input_scale)) {
    others.push_back(make(time, batch, options.seed + 1, options.input_scale > 0 ? options.input_scale : 1));
    if (!options.poison) return;
    for (const S poison : {std::numeric_limits<S>::quiet_NaN(), std::numeric_limits<S>::infinity(), S(1e30)})
      others.push_back(poisoned(poison));
  }

  /// Finds what `promise` finds, and an exception.
  void run(const std::string& name, void (*promise)(LayerTrial&)) {
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

  /// Finds what differs in any way to run the layer, of the results that part(results) keeps.
  template <class Part>
  void compare_every_way(const std::string& what, const WayResults<S>& found, const WayResults<S>& wanted,
                         Part&& part) {
    for (std::size_t way = 0; way < wanted.size(); ++way)
      findings.compare(wanted[way].first + " " + what, part(found[way].second), part(wanted[way].second));
  }

  /// Of a sum that is taken in another order, or of a product that is cut into other pieces: some hundred units in the
  /// last place of the largest element.
  Tolerance rounding() const {
    const double rounded = options.tolerance_factor * (std::is_same_v<S, float> ? 1e-5 : 1e-12);
    return {options.exact.contains(findings.promise()) ? 0 : rounded, rounded};
  }

  /// Random x, dy and dL/d(final state), and the state after some frames.
  Example make(Index frames, Index sequences, std::uint64_t seed, double scale) const {
    Example made = draw(frames, sequences, seed, scale);
    made.reversed = reversed;
    return made;
  }
  Example make(Index frames, Index sequences) const {
    return make(frames, sequences, options.seed, options.input_scale);
  }

  Example from_initial() const { return example.from(layer.initial_state(batch)); }
  /// Sequence 0 starts at `start`, sequence 1 at once.
  Example with_starts() const { return example.with_starts({{start, 0}, {0, 1}}); }
  /// The same with a start right behind that of sequence 0, and one at the last frame of sequence 1.
  Example packed() const { return with_starts().with_starts({{start + 1, 0}, {time - 1, 1}}); }

  std::unique_ptr<Executor> make_executor(Index workers) const {
    return options.executor ? options.executor(workers) : std::make_unique<ThreadPool>(workers, 0);
  }

  const AnyLayer<S>& layer;
  const CheckLayerOptions options;
  const Index time, batch, start;
  const ReversedStates reversed;
  Findings findings;
  const Example example;
  std::vector<Example> others;  // what stands where nothing may be seen: other numbers, and poison

 private:
  static const CheckLayerOptions& checked(const CheckLayerOptions& options) {
    check_that(options.time >= 4, "check_layer", "time", "at least 4 frames", options.time);
    check_that(options.batch >= 2, "check_layer", "batch", "at least 2 sequences", options.batch);
    return options;
  }

  Example draw(Index frames, Index sequences, std::uint64_t seed, double scale) const {
    Random random(seed);
    const Matrix<S> warm_up = inputs(3 * sequences, random, scale);
    Matrix<S> x = inputs(frames * sequences, random, scale), dy(layer.output_size(), frames * sequences);
    fill_normal(dy, random, 1);
    AnyState<S> dlast = layer.initial_state(sequences);
    for (Matrix<S>* m : matrices_of(dlast)) fill_normal(*m, random, 1);
    return {frames, sequences, x, dy, state_after(warm_up, sequences), dlast, {}};
  }

  /// Which matrices of a state are reversed: those that reach the frames behind a start, where they are another state,
  /// and none before it.
  ReversedStates find_reversed() const {
    ReversedStates found;
    if (layer.is_causal()) return found;
    const Example one = draw(time, 1, options.seed, 1).with_starts({{start, 0}});
    const AnyState<S> initial = layer.initial_state(1);
    const auto y_from = [&](const AnyState<S>& state) {
      return Matrix<S>(run_layer(layer, one.from(state), Way::infer).at("y"));
    };
    const Matrix<S> wanted = y_from(one.first);
    std::size_t i = 0;
    AnyState<S>::visit(initial, Name{}, [&](const Name& name, const Matrix<S>& m) {
      AnyState<S> changed = one.first;
      *matrices_of(changed)[i++] = m;
      const Matrix<S> y = y_from(changed);
      if (y.leftCols(start) == wanted.leftCols(start) && y != wanted) found.insert(name.str());
    });
    return found;
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

  AnyState<S> state_after(const Matrix<S>& warm_up, Index sequences) const {
    AnyState<S> state = layer.initial_state(sequences);
    AnyCache cache;
    layer.infer({warm_up.data(), warm_up.rows(), warm_up.cols() / sequences, sequences}, state, cache);
    return state;
  }

  /// What NaN in x makes NaN in the state is a number of any size; what stays as it is counts frames, perhaps.
  Example poisoned(S poison) const {
    Example spoilt = example;
    const S nan = std::numeric_limits<S>::quiet_NaN();
    spoilt.first = state_after(Matrix<S>::Constant(layer.input_size(), 3 * batch, nan), batch);
    for (Matrix<S>* m : matrices_of(spoilt.first))
      std::replace_if(
          m->data(), m->data() + m->size(), [](S value) { return detail::is_nan(value); }, poison);
    spoilt.x.setConstant(poison);
    spoilt.dy.setConstant(poison);
    for (Matrix<S>* m : matrices_of(spoilt.dlast)) m->setConstant(poison);
    return spoilt;
  }
};

}  // namespace detail::promises
}  // namespace minrnn
