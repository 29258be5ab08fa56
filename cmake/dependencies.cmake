# A user brings Eigen (nlohmann-json for minrnn::io, an MPI library for minrnn::mpi). For a developer, what is not
# installed is downloaded, pinned; FETCHCONTENT_FULLY_DISCONNECTED forbids it. To install the headers alone nothing is
# needed: who uses them asks for what they need.
if(PROJECT_IS_TOP_LEVEL AND NOT (MINRNN_BUILD_TESTS OR MINRNN_BUILD_EXAMPLES OR MINRNN_BUILD_BENCH))
  return()
endif()
if(PROJECT_IS_TOP_LEVEL)
  include(cmake/download.cmake)
endif()

if(NOT TARGET Eigen3::Eigen)
  find_package(Eigen3 CONFIG REQUIRED)  # without a version: 3.4 and 5 reject each other's requests
  if(Eigen3_VERSION VERSION_LESS 3.4)
    message(FATAL_ERROR "minrnn needs Eigen 3.4 or later, found ${Eigen3_VERSION}")
  endif()
endif()
if(MINRNN_IO AND NOT TARGET nlohmann_json::nlohmann_json)
  find_package(nlohmann_json REQUIRED)
endif()
if(MINRNN_MPI AND NOT TARGET MPI::MPI_CXX)
  set(MPI_CXX_SKIP_MPICXX ON)  # the C interface alone, for a project without the language C
  find_package(MPI QUIET COMPONENTS CXX)
  if(NOT MPI_CXX_FOUND AND PROJECT_IS_TOP_LEVEL)
    message(STATUS "No minrnn::mpi and no tests of it: there is no MPI library")
    set(MINRNN_MPI OFF)
  elseif(NOT MPI_CXX_FOUND)
    message(FATAL_ERROR "minrnn::mpi (MINRNN_MPI) needs an MPI library, such as Open MPI or MPICH")
  endif()
endif()
