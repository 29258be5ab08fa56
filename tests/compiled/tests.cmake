# A program that links minrnn::compiled prints the same bits as one that is compiled from the headers alone. That it has
# the code from the library is shown by its link: no header defines the functions that it calls.
add_executable(minrnn_compiled_training compiled/training.cpp)
target_link_libraries(minrnn_compiled_training PRIVATE minrnn::compiled minrnn_dev)
add_executable(minrnn_headers_training compiled/training.cpp)
target_link_libraries(minrnn_headers_training PRIVATE minrnn_dev)
add_test(NAME compiled.bits
         COMMAND ${CMAKE_COMMAND} -DA=$<TARGET_FILE:minrnn_compiled_training> -DB=$<TARGET_FILE:minrnn_headers_training>
                 -P ${CMAKE_CURRENT_SOURCE_DIR}/compiled/same_output.cmake)
