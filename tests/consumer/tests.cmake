# Configures, builds and runs the consumer project once for each way to get hold of minrnn.
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/consumer/prefix)
add_test(NAME consumer.install COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
set_tests_properties(consumer.install PROPERTIES FIXTURES_SETUP installed)

# Where nothing of what minrnn needs is installed, its headers can be; and a project that adds minrnn in two of its
# parts installs its own library, and minrnn only where that is asked for.
add_test(NAME consumer.installs
         COMMAND ${CMAKE_COMMAND} -DCONSUMER=${CMAKE_CURRENT_SOURCE_DIR}/consumer -DROOT=${PROJECT_SOURCE_DIR}
                 -DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/consumer/installs -DGENERATOR=${CMAKE_GENERATOR}
                 -DCOMPILER=${CMAKE_CXX_COMPILER} -DEIGEN=${Eigen3_DIR} -DJSON=${nlohmann_json_DIR}
                 -P ${CMAKE_CURRENT_SOURCE_DIR}/consumer/installs.cmake)

set(ways find_package find_package_io add_subdirectory FetchContent)
if(MINRNN_MPI)
  list(APPEND ways find_package_mpi)
endif()
find_package(PkgConfig)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(eigen3 eigen3)
endif()
if(eigen3_FOUND)
  list(APPEND ways pkg_config)
else()
  message(STATUS "No test consumer.pkg_config: pkg-config does not know eigen3")
endif()

list(JOIN CMAKE_CXX_COMPILER_LAUNCHER "\\;" launcher)
foreach(way IN LISTS ways)
  add_test(NAME consumer.${way}
           COMMAND ${CMAKE_CTEST_COMMAND}
                   --build-and-test ${CMAKE_CURRENT_SOURCE_DIR}/consumer ${CMAKE_CURRENT_BINARY_DIR}/consumer/${way}
                   --build-generator ${CMAKE_GENERATOR}
                   --build-options -DWAY=${way} -DMINRNN_SOURCE_DIR=${PROJECT_SOURCE_DIR} -DCMAKE_PREFIX_PATH=${prefix}
                                   -DEigen3_DIR=${Eigen3_DIR} -Dnlohmann_json_DIR=${nlohmann_json_DIR}
                                   -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
                                   -DCMAKE_CXX_COMPILER_LAUNCHER=${launcher}
                   --test-command consumer)
  set_tests_properties(consumer.${way} PROPERTIES FIXTURES_REQUIRED installed TIMEOUT 300)
endforeach()
