# Downloads the text that character models are compared on, 1.1 MB:
# cmake [-DOUTPUT=build/tinyshakespeare.txt] -P cmake/fetch_tinyshakespeare.cmake
cmake_minimum_required(VERSION 3.23...4.0)
set(url https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt)
set(sha256 86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed)
if(NOT OUTPUT)
  set(OUTPUT ${CMAKE_CURRENT_LIST_DIR}/../build/tinyshakespeare.txt)
endif()
cmake_path(ABSOLUTE_PATH OUTPUT NORMALIZE)

# Under another name until it is known to be whole and right.
file(DOWNLOAD ${url} ${OUTPUT}.part STATUS status)
list(POP_FRONT status code)
file(SHA256 ${OUTPUT}.part actual)
if(code EQUAL 0 AND NOT actual STREQUAL sha256)
  set(status "the text is not the expected one, its SHA-256 is ${actual}")
endif()
if(actual STREQUAL sha256)
  file(RENAME ${OUTPUT}.part ${OUTPUT})
  message(NOTICE "minrnn: wrote ${OUTPUT}")
else()
  file(REMOVE ${OUTPUT}.part)
  message(FATAL_ERROR "minrnn: cannot fetch ${url}: ${status}")
endif()
