# A user brings Eigen (and nlohmann-json for minrnn::io). For a developer, what is not installed is downloaded, pinned;
# FETCHCONTENT_FULLY_DISCONNECTED forbids it.
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
