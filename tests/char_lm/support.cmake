# For the end-to-end tests of char_lm: cmake -DCHAR_LM=<program> -P tests/char_lm/<name>.cmake
cmake_minimum_required(VERSION 3.23...4.0)
set(tool char_lm)
set(program ${CHAR_LM})
set(log_header "step,train_loss,validation_loss,seconds,characters_per_second")
set(log_row "^([0-9]+,[0-9.]+,[0-9.]+),[0-9.]+,[0-9]+$")
set(log_losses "\\1")
include(${CMAKE_CURRENT_LIST_DIR}/../support/tool.cmake)
set(CHAR_LM ${program})

# A model that trains in no time. Options given once more would be refused, so these are the ones that no test varies.
set(tiny --layers 1 --dim 16 --batch 4 --context 32)

function(char_lm)
  run_tool(${ARGN})
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

# A text of sums, "12 + 35 = 47": something to learn, of any length.
function(write_sums file lines)
  set(text "")
  foreach(i RANGE 1 ${lines})
    math(EXPR a "${i} * 7919 % 97")
    math(EXPR b "${i} * 104729 % 89")
    math(EXPR sum "${a} + ${b}")
    string(APPEND text "${a} + ${b} = ${sum}\n")
  endforeach()
  file(WRITE ${folder}/${file} "${text}")
endfunction()
