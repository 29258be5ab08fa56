# Data parallel over MPI, with each library that is there; on threads of one program it is tested by *_test.cpp.
if(MINRNN_MPI)
  foreach(name IN LISTS implementations)
    add_executable(minrnn_ranks_${name} ${CMAKE_CURRENT_SOURCE_DIR}/distributed/ranks.cpp)
    target_include_directories(minrnn_ranks_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    target_link_libraries(minrnn_ranks_${name} PRIVATE minrnn_mpi_${name} minrnn_dev)
    foreach(ranks 1 2 4 8)
      add_test(NAME distributed.${name}.${ranks}
               COMMAND ${mpirun_${name}} -np ${ranks} $<TARGET_FILE:minrnn_ranks_${name}> same_bits)
      list(APPEND mpi_tests distributed.${name}.${ranks})
    endforeach()
    foreach(fault number_of_ranks settings not_a_number exception killed)
      set(ranks 4)
      if(fault STREQUAL "number_of_ranks")
        set(ranks 3)
      endif()
      add_test(NAME distributed.${name}.${fault}
               COMMAND ${CMAKE_COMMAND} -DMPIRUN=${mpirun_${name}} -DRANKS=${ranks} -DFAULT=${fault}
                       -DPROGRAM=$<TARGET_FILE:minrnn_ranks_${name}>
                       -P ${CMAKE_CURRENT_SOURCE_DIR}/distributed/fault.cmake)
      list(APPEND mpi_tests distributed.${name}.${fault})
    endforeach()
  endforeach()
  set_tests_properties(${mpi_tests} PROPERTIES TIMEOUT 120 ENVIRONMENT "${minrnn_mpi_environment}")
endif()
