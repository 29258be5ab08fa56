# The two headers that cmake/amalgamate.cmake writes, in two translation units of one program. The first of them is the
# first program of README.md as pages.cmake has written it, whose include leads to the one header here.
set(folder ${CMAKE_CURRENT_BINARY_DIR}/amalgamated)
set(script ${PROJECT_SOURCE_DIR}/cmake/amalgamate.cmake)
add_custom_command(OUTPUT ${folder}/minrnn_all.hpp ${folder}/minrnn_all_io.hpp
                   COMMAND ${CMAKE_COMMAND} -P ${script} -o ${folder}/minrnn_all.hpp
                   DEPENDS ${script} ${PROJECT_SOURCE_DIR}/LICENSE ${headers} ${io_headers} VERBATIM)
foreach(header minrnn core/sequence)
  file(CONFIGURE OUTPUT ${folder}/include/minrnn/${header}.hpp CONTENT "#include \"minrnn_all.hpp\"\n")
endforeach()
file(CONFIGURE OUTPUT ${folder}/first_program.cpp
     CONTENT "#define main first_program\n#include \"${CMAKE_CURRENT_BINARY_DIR}/readme_1.cpp\"\n")

add_executable(minrnn_amalgamated ${folder}/first_program.cpp amalgamated/golden.cpp ${folder}/minrnn_all.hpp)
target_include_directories(minrnn_amalgamated PRIVATE ${folder} ${folder}/include ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_definitions(minrnn_amalgamated PRIVATE MINRNN_TEST_DATA_DIR="${CMAKE_CURRENT_SOURCE_DIR}/golden")
get_target_property(options minrnn_dev INTERFACE_COMPILE_OPTIONS)
target_compile_options(minrnn_amalgamated PRIVATE ${options})
target_link_libraries(minrnn_amalgamated PRIVATE Eigen3::Eigen nlohmann_json::nlohmann_json Threads::Threads)
target_compile_features(minrnn_amalgamated PRIVATE cxx_std_20)
set_source_files_properties(amalgamated/golden.cpp PROPERTIES COMPILE_OPTIONS "${minrnn_strict}")
add_test(NAME amalgamated COMMAND minrnn_amalgamated)

# Each header stands there once, and nothing that only the compiler of many files understands.
add_test(NAME amalgamated.text
         COMMAND ${CMAKE_COMMAND} -DSCRIPT=${script} -DFOLDER=${folder}/text
                 -P ${CMAKE_CURRENT_SOURCE_DIR}/amalgamated/text.cmake)

# By the other compiler, too, and without exceptions, as minrnn.hpp compiles without them.
if(UNIX AND MINRNN_CLANGXX)  # portability/tests.cmake has looked for it
  get_target_property(eigen_include Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  list(TRANSFORM eigen_include PREPEND -isystem)
  add_test(NAME amalgamated.clang
           COMMAND ${MINRNN_CLANGXX} -std=c++20 -fsyntax-only -fno-exceptions -fno-rtti -Wall -Wextra -Wpedantic
                   -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wdouble-promotion -Werror ${eigen_include}
                   -include ${folder}/minrnn_all.hpp -x c++ /dev/null)
endif()
