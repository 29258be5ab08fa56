# What a user's project brings along must not break the headers: macros, warnings, no exceptions, Eigen's macros.
set(portability ${CMAKE_CURRENT_SOURCE_DIR}/portability)

# Every header behind a set of other libraries' macros. What the headers include themselves comes before: it is not
# ours.
set(before "#include <bits/stdc++.h>")  # where there is one
set(after "")
foreach(header IN LISTS headers io_headers)
  file(STRINGS ${header} includes REGEX "^#include <")
  list(APPEND before ${includes})
  string(APPEND after "#include \"${header}\"\n")
endforeach()
list(REMOVE_DUPLICATES before)
list(FILTER before EXCLUDE REGEX "<wasm_simd128.h>")  # clang has it for all processors, of which one can compile it
list(TRANSFORM before REPLACE "^#include (<.*>).*" "#if __has_include(\\1)\n#include \\1\n#endif")
list(JOIN before "\n" before)
file(CONFIGURE OUTPUT behind_macros.cpp @ONLY CONTENT "@before@\n\n#include \"@portability@/macros.hpp\"\n\n@after@")
add_library(minrnn_behind_macros OBJECT ${CMAKE_CURRENT_BINARY_DIR}/behind_macros.cpp)
target_link_libraries(minrnn_behind_macros PRIVATE minrnn::io)
target_compile_options(minrnn_behind_macros PRIVATE ${minrnn_strict})

# `using namespace Eigen; using namespace minrnn;`: these names alone are then to be qualified. ThreadPool is one of
# Eigen's where EIGEN_USE_THREADS is defined.
set(in_both Matrix Sequential Affine ThreadPool)
include(${portability}/beside_eigen.cmake)
add_library(minrnn_beside_eigen OBJECT ${CMAKE_CURRENT_BINARY_DIR}/beside_eigen.cpp)
target_link_libraries(minrnn_beside_eigen PRIVATE minrnn::io)

# Scans, losses, cells, optimizers and models in float and double under all warnings that a user may ask for.
add_executable(minrnn_instantiations ${portability}/instantiations.cpp)
target_include_directories(minrnn_instantiations PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(minrnn_instantiations PRIVATE minrnn_dev)
target_compile_options(minrnn_instantiations PRIVATE -O0 ${minrnn_strict} ${unwatched})
add_test(NAME portability.instantiations COMMAND minrnn_instantiations)
add_executable(minrnn_opt_in ${portability}/opt_in.cpp)
target_link_libraries(minrnn_opt_in PRIVATE minrnn::io minrnn_dev)
target_compile_options(minrnn_opt_in PRIVATE -O0 ${minrnn_strict} ${unwatched})
add_test(NAME portability.opt_in COMMAND minrnn_opt_in)

find_package(OpenMP COMPONENTS CXX)
if(OpenMP_CXX_FOUND)
  add_executable(minrnn_open_mp ${portability}/open_mp.cpp)
  target_include_directories(minrnn_open_mp PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(minrnn_open_mp PRIVATE minrnn_dev OpenMP::OpenMP_CXX GTest::gtest)
  add_test(NAME portability.open_mp COMMAND minrnn_open_mp)
  set_tests_properties(portability.open_mp PROPERTIES ENVIRONMENT OMP_WAIT_POLICY=passive)

  # Every layer on the threads of OpenMP.
  add_library(minrnn_open_mp_executor OBJECT ${portability}/../support/open_mp_executor.cpp)
  target_include_directories(minrnn_open_mp_executor PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(minrnn_open_mp_executor PRIVATE minrnn_dev OpenMP::OpenMP_CXX GTest::gtest)
  target_link_libraries(minrnn_tests PRIVATE minrnn_open_mp_executor)
  add_test(NAME portability.layers_on_open_mp COMMAND minrnn_tests --gtest_filter=AllLayers/Promise.*/*__executors)
  set_tests_properties(portability.layers_on_open_mp PROPERTIES TIMEOUT 300 COST 50
                       ENVIRONMENT "MINRNN_TEST_OPEN_MP=1;OMP_WAIT_POLICY=passive")
endif()

# Without exceptions: a failed check aborts, or calls what the user has defined.
if(NOT MSVC)
  foreach(way abort function)
    set(target minrnn_without_exceptions_${way})
    add_executable(${target} ${portability}/without_exceptions.cpp)
    target_compile_options(${target} PRIVATE -O0 -fno-exceptions -fno-rtti ${minrnn_strict})
    target_link_libraries(${target} PRIVATE minrnn_dev)
    add_test(NAME portability.without_exceptions.${way} COMMAND ${target})
  endforeach()
  target_compile_definitions(minrnn_without_exceptions_function PRIVATE MINRNN_FAIL=on_failure)
endif()

# The same numbers under Eigen's macros; to rounding where they change its packets or its functions.
set(numbers ${CMAKE_CURRENT_BINARY_DIR}/eigen_numbers.txt)
function(minrnn_under_eigen_macros way tolerance)
  set(target minrnn_eigen_${way})
  add_executable(${target} ${portability}/eigen_macros.cpp)
  target_compile_definitions(${target} PRIVATE ${ARGN})
  target_link_libraries(${target} PRIVATE minrnn_dev)
  if(NOT MSVC)
    target_compile_options(${target} PRIVATE -O0)
  endif()
  if(way STREQUAL "reference")
    add_test(NAME portability.eigen.reference COMMAND ${target} write ${numbers})
    set_tests_properties(portability.eigen.reference PROPERTIES FIXTURES_SETUP eigen_numbers)
  else()
    add_test(NAME portability.eigen.${way} COMMAND ${target} compare ${numbers} ${tolerance})
    set_tests_properties(portability.eigen.${way} PROPERTIES FIXTURES_REQUIRED eigen_numbers)
  endif()
endfunction()
if(NOT sanitized)
  minrnn_under_eigen_macros(reference 0)
  minrnn_under_eigen_macros(row_major 0 EIGEN_DEFAULT_TO_ROW_MAJOR EIGEN_NO_DEBUG)
  minrnn_under_eigen_macros(int_index 0 EIGEN_DEFAULT_DENSE_INDEX_TYPE=int EIGEN_INITIALIZE_MATRICES_BY_ZERO)
  minrnn_under_eigen_macros(unaligned 1e-5 EIGEN_MAX_ALIGN_BYTES=0 EIGEN_FAST_MATH=0)
  minrnn_under_eigen_macros(scalar 1e-5 EIGEN_DONT_VECTORIZE)
  minrnn_under_eigen_macros(
    others 0 EIGEN_MAX_STATIC_ALIGN_BYTES=0 EIGEN_UNALIGNED_VECTORIZE=0 EIGEN_INITIALIZE_MATRICES_BY_NAN
    EIGEN_NO_AUTOMATIC_RESIZING EIGEN_RUNTIME_NO_MALLOC EIGEN_STACK_ALLOCATION_LIMIT=0 EIGEN_USE_THREADS EIGEN_USE_BLAS
    EIGEN_DONT_PARALLELIZE EIGEN_NO_IO EIGEN_PERMANENTLY_DISABLE_STUPID_WARNINGS)
endif()

# -ffast-math: the numbers stay what they are, and NaN is found.
if(NOT sanitized AND NOT MSVC AND CMAKE_SIZEOF_VOID_P EQUAL 8)
  find_program(MINRNN_GXX g++)
  find_program(MINRNN_CLANGXX NAMES clang++ clang++-14)
  mark_as_advanced(MINRNN_GXX MINRNN_CLANGXX)
  set(compilers ${MINRNN_GXX} ${MINRNN_CLANGXX})
  list(FILTER compilers EXCLUDE REGEX NOTFOUND)
  string(REGEX MATCH "x86_64|AMD64" x86 "${CMAKE_SYSTEM_PROCESSOR}")
  get_target_property(eigen_include Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  add_test(NAME portability.fast_math
           COMMAND ${CMAKE_COMMAND} "-DCOMPILERS=${compilers}" "-DLAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER}"
                   "-DINCLUDES=${PROJECT_SOURCE_DIR}/include;${CMAKE_CURRENT_SOURCE_DIR};${eigen_include}"
                   -DX86=${x86} -DSOURCE=${portability}/fast_math.cpp
                   -DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/fast_math -P ${portability}/fast_math.cmake)
  set_tests_properties(portability.fast_math PROPERTIES TIMEOUT 600 COST 60)
endif()

# EIGEN_NO_MALLOC: the cells work, all else says that it does not.
add_executable(minrnn_cell_without_heap ${portability}/cell_without_heap.cpp)
target_compile_definitions(minrnn_cell_without_heap PRIVATE EIGEN_NO_MALLOC)
target_link_libraries(minrnn_cell_without_heap PRIVATE minrnn_dev)
add_test(NAME portability.cell_without_heap COMMAND minrnn_cell_without_heap)
if(NOT MSVC)
  add_executable(minrnn_cell_chain_without_heap ${portability}/cell_chain_without_heap.cpp)
  target_compile_definitions(minrnn_cell_chain_without_heap PRIVATE EIGEN_NO_MALLOC)
  target_compile_options(minrnn_cell_chain_without_heap PRIVATE -fno-exceptions -fno-rtti ${minrnn_strict})
  target_link_libraries(minrnn_cell_chain_without_heap PRIVATE minrnn_dev)
  add_test(NAME portability.cell_chain_without_heap COMMAND minrnn_cell_chain_without_heap)
  get_target_property(eigen_include Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  list(TRANSFORM eigen_include PREPEND -I)
  add_test(NAME portability.layers_without_heap
           COMMAND ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only -DEIGEN_NO_MALLOC -I${PROJECT_SOURCE_DIR}/include
                   ${eigen_include} ${portability}/../link/second.cpp)
  set_tests_properties(portability.layers_without_heap PROPERTIES PASS_REGULAR_EXPRESSION "EIGEN_NO_MALLOC leaves")
endif()
