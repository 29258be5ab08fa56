# For the end-to-end tests of char_lm: cmake -DCHAR_LM=<program> -P tests/char_lm/<name>.cmake
# Each works in a folder of its own under the current one.
cmake_minimum_required(VERSION 3.23...4.0)
cmake_path(GET CMAKE_SCRIPT_MODE_FILE STEM name)
set(folder ${CMAKE_CURRENT_BINARY_DIR}/char_lm_test/${name}${IMPLEMENTATION})
file(REMOVE_RECURSE ${folder})
file(MAKE_DIRECTORY ${folder})
cmake_path(ABSOLUTE_PATH CHAR_LM BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

# A model that trains in no time. Options given once more would be refused, so these are the ones that no test varies.
set(tiny --layers 1 --dim 16 --batch 4 --context 32)

function(check_status wanted status)
  if(NOT status STREQUAL wanted)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "char_lm ${command}\nexit status ${status}, wanted ${wanted}\n${output}${error}")
  endif()
endfunction()

# Runs char_lm, which must end with this exit status, and sets `output` and `error`.
function(char_lm wanted)
  execute_process(COMMAND ${CHAR_LM} ${ARGN} WORKING_DIRECTORY ${folder}
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
  check_status(${wanted} ${status} ${ARGN})
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

# The same of a script of sh, which finds the program and the rest of the arguments as "$@". A background job of sh
# ignores SIGINT, and so does what a script runs that is itself one: `$defaults` before a command gives it back its
# meaning.
function(run_sh wanted script)
  set(preamble [[
    defaults="env --default-signal=INT"
    $defaults true 2> /dev/null || defaults=
  ]])
  execute_process(COMMAND sh -c "${preamble}${script}" sh ${CHAR_LM} ${ARGN} WORKING_DIRECTORY ${folder}
                  RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
  check_status(${wanted} ${status} ${ARGN} "(${script})")
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

function(expect_match text regex)
  if(NOT text MATCHES "${regex}")
    message(FATAL_ERROR "wanted a match of ${regex}, given\n${text}")
  endif()
endfunction()
function(expect_equal given wanted)
  if(NOT given STREQUAL wanted)
    message(FATAL_ERROR "wanted\n${wanted}\ngiven\n${given}")
  endif()
endfunction()
function(expect_different given other)
  if(given STREQUAL other)
    message(FATAL_ERROR "wanted two that differ, given\n${given}")
  endif()
endfunction()

# What is below the folder, each with its contents.
function(list_files variable)
  file(GLOB_RECURSE files LIST_DIRECTORIES true ${folder}/*)
  set(contents "")
  foreach(file IN LISTS files)
    set(hash "")
    if(EXISTS ${file} AND NOT IS_DIRECTORY ${file})
      file(SHA256 ${file} hash)
    endif()
    list(APPEND contents "${file} ${hash}")
  endforeach()
  set(${variable} "${contents}" PARENT_SCOPE)
endfunction()

# "1.25" becomes 1250000: CMake computes with whole numbers.
function(to_millionths variable number)
  string(REGEX MATCH "^([0-9]+)\\.([0-9]+)$" matched "${number}000000")
  string(SUBSTRING "${CMAKE_MATCH_2}" 0 6 fraction)
  math(EXPR millionths "${CMAKE_MATCH_1} * 1000000 + 1${fraction} - 1000000")
  set(${variable} ${millionths} PARENT_SCOPE)
endfunction()
function(expect_near given wanted tolerance)
  math(EXPR difference "${given} - ${wanted}")
  if(difference GREATER tolerance OR difference LESS -${tolerance})
    message(FATAL_ERROR "wanted ${wanted} to within ${tolerance}, given ${given}")
  endif()
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

# The first `count` rows of a log after its header, each as "step,train_loss,validation_loss".
function(read_losses variable log count)
  file(STRINGS ${folder}/${log} rows)
  list(POP_FRONT rows header)
  expect_equal("${header}" "step,train_loss,validation_loss,seconds,characters_per_second")
  list(LENGTH rows length)
  if(length LESS count)
    message(FATAL_ERROR "${log}: ${length} rows, wanted ${count}")
  endif()
  list(SUBLIST rows 0 ${count} rows)
  set(losses "")
  foreach(row IN LISTS rows)
    expect_match("${row}" "^[0-9]+,[0-9.]+,[0-9.]+,[0-9.]+,[0-9]+$")
    string(REGEX REPLACE ",[^,]*,[^,]*$" "" row "${row}")
    list(APPEND losses "${row}")
  endforeach()
  set(${variable} "${losses}" PARENT_SCOPE)
endfunction()

# The steps in the first column.
function(steps_of variable losses)
  list(TRANSFORM losses REPLACE ",.*" "")
  set(${variable} "${losses}" PARENT_SCOPE)
endfunction()
