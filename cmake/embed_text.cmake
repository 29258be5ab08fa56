# Writes FILES, one after the other, into OUTPUT as char_lm::default_text. Numbers, as compilers limit a string's length.
set(bytes "")
foreach(file IN LISTS FILES)
  file(READ ${file} hex HEX)
  string(APPEND bytes ${hex})
endforeach()
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
# At most four spaces in a row: in a long run a model that forgets sees no reason to end it, and would write spaces only.
string(REGEX REPLACE "(0x20,0x20,0x20,0x20,)(0x20,)+" "\\1" bytes "${bytes}")
file(WRITE ${OUTPUT} "#include <cstddef>

namespace char_lm {
namespace {
constexpr unsigned char bytes[] = {${bytes}0};
}
extern const char* const default_text;
extern const std::size_t default_text_size;
const char* const default_text = reinterpret_cast<const char*>(bytes);
const std::size_t default_text_size = sizeof bytes - 1;
}  // namespace char_lm
")
