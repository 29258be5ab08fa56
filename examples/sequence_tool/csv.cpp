// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "csv.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sequence_tool {
namespace {
bool is_blank(int c) { return c == ' ' || c == '\t'; }
bool is_end_of_line(int c) { return c == '\n' || c == '\r'; }
}  // namespace

CsvReader::CsvReader(std::string path, std::function<std::string_view()> read)
    : path_(std::move(path)), read_(std::move(read)) {
  if (peek() == kEnd) throw InputError(shown(path_) + ": is empty");
  if (piece_.starts_with("\x1f\x8b")) throw InputError(shown(path_) + ": is compressed: run gunzip before");
  if (piece_.starts_with("\xff\xfe") || piece_.starts_with("\xfe\xff"))
    throw InputError(shown(path_) + ": is UTF-16: wanted UTF-8");
  if (piece_.starts_with("\xef\xbb\xbf")) place_ = 3;
}

void CsvReader::fail_at(std::uint64_t line, const std::string& reason) const {
  throw InputError(shown(path_) + ": line " + std::to_string(line) + ": " + reason);
}

int CsvReader::peek() {
  if (place_ == piece_.size()) {
    piece_ = read_();
    place_ = 0;
    if (piece_.empty()) return kEnd;
  }
  return static_cast<unsigned char>(piece_[place_]);
}

void CsvReader::end_line() {
  const bool is_return = peek() == '\r';
  advance();
  if (is_return && peek() == '\n') advance();
  ++next_line_;
}

void CsvReader::take_quoted() {
  const std::uint64_t begin = next_line_;
  advance();
  for (int c; (c = peek()) != kEnd;) {
    if (c == '"') {
      advance();
      if (peek() != '"') return;
    } else if (is_end_of_line(c)) {
      text_ += '\n';
      end_line();
      continue;
    }
    text_ += static_cast<char>(c);
    advance();
  }
  fail_at(begin, "a quote is not closed");
}

void CsvReader::take_field() {
  while (is_blank(peek())) advance();
  if (peek() == '"') {
    take_quoted();
    while (is_blank(peek())) advance();
    if (const int c = peek(); c != ',' && c != kEnd && !is_end_of_line(c))
      fail_at(next_line_, "something stands behind a closing quote: wanted the whole field in quotes");
    ends_.push_back(text_.size());
    return;
  }
  const std::size_t begin = text_.size();
  for (int c; (c = peek()) != kEnd && c != ',' && !is_end_of_line(c); advance()) {
    if (c == '"') fail_at(next_line_, "a quote within a field: wanted the whole field in quotes");
    text_ += static_cast<char>(c);
  }
  while (text_.size() > begin && is_blank(text_.back())) text_.pop_back();
  ends_.push_back(text_.size());
}

bool CsvReader::take_record() {
  text_.clear();
  ends_.clear();
  line_ = next_line_;
  if (peek() == kEnd) return false;
  for (;;) {
    take_field();
    if (peek() != ',') break;
    advance();
  }
  if (peek() != kEnd) end_line();
  return true;
}

bool CsvReader::next() {
  while (take_record()) {
    if (size() == 1 && text_.empty()) {
      if (empty_line_ == 0) empty_line_ = line_;
      continue;
    }
    if (empty_line_ != 0) fail_at(empty_line_, "is empty");
    return true;
  }
  return false;
}

std::string csv_field(std::string_view text) {
  if (!text.empty() && text.find_first_of(",\"\r\n") == std::string_view::npos && !is_blank(text.front()) &&
      !is_blank(text.back()))
    return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string csv_record(const std::vector<std::string>& fields) {
  std::string record;
  for (const auto& field : fields) record += (record.empty() ? "" : ",") + csv_field(field);
  return record;
}

std::vector<std::string> fields_of(const std::string& record) {
  std::string_view rest = record;
  CsvReader reader("the record", [&] { return std::exchange(rest, {}); });
  reader.next();
  std::vector<std::string> fields;
  for (std::size_t i = 0; i < reader.size(); ++i) fields.emplace_back(reader[i]);
  return fields;
}

}  // namespace sequence_tool
