// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conformance/fixture.hpp"
#include "support/run.hpp"

/// Every layer with one extreme number in one place at a time: what float makes of it beside what double does. Float
/// has a right answer wherever that of double is one of its numbers, however far out of its range the terms of a
/// formula lie.
namespace minrnn::tests {
namespace {

/// All that goes into a forward and a backward of one layer, as lists of numbers that can be spoilt.
template <class L>
struct Operands {
  using S = typename L::Scalar;
  struct List {
    std::string name;
    S* data;
    Index size;
  };

  L layer;
  Example<L> example;
  typename L::State state, dstate;

  Operands(L of, Index time, Index batch)
      : layer(std::move(of)),
        example(Example<L>(layer, time, batch).from_carried_state().with_starts({{time / 2, 0}})),
        state(example.state(layer)),
        dstate(random_state_gradient(layer, batch)) {}

  std::vector<List> lists() {
    std::vector<List> all{{"x", example.x.data(), example.x.size()}, {"dy", example.dy.data(), example.dy.size()}};
    const auto add = [&](const std::string& kind) {
      return [&all, kind](const Name& name, auto& m) { all.push_back({kind + " " + name.str(), m.data(), m.size()}); };
    };
    L::State::visit(state, Name{}, add("state"));
    L::State::visit(dstate, Name{}, add("dstate"));
    visit_parameters(layer, [&](const Name& name, auto& p) { add("parameter")(name, p.value); });
    return all;
  }
  template <class Other>
  void take(Operands<Other>& other) {
    const auto to = lists();
    const auto from = other.lists();
    for (std::size_t i = 0; i < to.size(); ++i)
      for (Index k = 0; k < to[i].size; ++k) to[i].data[k] = static_cast<S>(from[i].data[k]);
  }

  /// The same step by step, the state changed by `change` after each of them.
  template <class Change>
  Results<S> run_in_steps(const Change& change) {
    zero_gradients(layer);
    const Index time = example.input().time(), batch = example.input().batch();
    auto to = state, gradient = dstate;
    std::vector<typename L::Cache> caches(static_cast<std::size_t>(time));
    Results<S> results;
    results["y"].resize(layer.output_size(), time * batch);
    results["dx"].resize(layer.input_size(), time * batch);
    const auto put = [&](const std::string& name, SequenceView<const S> frame, Index t) {
      for (Index b = 0; b < batch; ++b) results[name].col(b * time + t) = frame.matrix(b).col(0);
    };
    for (Index t = 0; t < time; ++t) {
      put("y", layer.forward(example.input().chunk(t, 1), to, caches[static_cast<std::size_t>(t)], context()), t);
      L::State::visit(to, Name{}, [&](const Name& name, auto& m) { change(name, m); });
    }
    add_state<L>(results, "state", to);
    for (Index t = time; t-- > 0;)
      put("dx",
          layer.backward(example.output_gradient().chunk(t, 1), gradient, caches[static_cast<std::size_t>(t)],
                         context()),
          t);
    add_state<L>(results, "dstate", gradient);
    add_gradients(results, layer);
    return results;
  }

  Results<S> run() {
    zero_gradients(layer);
    auto to = state, gradient = dstate;
    typename L::Cache cache;
    Results<S> results;
    results["y"] = to_matrix(layer.forward(example.input(), to, cache, context()));
    add_state<L>(results, "state", to);
    results["dx"] = to_matrix(layer.backward(example.output_gradient(), gradient, cache, context()));
    add_state<L>(results, "dstate", gradient);
    add_gradients(results, layer);
    return results;
  }
};

class Sweep : public LayerTest {};

TEST_P(Sweep, OfTheExtremesOfFloatFindsNothing) {
  // A rounding to float of everything that goes in carries the answer so far, and its terms round as often; what
  // floors, sums and saturated gates leave is small beside the layer's usual numbers.
  constexpr double kReach = 64, kRounding = 1e-4;
  // Terms of a sum nearer than this to the end of float's range may lie beyond it: no order of operations brings them
  // back.
  constexpr double kMost = 1e30;
  Operands narrow(make<float>({6, 9}), 6, 2);
  Operands wide(make<double>({6, 9}), 6, 2);
  wide.take(narrow);
  const auto clean = wide.run();
  std::map<std::string, double> usual;
  for (const auto& [name, m] : clean) usual[name] = m.size() == 0 ? 0 : m.cwiseAbs().maxCoeff();

  /// The largest change of each result where all operands, or the state after each step, change by half a unit of
  /// float.
  const auto reach_of = [&](const Results<double>& wanted) {
    Results<double> reach;
    Random signs(5);
    const auto change = [&](const std::string& name, double* data, Index size) {
      if (!name.ends_with("position"))
        for (Index k = 0; k < size; ++k) data[k] *= 1 + 0x1p-24 * (signs.uniform() < 0.5 ? -1 : 1);
    };
    const auto take = [&](const Results<double>& changed) {
      for (const auto& [name, m] : changed) {
        const Matrix<double> moved = (m - wanted.at(name)).cwiseAbs();
        auto& most = reach.try_emplace(name, Matrix<double>::Zero(m.rows(), m.cols())).first->second;
        most = most.cwiseMax(moved.unaryExpr([](double d) { return std::isnan(d) ? 0 : d; }));
      }
    };
    for (int repeat = 0; repeat < 2; ++repeat) {
      for (const auto& list : wide.lists()) change(list.name, list.data, list.size);
      take(wide.run());
      wide.take(narrow);
    }
    if (!GetParam().stochastic && wide.layer.is_causal())
      take(wide.run_in_steps([&](const Name& name, auto& m) { change(name.str(), m.data(), m.size()); }));
    return reach;
  };
  /// The first number of float that is not what double has.
  const auto finding = [&](const Results<float>& found, const Results<double>& wanted, bool overflows) -> std::string {
    const auto reach = reach_of(wanted);
    for (const auto& [name, m] : wanted) {
      // The gradients with respect to B, C and the step sizes of Mamba are products of up to five numbers that grow
      // with its input. Where they are none of float, there is no product of them with a channel that is 0 either.
      if (overflows && (name.ends_with("bc/w") || name.ends_with("delta_down/w"))) continue;
      for (Index j = 0; j < m.cols(); ++j)
        for (Index i = 0; i < m.rows(); ++i) {
          if (!(std::abs(m(i, j)) <= kMost)) continue;
          const double value = static_cast<double>(found.at(name)(i, j));
          const double tolerance = kRounding * (std::abs(m(i, j)) + usual.at(name)) + kReach * reach.at(name)(i, j);
          if (std::abs(value - m(i, j)) <= tolerance) continue;
          return name + "(" + std::to_string(i) + ", " + std::to_string(j) + ") = " + std::to_string(value) +
                 " instead of " + std::to_string(m(i, j));
        }
    }
    return {};
  };

  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const auto narrow_lists = narrow.lists();
  const auto wide_lists = wide.lists();
  for (std::size_t list = 0; list < wide_lists.size(); ++list) {
    const auto& [name, data, size] = wide_lists[list];
    for (Index at = 0; at < size; at += std::max<Index>(1, size / 3))
      for (const float extreme : {std::numeric_limits<float>::quiet_NaN(), kInfinity, -kInfinity, 1e30f, -1e30f, 1e20f,
                                  -1e20f, 1e-40f, 0.0f}) {
        if (GetParam().positive_state && extreme < 0 && name.starts_with("state ")) continue;
        const float narrow_before = std::exchange(narrow_lists[list].data[at], extreme);
        const double wide_before = std::exchange(data[at], static_cast<double>(extreme));
        EXPECT_EQ(finding(narrow.run(), wide.run(), std::abs(extreme) > 1 && std::isfinite(extreme)), "")
            << GetParam().name << ", " << extreme << " in " << name << "[" << at << "]";
        narrow_lists[list].data[at] = narrow_before;
        data[at] = wide_before;
      }
  }
}

MINRNN_TEST_ALL_LAYERS(Sweep);

}  // namespace
}  // namespace minrnn::tests
