// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "csv.hpp"
#include "dataset.hpp"
#include "minrnn/io/printable.hpp"
#include "support/checkpoints.hpp"

namespace sequence_tool {
namespace {

/// A checkpoint could not hold another text.
void check_utf8(const CsvReader& file, const std::string& what, std::string_view text) {
  for (std::string_view rest = text; !rest.empty(); rest.remove_prefix(minrnn::detail::utf8_length(rest)))
    if (minrnn::detail::utf8_length(rest) == 0) file.fail(what + ": wanted UTF-8, " + given(text));
}

/// Which field of a record is what.
struct Fields {
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  std::size_t count = 0, id = kNone, time = kNone, target = kNone;
  std::vector<std::size_t> features;
  std::vector<std::string> names;  // of the features

  /// From the first record of the file.
  Fields(CsvReader& file, const Columns& columns, Targets targets) {
    file.next();
    count = file.size();
    std::map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string column(file[i]);
      if (column.empty()) file.fail("column " + std::to_string(i + 1) + " has no name");
      check_utf8(file, "the name of column " + std::to_string(i + 1), column);
      if (!places.emplace(column, i).second) file.fail("column " + minrnn::printable(column) + " is there twice");
    }
    const auto take = [&](const std::string& column) {
      const auto found = places.find(column);
      if (found == places.end())
        file.fail("there is no column " + minrnn::printable(column) + " in " + shown_columns(file));
      const std::size_t place = found->second;
      places.erase(found);
      return place;
    };
    id = take(columns.id);
    time = take(columns.time);
    if (targets == Targets::wanted)
      target = take(columns.target);
    else
      places.erase(columns.target);
    for (const auto& column : columns.features) add_feature(column, take(column));
    if (columns.features.empty())
      for (std::size_t i = 0; i < count; ++i)
        if (const std::string column(file[i]); places.count(column) > 0) add_feature(column, i);
    if (!columns.features.empty() && !places.empty())
      file.fail("column " + minrnn::printable(places.begin()->first) + " was not there in training");
    if (features.empty()) file.fail("there is no column of a feature in " + shown_columns(file));
  }

 private:
  void add_feature(const std::string& column, std::size_t place) {
    names.push_back(column);
    features.push_back(place);
  }
  static std::string shown_columns(const CsvReader& file) {
    std::string all;
    for (std::size_t i = 0; i < file.size() && all.size() < 200; ++i)
      all += (i == 0 ? "" : ", ") + minrnn::printable(file[i]);
    return all + (all.find(';') == std::string::npos && all.find("\\x09") == std::string::npos
                      ? ""
                      : ": wanted commas between the fields");
  }
};

/// The rows of a file in the order in which they stand.
class Rows {
 public:
  Rows(CsvReader& file, const Fields& fields, Dataset& data) : file_(file), fields_(fields), data_(data) {}

  void take_all() {
    while (file_.next()) take();
    if (times_.empty()) throw InputError(shown(file_.path()) + ": has no row below its header");
  }

  /// Brings the rows of each sequence together and in the order of their times.
  void arrange() {
    const auto sequences = data_.ids.size(), rows = times_.size(), width = fields_.features.size();
    std::vector<std::size_t> ends(sequences + 1), order(rows);
    for (const auto sequence : sequences_) ++ends[sequence + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    data_.begins.assign(ends.begin(), ends.end());
    for (std::size_t row = 0; row < rows; ++row) order[ends[sequences_[row]]++] = row;
    for (std::size_t i = 0; i < sequences; ++i) {
      const auto begin = order.begin() + data_.begins[i], end = order.begin() + data_.begins[i + 1];
      const auto is_before = [&](std::size_t a, std::size_t b) { return times_[a] < times_[b]; };
      if (!std::is_sorted(begin, end, is_before)) std::stable_sort(begin, end, is_before);
      const auto twice = std::adjacent_find(begin, end, [&](auto a, auto b) { return times_[a] == times_[b]; });
      if (twice != end)
        fail_at(lines_[twice[1]], i,
                "time " + number_text(times_[*twice]) + " is there already, in line " + std::to_string(lines_[*twice]));
    }
    if (!std::is_sorted(order.begin(), order.end())) {
      std::vector<double> values;
      values.reserve(values_.size());
      for (const auto row : order) values.insert(values.end(), from(row, width), from(row + 1, width));
      values_ = std::move(values);
    }
    data_.values = std::move(values_);
  }

 private:
  std::vector<double>::const_iterator from(std::size_t row, std::size_t width) const {
    return values_.begin() + static_cast<std::ptrdiff_t>(row * width);
  }
  [[noreturn]] void fail_at(std::uint64_t line, std::size_t sequence, const std::string& reason) const {
    throw InputError(shown(file_.path()) + ": line " + std::to_string(line) + ": id " +
                     minrnn::printable(data_.ids[sequence]) + ": " + reason);
  }

  void take() {
    if (file_.size() != fields_.count)
      file_.fail("wanted " + std::to_string(fields_.count) + " fields, as in the header, given " +
                 std::to_string(file_.size()));
    const std::size_t sequence = take_id();
    times_.push_back(number(file_[fields_.time], "time"));
    for (std::size_t f = 0; f < fields_.features.size(); ++f)
      values_.push_back(number(file_[fields_.features[f]], fields_.names[f]));
    sequences_.push_back(sequence);
    lines_.push_back(file_.line());
    if (fields_.target != Fields::kNone) take_target(sequence, file_[fields_.target]);
  }

  std::size_t take_id() {
    id_ = file_[fields_.id];
    if (id_.empty()) file_.fail("id: wanted a name or a number, given nothing");
    const auto [entry, is_new] = places_.try_emplace(id_, data_.ids.size());
    if (is_new) {
      data_.ids.push_back(id_);
      data_.lines.push_back(file_.line());
    }
    return entry->second;
  }
  double number(std::string_view text, const std::string& column) const {
    double value = 0;
    if (!read_number(text, value)) file_.fail(minrnn::printable(column) + ": wanted a finite number, " + given(text));
    return value;
  }
  void take_target(std::size_t sequence, std::string_view target) {
    if (sequence == data_.labels.size()) {
      if (target.empty()) file_.fail("target: wanted a class or a number, given nothing");
      check_utf8(file_, "target", target);
      data_.labels.emplace_back(target);
    } else if (target != data_.labels[sequence]) {
      file_.fail("target: id " + minrnn::printable(id_) + " has " + minrnn::printable(data_.labels[sequence]) +
                 " in line " + std::to_string(data_.lines[sequence]) + ", " + given(target));
    }
  }

  CsvReader& file_;
  const Fields& fields_;
  Dataset& data_;
  std::string id_;
  std::unordered_map<std::string, std::size_t> places_;  // of the ids
  std::vector<double> values_, times_;
  std::vector<std::size_t> sequences_;
  std::vector<std::uint64_t> lines_;
};

}  // namespace

Dataset read_csv(const std::string& path, const Columns& columns, Targets targets) {
  CsvReader file(path);
  const Fields fields(file, columns, targets);
  Dataset data;
  data.name = path;
  data.features = fields.names;
  Rows rows(file, fields, data);
  rows.take_all();
  rows.arrange();
  return data;
}

std::string csv_text(const Dataset& data) {
  const auto& values = std::get<std::vector<double>>(data.values);
  std::string text = "id,time";
  for (const auto& feature : data.features) text += "," + csv_field(feature);
  text += ",target\n";
  for (Index i = 0; i < data.size(); ++i)
    for (Index n = data.begin(i); n < data.begin(i + 1); ++n) {
      const auto sequence = static_cast<std::size_t>(i);
      text += csv_field(data.ids[sequence]) + "," + std::to_string(n - data.begin(i));
      for (Index f = 0; f < data.width(); ++f)
        text += "," + number_text(values[static_cast<std::size_t>(n * data.width() + f)]);
      text += "," + csv_field(data.labels[sequence]) + "\n";
    }
  return text;
}

}  // namespace sequence_tool
