# minrnn_dev: what the tests, examples and benchmarks are compiled with, and no user.
add_library(minrnn_dev INTERFACE)
target_link_libraries(minrnn_dev INTERFACE minrnn)

if(MSVC)
  target_compile_options(minrnn_dev INTERFACE /W4 /bigobj)
else()
  target_compile_options(minrnn_dev INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # Eigen's AVX-512 code floods these two with -march=native (GCC 12).
  target_compile_options(minrnn_dev INTERFACE -Wno-uninitialized -Wno-maybe-uninitialized)
  # Up to half a gigabyte before GCC collects what it no longer needs: up to 7 % of its time.
  target_compile_options(minrnn_dev INTERFACE --param=ggc-min-heapsize=524288)
endif()
# What users ask of the headers, beyond that: -Wdouble-promotion would forbid printing a float.
set(minrnn_strict $<TARGET_PROPERTY:minrnn_dev,INTERFACE_COMPILE_OPTIONS>)
if(NOT MSVC)
  list(APPEND minrnn_strict -Wsign-conversion -Wold-style-cast -Wdouble-promotion)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND minrnn_strict -Wuseless-cast)
endif()

find_package(Threads REQUIRED)  # for ThreadPool, where the C library does not have them itself
target_link_libraries(minrnn_dev INTERFACE Threads::Threads)

# ccache keeps what is compiled behind a precompiled header only where it is told that macros and times matter no more
# there than elsewhere.
find_program(MINRNN_CCACHE ccache)
if(PROJECT_IS_TOP_LEVEL AND MINRNN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${MINRNN_CCACHE})
endif()

set(implementations "")
if(MINRNN_MPI)
  include(cmake/mpi_implementations.cmake)
  minrnn_find_mpi_implementations()
endif()
