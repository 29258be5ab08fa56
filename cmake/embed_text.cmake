# Writes FILES, one after the other, into OUTPUT as char_lm::default_text(), or as they are where it ends in .txt. Each
# line is a literal and each file a piece of the text, as compilers limit how long these may be.
set(pieces "")
set(whole "")
foreach(file IN LISTS FILES)
  file(READ ${file} text)
  # At most four spaces in a row: in a long run a model that forgets sees no reason to end it, and would write nothing
  # else.
  string(REGEX REPLACE "(    ) +" "\\1" text "${text}")
  string(APPEND whole "${text}")
  string(REPLACE "\n" "\n)text\"\n    R\"text(" text "${text}")
  string(APPEND pieces "    R\"text(${text})text\",\n")
endforeach()
if(OUTPUT MATCHES "[.]txt$")
  file(WRITE ${OUTPUT} "${whole}")
  return()
endif()
file(WRITE ${OUTPUT} "#include <string>

namespace char_lm {
std::string default_text();
std::string default_text() {
  std::string text;
  for (const char* piece : {
${pieces}  })
    text += piece;
  return text;
}
}  // namespace char_lm
")
