# The blocks of CMake's language in cmake/packaging/README.md configure, with a checkout for the address that they name:
# cmake -DROOT=... -DFOLDER=... -DGENERATOR=... -DCOMPILER=... -DEIGEN=... -DJSON=... -P page.cmake
cmake_minimum_required(VERSION 3.23...4.0)
file(REMOVE_RECURSE ${FOLDER})
# Takes the words that CPM.cmake takes here; CPM, too, hands them to FetchContent.
set(cpm [[
include(FetchContent)
function(CPMAddPackage)
  cmake_parse_arguments(arg "" "NAME;GIT_REPOSITORY;GIT_TAG" OPTIONS ${ARGN})
  foreach(option IN LISTS arg_OPTIONS)
    string(REPLACE " " ";" name_value "${option}")
    set(${name_value})
  endforeach()
  FetchContent_Declare(${arg_NAME} GIT_REPOSITORY ${arg_GIT_REPOSITORY} GIT_TAG ${arg_GIT_TAG})
  FetchContent_MakeAvailable(${arg_NAME})
endfunction()
]])

file(READ ${ROOT}/cmake/packaging/README.md text)
string(REPLACE ";" "," text "${text}")
string(REGEX MATCHALL "\n```cmake\n[^`]*" blocks "${text}")
list(LENGTH blocks count)
if(NOT count EQUAL 3)
  message(FATAL_ERROR "Three blocks of CMake's are wanted, ${count} are found")
endif()
foreach(block IN LISTS blocks)
  string(REGEX REPLACE "^\n```cmake\n" "" block "${block}")
  string(REPLACE "add_subdirectory(minrnn)" "add_subdirectory(${ROOT} minrnn)" block "${block}")
  string(SHA1 name "${block}")
  set(source ${FOLDER}/${name})
  file(WRITE ${source}/CPM.cmake "${cpm}")
  file(WRITE ${source}/CMakeLists.txt "cmake_minimum_required(VERSION 3.23...4.0)
project(app LANGUAGES CXX)
add_executable(app ${ROOT}/tests/consumer/main.cpp)
${block}
")
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${source} -B ${source}/build -G ${GENERATOR}
                          -DFETCHCONTENT_SOURCE_DIR_MINRNN=${ROOT} -DCMAKE_CXX_COMPILER=${COMPILER}
                          -DEigen3_DIR=${EIGEN} -Dnlohmann_json_DIR=${JSON}
                  COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endforeach()
