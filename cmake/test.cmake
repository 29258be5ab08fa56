# Builds and runs the tests: cmake [-DPRESET=all|sanitize|m32] -P cmake/test.cmake
#
# Those of what the library computes, or with PRESET=all those too that take longer and fail more seldom: the tools and
# benchmarks, several machines, and how the headers compile and install in the projects of others.
include(${CMAKE_CURRENT_LIST_DIR}/setup.cmake)
if(NOT PRESET)
  set(PRESET dev)
endif()
if(PRESET STREQUAL "sanitize")
  set(also clang++=clang libclang-rt-14-dev)
elseif(PRESET STREQUAL "m32")
  # Of GCC's version: g++-multilib is not allowed beside compilers for other processors.
  execute_process(COMMAND g++ -dumpversion OUTPUT_VARIABLE version ERROR_QUIET)
  string(REGEX MATCH "^[0-9]+" version "${version}")
  if(version)
    set(also g++-${version}-multilib googletest)
  else()
    set(also g++-multilib googletest)
  endif()
elseif(PRESET STREQUAL "all")
  set(also mpicxx.openmpi=libopenmpi-dev mpirun.openmpi=openmpi-bin mpicxx.mpich=libmpich-dev mpirun.mpich=mpich
           doxygen=doxygen python3=python3 pkg-config=pkg-config libcli11-dev libbenchmark-dev libsndfile1-dev)
else()
  set(also python3=python3)
endif()

set_up(${also} c++=g++ ninja=ninja-build ccache=ccache libeigen3-dev nlohmann-json3-dev libgtest-dev)
run("configuring" ${CMAKE_COMMAND} --preset ${PRESET} ${generator})
run("building; some minutes the first time" ${CMAKE_COMMAND} --build --preset ${PRESET} --parallel ${processors})
run("testing" ${CMAKE_CTEST_COMMAND} --preset ${PRESET})
