// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "dataset.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "minrnn/core/random.hpp"
#include "support/errors.hpp"

namespace sequence_tool {

std::uint64_t Dataset::hash() const {
  std::uint64_t hash = minrnn::mix_bits(static_cast<std::uint64_t>(width()));
  const auto add = [&](std::uint64_t word) { hash = minrnn::mix_bits(hash ^ word) + 1; };
  std::visit(
      [&](const auto& numbers) {
        for (const auto number : numbers)
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(number)>, double>)
            add(std::bit_cast<std::uint64_t>(number));
          else
            add(number);
      },
      values);
  for (const Index begin : begins) add(static_cast<std::uint64_t>(begin));
  for (const auto& label : labels) {
    for (const char c : label) add(static_cast<unsigned char>(c));
    add(256);
  }
  return hash;
}

void Dataset::fail(Index i, const std::string& reason) const {
  const auto n = static_cast<std::size_t>(i);
  const std::string place =
      lines.empty() ? "sequence " + ids[n] : "line " + std::to_string(lines[n]) + ": id " + minrnn::printable(ids[n]);
  throw InputError(shown(name) + ": " + place + ": " + reason);
}

bool read_number(std::string_view text, double& number) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

namespace {

/// Mean and deviation in two passes over for_each(body), which calls body(number) for all of them.
template <class ForEach>
void set_scale(Scale& scale, Index f, const ForEach& for_each) {
  double count = 0, sum = 0, squares = 0;
  for_each([&](double x) {
    sum += x;
    ++count;
  });
  const double mean = sum / count;
  for_each([&](double x) { squares += (x - mean) * (x - mean); });
  const double deviation = std::sqrt(squares / count);
  scale.mean(f, 0) = mean;
  // Of what never changes nothing can be learned, and rounding is no deviation.
  scale.deviation(f, 0) = deviation > 1e-12 * std::abs(mean) ? deviation : 1;
}

Scale empty_scale(Index features) {
  return {minrnn::Matrix<double>::Zero(features, 1), minrnn::Matrix<double>::Ones(features, 1)};
}

}  // namespace

Scale scale_of(const Dataset& data, const std::vector<Index>& sequences) {
  const Index width = data.width();
  return std::visit(
      [&](const auto& numbers) {
        constexpr bool kAlike = std::is_same_v<std::remove_cvref_t<decltype(numbers[0])>, std::uint8_t>;
        Scale scale = empty_scale(kAlike ? 1 : width);
        for (Index f = 0; f < scale.mean.rows(); ++f) {
          set_scale(scale, f, [&](const auto& body) {
            for (const Index i : sequences)
              for (Index n = data.begin(i) * width + f; n < data.begin(i + 1) * width; n += kAlike ? 1 : width)
                body(static_cast<double>(numbers[static_cast<std::size_t>(n)]));
          });
          if (!std::isfinite(scale.mean(f, 0)) || !std::isfinite(scale.deviation(f, 0)))
            throw InputError(shown(data.name) + ": the numbers of " +
                             minrnn::printable(data.features[static_cast<std::size_t>(f)]) + " are too large");
        }
        return scale;
      },
      data.values);
}

Scale scale_of(const std::vector<double>& values, const std::vector<Index>& sequences) {
  Scale scale = empty_scale(1);
  set_scale(scale, 0, [&](const auto& body) {
    for (const Index i : sequences) body(values[static_cast<std::size_t>(i)]);
  });
  if (!std::isfinite(scale.mean(0, 0)) || !std::isfinite(scale.deviation(0, 0)))
    throw InputError("the targets are too large");
  return scale;
}

Sequences::Sequences(const Dataset& data, const Scale& scale)
    : width_(data.width()), begins_(data.begins), values_(static_cast<std::size_t>(data.frames() * data.width())) {
  const Index rows = scale.mean.rows();
  const auto fits = [&](double x) { return std::abs(x) < 1e30; };
  std::visit(
      [&](const auto& numbers) {
        for (Index i = 0; i < size(); ++i)
          for (Index n = data.begin(i) * width_; n < data.begin(i + 1) * width_; ++n) {
            const Index f = rows == 1 ? 0 : n % width_;
            const auto at = static_cast<std::size_t>(n);
            const double x = (static_cast<double>(numbers[at]) - scale.mean(f, 0)) / scale.deviation(f, 0);
            if (!fits(x))
              data.fail(i, minrnn::printable(data.features[static_cast<std::size_t>(n % width_)]) +
                               ": a number is too large beside those of the training");
            values_[at] = static_cast<float>(x);
          }
      },
      data.values);
}

std::vector<std::string> classes_of(const Dataset& data) {
  std::vector<std::string> classes = data.labels;
  const auto whole = [](const std::string& text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return std::pair(error == std::errc() && end == text.data() + text.size(), number);
  };
  std::sort(classes.begin(), classes.end());
  classes.erase(std::unique(classes.begin(), classes.end()), classes.end());
  if (std::all_of(classes.begin(), classes.end(), [&](const auto& text) { return whole(text).first; }))
    std::stable_sort(classes.begin(), classes.end(),
                     [&](const auto& a, const auto& b) { return whole(a).second < whole(b).second; });
  return classes;
}

std::vector<std::int32_t> targets_of(const Dataset& data, const std::vector<std::string>& classes) {
  std::map<std::string_view, std::int32_t> place;
  for (const auto& name : classes) place.emplace(name, static_cast<std::int32_t>(place.size()));
  std::vector<std::int32_t> targets;
  targets.reserve(data.labels.size());
  for (const auto& label : data.labels) {
    const auto found = place.find(label);
    if (found == place.end())
      data.fail(static_cast<Index>(targets.size()), "class " + minrnn::printable(label) + " was not seen in training");
    targets.push_back(found->second);
  }
  return targets;
}

std::vector<double> numbers_of(const Dataset& data) {
  std::vector<double> numbers;
  numbers.reserve(data.labels.size());
  for (const auto& label : data.labels) {
    double number = 0;
    if (!read_number(label, number))
      data.fail(static_cast<Index>(numbers.size()), "target: wanted a finite number, " + given(label));
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace sequence_tool
