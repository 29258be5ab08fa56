# What -ffast-math must not change, of each compiler and each set of instructions: cmake -DCOMPILERS=g++;clang++
# -DLAUNCHER=ccache -DX86=TRUE -DSOURCE=fast_math.cpp -DINCLUDES=... -DFOLDER=... -P fast_math.cmake
cmake_minimum_required(VERSION 3.23...4.0)
file(MAKE_DIRECTORY ${FOLDER})
list(TRANSFORM INCLUDES PREPEND -I)
set(loss "")  # of the first program, which is built without the flag

function(run_with compiler)
  list(JOIN ARGN " " flags)
  execute_process(COMMAND ${LAUNCHER} ${compiler} -std=c++20 ${ARGN} ${INCLUDES} -c ${SOURCE} -o ${FOLDER}/fast_math.o
                  RESULT_VARIABLE result)
  if(result EQUAL 0)
    execute_process(COMMAND ${compiler} ${ARGN} ${FOLDER}/fast_math.o -o ${FOLDER}/fast_math -pthread
                    RESULT_VARIABLE result)
  endif()
  if(result EQUAL 0)
    execute_process(COMMAND ${FOLDER}/fast_math ${loss} RESULT_VARIABLE result OUTPUT_VARIABLE output)
    string(STRIP "${output}" output)
    if(loss STREQUAL "")
      set(loss "${output}" PARENT_SCOPE)
    endif()
  endif()
  if(result EQUAL 77)
    message(STATUS "${compiler} ${flags}: not run, this processor has not all of these instructions")
  elseif(result EQUAL 0)
    message(STATUS "${compiler} ${flags}: the loss is ${output}")
  else()
    message(SEND_ERROR "${compiler} ${flags}: ${result}\n${output}")
  endif()
endfunction()

# Not every set of each compiler: a program takes 10 seconds to compile.
list(GET COMPILERS 0 first)
list(GET COMPILERS -1 last)
run_with(${first} -O0)
foreach(compiler IN LISTS COMPILERS)
  run_with(${compiler} -O2 -ffast-math)
endforeach()
if(X86)
  run_with(${first} -Ofast -mavx)
  run_with(${last} -Ofast -mavx2 -mfma)
endif()
