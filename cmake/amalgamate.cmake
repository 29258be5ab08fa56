# Writes all headers that need Eigen alone into one: cmake -P cmake/amalgamate.cmake [-o build/minrnn_all.hpp]
#
# Beside it, with "_io" behind its name, it writes those of minrnn/io, which include the first and need nlohmann-json.
# These are a second file and no macro's part of the first, so that which of them a program includes is seen where it
# includes it, and whoever wants no checkpoints carries no reader of files along. MPI stays in a header of its own.
#
# Each header stands there once, behind all that it includes, and whole: so a macro that it defines and undefines is
# what it was. What is included without a condition is gathered at the top; what depends on the system stays in place.
cmake_minimum_required(VERSION 3.23...4.0)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH project_dir)
set(root ${project_dir}/include)
set(output ${project_dir}/build/minrnn_all.hpp)

# The arguments behind the script, with or without -- before them.
math(EXPR last "${CMAKE_ARGC} - 1")
set(arguments "")
foreach(i RANGE ${last})
  list(APPEND arguments "${CMAKE_ARGV${i}}")
endforeach()
list(FIND arguments "-P" script)
math(EXPR first "${script} + 2")
list(SUBLIST arguments ${first} -1 arguments)
list(REMOVE_ITEM arguments "--")
list(LENGTH arguments count)
if(count EQUAL 2 AND arguments MATCHES "^-o;")
  list(GET arguments 1 output)
elseif(NOT count EQUAL 0)
  message(FATAL_ERROR "minrnn: usage: cmake -P cmake/amalgamate.cmake [-o FILE], and not ${arguments}")
endif()
cmake_path(ABSOLUTE_PATH output NORMALIZE)
cmake_path(GET output STEM LAST_ONLY name)
cmake_path(GET output EXTENSION LAST_ONLY extension)
cmake_path(REPLACE_FILENAME output "${name}_io${extension}" OUTPUT_VARIABLE io_output)
if(name STREQUAL "")
  message(FATAL_ERROR "minrnn: -o wants the name of a file, and not ${output}")
endif()

# In a list of CMake's, brackets would join elements, semicolons part them, and a backslash at the end of a line take
# its end away. No text has these four.
string(ASCII 1 open)
string(ASCII 2 close)
string(ASCII 3 semicolon)
string(ASCII 4 backslash)
function(read_lines file)
  file(READ ${file} text)
  string(REPLACE "\r" "" text "${text}")
  string(REPLACE "[" ${open} text "${text}")
  string(REPLACE "]" ${close} text "${text}")
  string(REPLACE ";" ${semicolon} text "${text}")
  string(REPLACE "\\" ${backslash} text "${text}")
  string(REPLACE "\n" ";" lines "${text}")
  set(lines "${lines}" PARENT_SCOPE)
endfunction()
function(write_text file text)
  string(REGEX REPLACE "\n\n\n+" "\n\n" text "${text}")
  string(REPLACE ${open} "[" text "${text}")
  string(REPLACE ${close} "]" text "${text}")
  string(REPLACE ${semicolon} ";" text "${text}")
  string(REPLACE ${backslash} "\\" text "${text}")
  file(WRITE ${file} "${text}")
endfunction()

# Appends a header to `text`, behind all that it includes, and what it includes of others to `includes`. `finished` are
# those that stand there, `started` those within which this one is included.
function(add_header name)
  if(name IN_LIST finished)
    return()
  elseif(name IN_LIST started)
    list(JOIN started ", " circle)
    message(FATAL_ERROR "minrnn: headers include each other in a circle: ${circle}, ${name}")
  elseif(NOT EXISTS ${root}/${name})
    message(FATAL_ERROR "minrnn: ${name} is included, and is not there")
  endif()
  list(APPEND started ${name})
  read_lines(${root}/${name})
  set(body "")
  set(depth 0)
  foreach(line IN LISTS lines)
    if(line MATCHES "^# *if")
      math(EXPR depth "${depth} + 1")
    elseif(line MATCHES "^# *endif")
      math(EXPR depth "${depth} - 1")
    elseif(line MATCHES "^# *include \"(.*)\"" AND NOT depth EQUAL 0)
      message(FATAL_ERROR "minrnn: ${name} includes ${CMAKE_MATCH_1} on a condition, which one file cannot")
    elseif(line MATCHES "^# *include \"(.*)\"")
      add_header(${CMAKE_MATCH_1})
      continue()
    elseif(line MATCHES "^# *include <.*>" AND depth EQUAL 0)
      list(APPEND includes "${CMAKE_MATCH_0}")
      continue()
    elseif(line MATCHES "^(# *pragma once|// SPDX-|// IWYU pragma)")
      continue()
    endif()
    string(APPEND body "${line}\n")
  endforeach()
  string(STRIP "${body}" body)
  # What minrnn.hpp includes compiles without exceptions; these, which it does not, need them.
  if(name MATCHES "/(distributed|testing)/" AND "minrnn/minrnn.hpp" IN_LIST finished)
    set(body "#if defined(__cpp_exceptions)\n${body}\n#endif")
  endif()
  if(NOT body STREQUAL "")
    string(APPEND text "// ---- ${name}\n\n${body}\n\n")
  endif()
  set(text "${text}" PARENT_SCOPE)
  set(includes "${includes}" PARENT_SCOPE)
  set(finished ${finished} ${name} PARENT_SCOPE)
endfunction()

file(STRINGS ${root}/minrnn/version.hpp version REGEX "VERSION_STRING")
string(REGEX MATCH "([0-9]+)[.]([0-9]+)[.]([0-9]+)" version "${version}")
math(EXPR number "${CMAKE_MATCH_1} * 10000 + ${CMAKE_MATCH_2} * 100 + ${CMAKE_MATCH_3}")  # as MINRNN_VERSION
file(READ ${project_dir}/LICENSE licence)
string(STRIP "${licence}" licence)
string(REPLACE "\n" "\n// " licence "// ${licence}")
string(REPLACE " \n" "\n" licence "${licence}")

# Writes the headers that are named into a file, those that are `finished` left out.
function(write_amalgamation file guard what before)
  set(includes "")
  set(text "")
  set(started "")
  foreach(header IN LISTS ARGN)
    add_header(${header})
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(SORT includes)
  list(JOIN includes "\n" includes)
  write_text(${file} "// minrnn ${version}: ${what}
// Written by cmake/amalgamate.cmake. Please change the headers that it is made of.
//
// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
//
${licence}
#ifndef ${guard}
#define ${guard}

${before}
${includes}

${text}#endif  // ${guard}
")
  message(NOTICE "minrnn: wrote ${file}")
  set(finished ${finished} PARENT_SCOPE)
endfunction()

file(GLOB_RECURSE headers RELATIVE ${root} ${root}/minrnn/*.hpp)
set(io_headers ${headers})
list(FILTER headers EXCLUDE REGEX "/io/|/mpi_communicator.hpp$")
list(FILTER io_headers INCLUDE REGEX "/io/")
list(PREPEND headers minrnn/minrnn.hpp)  # its order first

set(finished "")
cmake_path(GET output FILENAME name)
cmake_path(GET io_output FILENAME io_name)
write_amalgamation(${output} MINRNN_ALL_HPP "all headers that need Eigen alone, in one file." "#ifdef MINRNN_INLINE
#error \"${name} holds the headers of minrnn/: a program includes it or them\"
#endif
" ${headers})
write_amalgamation(${io_output} MINRNN_ALL_IO_HPP "checkpoints and the weights of others, which need nlohmann-json."
                   "#include \"${name}\"

#if MINRNN_VERSION != ${number}
#error \"${name} and ${io_name} are of different versions\"
#endif
" ${io_headers})
