# What must not compile, and what the compiler says then: negative/compile.cmake.
if(NOT MSVC)
  get_target_property(eigen_include Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  file(GLOB negative_sources CONFIGURE_DEPENDS negative/*.cpp)
  foreach(source IN LISTS negative_sources)
    cmake_path(GET source STEM name)
    add_test(NAME negative.${name}
             COMMAND ${CMAKE_COMMAND} -DCOMPILER=${CMAKE_CXX_COMPILER} -DFLAGS=${CMAKE_CXX_FLAGS} -DSOURCE=${source}
                     "-DINCLUDES=${PROJECT_SOURCE_DIR}/include;${eigen_include}"
                     -P ${CMAKE_CURRENT_SOURCE_DIR}/negative/compile.cmake)
  endforeach()
endif()
