# What package managers are given: cmake/packaging. Of all this a project that finds what cpack packs is compiled.
set(packaging_arguments
    -DROOT=${PROJECT_SOURCE_DIR} -DGENERATOR=${CMAKE_GENERATOR} -DCOMPILER=${CMAKE_CXX_COMPILER} -DEIGEN=${Eigen3_DIR}
    -DJSON=${nlohmann_json_DIR} -DVERSION=${PROJECT_VERSION} "-DDESCRIPTION=${PROJECT_DESCRIPTION}"
    -DPYTHON=${MINRNN_TEST_PYTHON})
foreach(what names page vcpkg cpack)
  add_test(NAME packaging.${what}
           COMMAND ${CMAKE_COMMAND} ${packaging_arguments} -DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/packaging/${what}
                   -P ${CMAKE_CURRENT_SOURCE_DIR}/packaging/${what}.cmake)
endforeach()
