# Builds and runs the tests: cmake [-DPRESET=sanitize|m32] -P cmake/test.cmake
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
else()
  set(also mpicxx.openmpi=libopenmpi-dev mpirun.openmpi=openmpi-bin mpicxx.mpich=libmpich-dev mpirun.mpich=mpich
           doxygen=doxygen python3=python3)
endif()

set_up(${also} c++=g++ ninja=ninja-build ccache=ccache pkg-config=pkg-config libeigen3-dev nlohmann-json3-dev
       libcli11-dev libgtest-dev libbenchmark-dev libsndfile1-dev)
run("configuring" ${CMAKE_COMMAND} --preset ${PRESET} ${generator})
run("building; some minutes the first time" ${CMAKE_COMMAND} --build --preset ${PRESET} --parallel ${processors})
run("testing" ${CMAKE_CTEST_COMMAND} --preset ${PRESET})
