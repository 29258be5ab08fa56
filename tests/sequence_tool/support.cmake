# For the end-to-end tests of sequence_tool: cmake -DSEQUENCE_TOOL=<program> -P tests/sequence_tool/<name>.cmake
cmake_minimum_required(VERSION 3.23...4.0)
set(tool sequence_tool)
set(program ${SEQUENCE_TOOL})
set(log_header "step,seconds,train_loss,validation_loss,accuracy")
set(log_row "^([0-9]+),[0-9.]+(,[0-9.e-]+,[0-9.e-]+,[0-9.e-]+)$")
set(log_losses "\\1\\2")
include(${CMAKE_CURRENT_LIST_DIR}/../support/tool.cmake)

# A model that trains in no time. Options given once more would be refused, so these are the ones that no test varies.
set(tiny --layers 1 --dim 8)

function(sequence_tool)
  run_tool(${ARGN})
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

# A file of bytes, each of three octal digits.
function(write_octal file digits)
  string(REGEX REPLACE "(...)" "\\\\\\1" escapes "${digits}")
  run_sh(0 [[printf "$3" > "$2"]] ${file} "${escapes}")
endfunction()
