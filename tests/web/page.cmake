# The page of examples/web, built and tried in headless Chromium, and its losses beside those of char_lm:
# cmake [-DCHAR_LM=build/release/examples/char_lm] [-DSCREENSHOTS=FOLDER] -P tests/web/page.cmake
# What is not installed is said, and what needs it skipped. Takes three minutes, most of it to compile.
cmake_minimum_required(VERSION 3.25...4.0)
cmake_path(SET root NORMALIZE ${CMAKE_CURRENT_LIST_DIR}/../..)
if(NOT CHAR_LM)
  set(CHAR_LM ${root}/build/release/examples/char_lm)
endif()

find_program(emscripten em++)
find_program(node node)
if(NOT emscripten OR NOT node)
  message(NOTICE "skipped: the page, as Emscripten is not installed (Debian: emscripten)")
  return()
endif()
execute_process(COMMAND ${CMAKE_COMMAND} -P ${root}/cmake/web.cmake COMMAND_ERROR_IS_FATAL ANY)

if(EXISTS ${CHAR_LM})
  execute_process(COMMAND ${node} ${CMAKE_CURRENT_LIST_DIR}/losses_test.js ${root}/build/web/trainer.js ${CHAR_LM}
                          ${root}/examples/README.md COMMAND_ERROR_IS_FATAL ANY)
else()
  message(NOTICE "skipped: the comparison with char_lm, as there is no ${CHAR_LM}")
endif()

find_program(chromium NAMES chromium chromium-browser google-chrome)
if(NOT chromium)
  message(NOTICE "skipped: the visit of the page, as Chromium is not installed (Debian: chromium)")
  return()
endif()
execute_process(COMMAND ${node} ${CMAKE_CURRENT_LIST_DIR}/page_test.js ${root}/build/web/minrnn.html ${chromium}
                        ${SCREENSHOTS} COMMAND_ERROR_IS_FATAL ANY)
