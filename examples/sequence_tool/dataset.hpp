// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "minrnn/core/parameter.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/core/views.hpp"
#include "support/errors.hpp"

namespace sequence_tool {

using namespace tool;
using minrnn::Index;

enum class Task { classification, regression };

/// Sequences as they were read, one after the other, features fastest.
struct Dataset {
  std::string name;                   // of what they were read from, for messages
  std::vector<std::string> features;  // their names
  std::variant<std::vector<double>, std::vector<std::uint8_t>> values;
  std::vector<Index> begins{0};      // the frame where each sequence begins, and the end
  std::vector<std::string> ids;      // as they were written
  std::vector<std::string> labels;   // the targets as they were written; empty: there are none
  std::vector<std::uint64_t> lines;  // where each sequence begins in a file of lines; empty: it is none

  Index image_rows = 0, image_columns = 0;  // 0: it was no images

  Index size() const { return static_cast<Index>(begins.size()) - 1; }
  Index width() const { return static_cast<Index>(features.size()); }
  Index frames() const { return begins.back(); }
  Index length(Index i) const { return begin(i + 1) - begin(i); }
  Index begin(Index i) const { return begins[static_cast<std::size_t>(i)]; }
  /// Tells this set from others.
  std::uint64_t hash() const;
  /// Throws InputError that begins with where sequence i stands.
  [[noreturn]] void fail(Index i, const std::string& reason) const;
};

/// What is wanted of a file of comma-separated values: the names of its columns.
struct Columns {
  std::string id = "id", time = "time", target = "target";
  std::vector<std::string> features;  // empty: all others
};
enum class Targets { wanted, ignored };

/// In long form: a row for each frame, with the id of its sequence, its time, features, and a target that is the same
/// in all rows of a sequence. Rows may stand in any order; frames are ordered by time, sequences as their ids first
/// appear. Throws InputError with the number of the line for what is not a finite number, a row of another length, a
/// time that is there twice, or a target that changes.
Dataset read_csv(const std::string& path, const Columns& columns, Targets targets);

/// How an image becomes a sequence: a pixel, or a row of pixels, is a frame.
enum class Reading { pixels, rows };
/// The idx files of MNIST and its like: images of bytes, and labels, whose file name is empty where there are none.
Dataset read_idx(const std::string& images, const std::string& labels, Reading reading);

/// A task that needs no file; its sequences are of unequal length. Classification: two kinds of pulse in noise, and the
/// class says which kind came first and which second (four classes). Regression: the sum of two numbers that are
/// marked among many.
Dataset generate(Task task, Index sequences, std::uint64_t seed);

/// In long form, as `read_csv` takes it; of numbers that were not read from images.
std::string csv_text(const Dataset& data);

/// What makes numbers of mean 0 and deviation 1 of those of the training part.
struct Scale {
  minrnn::Matrix<double> mean, deviation;  // (F, 1), or (1, 1) of all alike

  template <class Self, class V>
  static void visit(Self& self, const minrnn::Name& scope, V&& visitor) {
    visitor(scope / "mean", self.mean);
    visitor(scope / "deviation", self.deviation);
  }
};
/// Of the features in these sequences; those of images, which are all alike, have one scale. Throws InputError where
/// they are too large for one.
Scale scale_of(const Dataset& data, const std::vector<Index>& sequences);
/// Of one number for each of these sequences.
Scale scale_of(const std::vector<double>& values, const std::vector<Index>& sequences);

/// Sequences as a model takes them.
class Sequences {
 public:
  /// Scales the features. Throws InputError where a number becomes too large.
  Sequences(const Dataset& data, const Scale& scale);

  minrnn::SequenceView<const float> operator[](Index i) const {
    const Index begin = begins_[static_cast<std::size_t>(i)];
    return {values_.data() + begin * width_, width_, begins_[static_cast<std::size_t>(i) + 1] - begin};
  }
  Index length(Index i) const {
    return begins_[static_cast<std::size_t>(i) + 1] - begins_[static_cast<std::size_t>(i)];
  }
  Index size() const { return static_cast<Index>(begins_.size()) - 1; }

 private:
  Index width_;
  std::vector<Index> begins_;
  std::vector<float> values_;
};

/// The different labels: as numbers where all are whole numbers, else as text, ascending.
std::vector<std::string> classes_of(const Dataset& data);
/// The place of the label of each sequence among the classes. Throws InputError where one is none of them.
std::vector<std::int32_t> targets_of(const Dataset& data, const std::vector<std::string>& classes);
/// The labels as numbers. Throws InputError where one is no finite number.
std::vector<double> numbers_of(const Dataset& data);

/// A finite number in decimal, whatever the language of the system. Gives whether all of the text is one.
bool read_number(std::string_view text, double& number);

}  // namespace sequence_tool
