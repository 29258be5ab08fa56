// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "support/errors.hpp"
#include "support/file_reader.hpp"

namespace sequence_tool {

using namespace tool;

/// Reads comma-separated values record by record (RFC 4180): fields in quotes may hold commas, ends of lines and quotes
/// written twice. Lines end with LF, CR LF or CR. A byte order mark, blanks around a field and empty lines at the end
/// are left out. Throws InputError, with the number of the line, for what is none of this.
class CsvReader {
 public:
  /// From a file; "-" is standard input.
  explicit CsvReader(const std::string& path)
      : CsvReader(path, [file = std::make_shared<FileReader>(path)] { return file->read(1 << 20); }) {}
  /// From what `read` gives piece by piece, nothing at its end; a piece is valid until the next call. Messages name it
  /// as they name a file of this path.
  CsvReader(std::string path, std::function<std::string_view()> read);

  /// Takes the next record; false at the end.
  bool next();
  std::size_t size() const { return ends_.size(); }
  /// Valid until the next record.
  std::string_view operator[](std::size_t field) const {
    const std::size_t begin = field == 0 ? 0 : ends_[field - 1];
    return std::string_view(text_).substr(begin, ends_[field] - begin);
  }
  /// Where the record begins, counted from 1.
  std::uint64_t line() const { return line_; }
  /// Throws InputError that begins with the file and the line of the record.
  [[noreturn]] void fail(const std::string& reason) const { fail_at(line_, reason); }

  const std::string& path() const { return path_; }

 private:
  static constexpr int kEnd = -1;

  [[noreturn]] void fail_at(std::uint64_t line, const std::string& reason) const;
  int peek();  // the next byte, or kEnd
  void advance() { ++place_; }
  void end_line();     // goes past the end of a line
  void take_field();   // up to the comma or the end of the line behind it
  void take_quoted();  // what is in quotes, which begin at the next byte
  bool take_record();

  std::string path_, text_;        // text_: the fields of the record, one after the other
  std::vector<std::size_t> ends_;  // of the fields in text_
  std::function<std::string_view()> read_;
  std::string_view piece_;
  std::size_t place_ = 0;                   // in the piece
  std::uint64_t line_ = 0, next_line_ = 1;  // of the record; of the next byte
  std::uint64_t empty_line_ = 0;            // the last one; 0: none
};

/// A field as it must be written: in quotes where it holds a comma, a quote, the end of a line or blanks at its ends.
std::string csv_field(std::string_view text);
/// Fields as a record without the end of its line, and back.
std::string csv_record(const std::vector<std::string>& fields);
std::vector<std::string> fields_of(const std::string& record);

}  // namespace sequence_tool
