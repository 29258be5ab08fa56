# The cells on emulated microcontrollers, where there is a compiler and an emulator for them.
if(NOT MSVC AND NOT sanitized)
  add_executable(minrnn_cortex_answers ${CMAKE_CURRENT_SOURCE_DIR}/cortex/write_answers.cpp)
  target_include_directories(minrnn_cortex_answers PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  target_link_libraries(minrnn_cortex_answers PRIVATE minrnn_dev)
  get_target_property(eigen_include Eigen3::Eigen INTERFACE_INCLUDE_DIRECTORIES)
  add_test(NAME cortex COMMAND ${CMAKE_COMMAND} -DANSWERS=$<TARGET_FILE:minrnn_cortex_answers>
                               "-DINCLUDES=${PROJECT_SOURCE_DIR}/include;${eigen_include}"
                               -P ${CMAKE_CURRENT_SOURCE_DIR}/cortex/run.cmake)
  set_tests_properties(cortex PROPERTIES TIMEOUT 300 COST 20 SKIP_REGULAR_EXPRESSION "skipped: needs")
endif()
