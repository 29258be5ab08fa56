# For the end-to-end tests of amp: cmake -DAMP=<program> -P tests/amp/<name>.cmake
cmake_minimum_required(VERSION 3.23...4.0)
set(tool amp)
set(program ${AMP})
set(log_header "step,seconds,train_loss,validation_esr")
set(log_row "^([0-9]+),[0-9.]+(,[0-9.e-]+,[0-9.e-]+)$")
set(log_losses "\\1\\2")
include(${CMAKE_CURRENT_LIST_DIR}/../support/tool.cmake)

function(amp)
  run_tool(${ARGN})
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

# A training of no time. Options given once more would be refused, so these are the ones that no test varies.
set(tiny --size 8 --batch 8 --segment 256 --warm-up 256)
