// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "cell_text.hpp"

#include <charconv>
#include <cstddef>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "minrnn/io/printable.hpp"
#include "support/checkpoints.hpp"
#include "support/errors.hpp"

namespace convert {
namespace {

/// Reads from the left to the right.
class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  CellText all() {
    std::vector<CellText> cells = list();
    if (at_ < text_.size()) fail("a comma");
    if (cells.size() == 1) return std::move(cells.front());
    return {"", {}, std::move(cells)};
  }

 private:
  static constexpr std::size_t kMostNested = 50;

  [[noreturn]] void fail(const std::string& wanted) const {
    throw tool::InputError("--cells: wanted " + wanted + " at \"" + minrnn::printable(text_.substr(at_)) + "\"");
  }
  void skip_spaces() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::vector<CellText> list() {
    std::vector<CellText> cells;
    do {
      cells.push_back(cell());
    } while (take(','));
    return cells;
  }
  CellText cell() {
    if (++nested_ > kMostNested) fail("fewer cells in cells");
    CellText cell = take('(') ? chain() : named();
    --nested_;
    skip_spaces();
    return cell;
  }
  CellText chain() {
    std::vector<CellText> cells = list();
    if (!take(')')) fail("a closing bracket");
    return {"", {}, std::move(cells)};
  }
  CellText named() {
    CellText cell;
    for (std::string word = this->word(); !word.empty(); word = this->word()) {
      cell.kind += (cell.kind.empty() ? "" : " ") + word;
      if (cell.kind == "Residual") {
        cell.inner.push_back(this->cell());
        return cell;
      }
    }
    if (cell.kind.empty()) fail("the name of a cell");
    if (take('(')) cell.sizes = sizes();
    return cell;
  }
  std::string word() {
    skip_spaces();
    const std::size_t begin = at_;
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    while (at_ < text_.size() && (is_letter(text_[at_]) || (at_ > begin && text_[at_] >= '0' && text_[at_] <= '9')))
      ++at_;
    return std::string(text_.substr(begin, at_ - begin));
  }
  std::vector<Index> sizes() {
    std::vector<Index> numbers;
    do {
      skip_spaces();
      Index number = 0;
      const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), number);
      if (error != std::errc() || number < 1 || number > tool::kMostSize) fail("a size");
      at_ = static_cast<std::size_t>(end - text_.data());
      numbers.push_back(number);
    } while (take(','));
    if (!take(')')) fail("a closing bracket");
    return numbers;
  }

  std::string_view text_;
  std::size_t at_ = 0, nested_ = 0;
};

}  // namespace

CellText parse_cells(const std::string& text) { return Parser(text).all(); }

}  // namespace convert
