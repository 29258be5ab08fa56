# For the end-to-end tests of a tool; what includes this sets
#   tool        its name
#   program     where it is
#   log_header  the first line of its log
#   log_row     a regular expression of all others
#   log_losses  what the clock does not decide, by the groups of that
# Each test works in a folder of its own under the current one.
cmake_path(GET CMAKE_SCRIPT_MODE_FILE STEM name)
set(folder ${CMAKE_CURRENT_BINARY_DIR}/${tool}_test/${name}${IMPLEMENTATION})
file(REMOVE_RECURSE ${folder})
file(MAKE_DIRECTORY ${folder})
cmake_path(ABSOLUTE_PATH program BASE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR})

function(check_status wanted status)
  if(NOT status STREQUAL wanted)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${tool} ${command}\nexit status ${status}, wanted ${wanted}\n${output}${error}")
  endif()
endfunction()

# Runs the tool, which must end with this exit status, and sets `output` and `error`.
function(run_tool wanted)
  execute_process(COMMAND ${program} ${ARGN} WORKING_DIRECTORY ${folder}
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
  execute_process(COMMAND sh -c "${preamble}${script}" sh ${program} ${ARGN} WORKING_DIRECTORY ${folder}
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

# Two files, byte by byte.
function(expect_same one other)
  file(SHA256 ${folder}/${one} hash)
  file(SHA256 ${folder}/${other} hash_other)
  if(NOT hash STREQUAL hash_other)
    message(FATAL_ERROR "${one} is not the same as ${other}")
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

# The first `count` rows of a log after its header, without what the clock decides.
function(read_losses variable log count)
  file(STRINGS ${folder}/${log} rows)
  list(POP_FRONT rows header)
  expect_equal("${header}" "${log_header}")
  list(LENGTH rows length)
  if(length LESS count)
    message(FATAL_ERROR "${log}: ${length} rows, wanted ${count}")
  endif()
  list(SUBLIST rows 0 ${count} rows)
  set(losses "")
  foreach(row IN LISTS rows)
    expect_match("${row}" "${log_row}")
    string(REGEX REPLACE "${log_row}" "${log_losses}" row "${row}")
    list(APPEND losses "${row}")
  endforeach()
  set(${variable} "${losses}" PARENT_SCOPE)
endfunction()

# The steps in the first column.
function(steps_of variable losses)
  list(TRANSFORM losses REPLACE ",.*" "")
  set(${variable} "${losses}" PARENT_SCOPE)
endfunction()

# What runs in the background is what sends the signal, as a background job ignores some.
set(kill_script [[
  log=$1 more=$2 signal=$3; shift 3
  rows() { if [ -f "$log" ]; then wc -l < "$log"; else echo 1; fi; }
  enough=$(($(rows) + more))
  (
    polls=0
    while [ "$(rows)" -lt "$enough" ] && [ $polls -lt 1000 ] && kill -0 $$; do sleep 0.1; polls=$((polls + 1)); done
    kill -$signal $$
  ) > /dev/null 2>&1 &
  exec $defaults "$@"
]])

# Runs the tool until the log has got so many more rows, ends it by a signal, and wants this exit status.
function(kill_training signal wanted more log)
  file(WRITE ${folder}/kill.sh "${kill_script}")
  run_sh(${wanted} [[shift; export defaults; sh kill.sh "$@"; exit $?]] ${log} ${more} ${signal} ${program} ${ARGN})
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(count_rows variable log)
  file(STRINGS ${folder}/${log} rows)
  list(LENGTH rows count)
  math(EXPR count "${count} - 1")
  set(${variable} ${count} PARENT_SCOPE)
endfunction()

# Of a training with ${options}, in the files some.csv and some.safetensors: ended by a signal once the log has got so
# many more rows.
function(train_and_kill signal wanted more log)
  kill_training(${signal} ${wanted} ${more} ${log} train ${options} --log ${log} ${ARGN})
  set(output "${output}" PARENT_SCOPE)
endfunction()
function(resume_and_kill signal wanted)
  train_and_kill(${signal} ${wanted} 10 some.csv --checkpoint some.safetensors --resume)
  expect_match("${output}" "resumed at step [1-9]")
  if(wanted EQUAL 130)
    expect_match("${output}" "interrupted at step [0-9]+, saved: go on with --resume\n$")
  endif()
endfunction()
# Its losses are those of one that was never interrupted.
function(expect_as_if_never_killed)
  count_rows(count some.csv)
  train_and_kill(KILL 137 ${count} whole.csv)
  read_losses(some some.csv ${count})
  read_losses(whole whole.csv ${count})
  expect_equal("${some}" "${whole}")
endfunction()

# --steps is the total: a training with these options that has ended goes on where it gets more of them.
function(expect_more_steps)
  set(short train ${ARGN} --evaluate-every 10 --checkpoint short.safetensors --log short.csv)
  run_tool(0 ${short} --steps 20)
  run_tool(0 ${short} --steps 40 --resume)
  expect_match("${output}" "resumed at step 20\n")
  read_losses(losses short.csv 4)
  steps_of(steps "${losses}")
  expect_equal("${steps}" "10;20;30;40")
endfunction()

# A training whose reader has gone saves and ends.
function(expect_end_without_reader)
  run_sh(0 [[{ "$@"; echo $? > status; } | head -n 3 > /dev/null]] train ${options} --checkpoint read.safetensors)
  file(READ ${folder}/status status)
  expect_equal("${status}" "1\n")
  expect_match("${error}" "^${tool}: standard output: cannot be written: Broken pipe\n$")
endfunction()
