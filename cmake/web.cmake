# Builds build/web/minrnn.html, a page that trains a language model in the browser: cmake -P cmake/web.cmake
include(${CMAKE_CURRENT_LIST_DIR}/setup.cmake)
set(build_dir ${project_dir}/build/web)

set_up(em++=emscripten node=nodejs ninja=ninja-build libeigen3-dev nlohmann-json3-dev)
if(NOT generator)
  set(generator -G Ninja)
endif()
find_program(emcmake emcmake REQUIRED)
# Not all of the folder of the system's headers, which are those of this machine.
foreach(header Eigen/Core nlohmann/json.hpp)
  cmake_path(GET header PARENT_PATH library)
  find_path(${library}_DIR ${header} PATHS /usr/include /usr/local/include /opt/homebrew/include PATH_SUFFIXES eigen3
            NO_CACHE REQUIRED)
  file(MAKE_DIRECTORY ${build_dir}/include)
  file(CREATE_LINK ${${library}_DIR}/${library} ${build_dir}/include/${library} SYMBOLIC)
endforeach()
set(ENV{NODE_PATH} "/usr/share/nodejs:$ENV{NODE_PATH}")  # where Debian keeps what Emscripten needs of Node's
run("configuring" ${emcmake} ${CMAKE_COMMAND} -S ${project_dir}/examples/web -B ${build_dir} ${generator}
    -DCMAKE_BUILD_TYPE=Release -DMINRNN_WEB_INCLUDE=${build_dir}/include)
run("compiling for the browser; some minutes" ${CMAKE_COMMAND} --build ${build_dir})
say("open ${build_dir}/minrnn.html in a browser")
