# That the programs A and B print the same, and something: cmake -DA=... -DB=... -P same_output.cmake
foreach(program A B)
  execute_process(COMMAND ${${program}} OUTPUT_VARIABLE ${program}_output COMMAND_ERROR_IS_FATAL ANY)
endforeach()
if(A_output STREQUAL "" OR NOT A_output STREQUAL B_output)
  message(FATAL_ERROR "minrnn: ${A} printed\n${A_output}and ${B}\n${B_output}")
endif()
