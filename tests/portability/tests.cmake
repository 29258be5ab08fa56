# What a user's project brings along must not break the headers: macros, warnings, no exceptions, Eigen's macros.
set(portability ${CMAKE_CURRENT_SOURCE_DIR}/portability)

# Every header behind a set of other libraries' macros. What the headers include themselves comes before: it is not ours.
set(before "#include <bits/stdc++.h>")  # where there is one
set(after "")
foreach(header IN LISTS headers io_headers)
  file(STRINGS ${header} includes REGEX "^#include <")
  list(APPEND before ${includes})
  string(APPEND after "#include \"${header}\"\n")
endforeach()
list(REMOVE_DUPLICATES before)
list(TRANSFORM before REPLACE "^#include (<.*>).*" "#if __has_include(\\1)\n#include \\1\n#endif")
list(JOIN before "\n" before)
file(CONFIGURE OUTPUT behind_macros.cpp @ONLY CONTENT "@before@\n\n#include \"@portability@/macros.hpp\"\n\n@after@")
add_library(minrnn_behind_macros OBJECT ${CMAKE_CURRENT_BINARY_DIR}/behind_macros.cpp)
target_link_libraries(minrnn_behind_macros PRIVATE minrnn::io)
target_compile_options(minrnn_behind_macros PRIVATE ${minrnn_strict})

# Every layer, scan, loss and model in float and double under all warnings that a user may ask for.
add_executable(minrnn_instantiations ${portability}/instantiations.cpp)
target_include_directories(minrnn_instantiations PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
target_link_libraries(minrnn_instantiations PRIVATE minrnn_dev)
target_compile_options(minrnn_instantiations PRIVATE -O0 ${minrnn_strict})
add_test(NAME portability.instantiations COMMAND minrnn_instantiations)

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
