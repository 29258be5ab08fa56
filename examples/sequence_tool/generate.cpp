// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dataset.hpp"
#include "minrnn/core/random.hpp"
#include "support/checkpoints.hpp"

namespace sequence_tool {
namespace {

using minrnn::Random;

Index draw(Random& random, Index from, Index to) {
  return from + static_cast<Index>(random.below(static_cast<std::uint64_t>(to - from + 1)));
}
/// Three digits, so that a file says the same.
double rounded(double x) { return std::round(x * 1000) / 1000; }

/// In noise, a pulse in each half: up and down, or down and up. Their mean is zero, so that only their shape tells
/// which is which. The class names the kind of the first and of the second one.
std::string add_pulses(std::vector<double>& values, Random& random) {
  constexpr Index kWidth = 8;
  const Index length = draw(random, 40, 100), begin = static_cast<Index>(values.size()), half = length / 2;
  for (Index t = 0; t < length; ++t) values.push_back(0.4 * random.normal());
  std::string name;
  for (const Index from : {begin, begin + half}) {
    const bool is_up = random.below(2) == 0;
    const Index first = draw(random, from, from + half - kWidth);
    for (Index t = 0; t < kWidth; ++t)
      values[static_cast<std::size_t>(first + t)] += (t < kWidth / 2) == is_up ? 1.0 : -1.0;
    name += name.empty() ? "" : " then ";
    name += is_up ? "up" : "down";
  }
  for (auto value = values.begin() + begin; value != values.end(); ++value) *value = rounded(*value);
  return name;
}

/// A number and a mark in each frame, and the sum of the two that are marked.
/// Source  Hochreiter and Schmidhuber 1997, "Long short-term memory", the adding problem
std::string add_numbers(std::vector<double>& values, Random& random) {
  const Index length = draw(random, 20, 60), half = length / 2;
  const Index first = draw(random, 0, half - 1), second = draw(random, half, length - 1);
  double sum = 0;
  for (Index t = 0; t < length; ++t) {
    const bool is_marked = t == first || t == second;
    values.push_back(rounded(random.uniform()));
    values.push_back(is_marked ? 1 : 0);
    if (is_marked) sum += values[values.size() - 2];
  }
  return number_text(rounded(sum));
}

}  // namespace

Dataset generate(Task task, Index sequences, std::uint64_t seed) {
  Dataset data;
  data.name = "the generated task";
  const bool adds = task == Task::regression;
  data.features = adds ? std::vector<std::string>{"number", "mark"} : std::vector<std::string>{"signal"};
  const Random random(seed);
  std::vector<double> values;
  for (Index i = 0; i < sequences; ++i) {
    Random own(random.stream(i));
    data.ids.push_back(std::to_string(i));
    data.labels.push_back(adds ? add_numbers(values, own) : add_pulses(values, own));
    data.begins.push_back(static_cast<Index>(values.size()) / data.width());
  }
  data.values = std::move(values);
  return data;
}

}  // namespace sequence_tool
