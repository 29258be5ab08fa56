// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/printable.hpp"

#include <gtest/gtest.h>

#include <string>

namespace minrnn::tests {
namespace {

using namespace std::string_literals;

TEST(Printable, LeavesTextAsItIs) {
  for (const char* text :
       {"", "w_z", "C:\\folder\\file", "gr\303\266\303\237e.txt", "\346\226\207", "\360\237\231\202"})
    EXPECT_EQ(printable(text), text);
}

TEST(Printable, SpellsControlCharactersAndWhatIsNotUtf8) {
  EXPECT_EQ(printable("a\n\x1b[2J\0\x7f"s), "a\\x0a\\x1b[2J\\x00\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "begins a control sequence, in one character";
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\xe2\\x80\\xae") << "turns the direction of writing";
  // A byte alone, a character cut short, one spelt too long, half of a surrogate pair, beyond the last.
  EXPECT_EQ(printable("\x80"), "\\x80");
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3");
  EXPECT_EQ(printable("\xe2\x82"
                      "a"),
            "\\xe2\\x82a");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
}

TEST(Printable, LeavesOutTheMiddleOfALongText) {
  EXPECT_EQ(printable(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(printable("begin" + std::string(3'000'000, 'x') + "end", 20),
            "beginxxxxx... (2999988 bytes) ...xxxxxxxend");
  // It cuts between characters.
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\303\266";
  EXPECT_EQ(printable(umlauts, 7), "\303\266... (196 bytes) ...\303\266");
}

TEST(Printable, DoesNotChangeWhatItHasMade) {
  for (const std::string& text : {"\x1b[2J\xff"s, "\xe2\x80\xae\0"s, "plain"s}) {
    const std::string once = printable(text);
    EXPECT_EQ(printable(once), once);
  }
}

}  // namespace
}  // namespace minrnn::tests
