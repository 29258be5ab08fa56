# A fault on one of several ranks ends all of them within ten seconds, with a status that is not 0 and a line that says
# why: cmake -DMPIRUN=<program> -DRANKS=<n> -DPROGRAM=<minrnn_ranks> -DFAULT=<name> -P tests/distributed/fault.cmake
cmake_minimum_required(VERSION 3.23...4.0)
set(number_of_ranks "DataParallel: ranks: wanted a power of two of them, up to the 8 shards, given 3")
set(settings "rank 2 differs from rank 0 in the number of shards")
set(not_a_number "the loss of shard 5, on rank 2, is NaN")
set(exception "rank 2: no memory\n")
set(killed "(signal [69]|EXIT CODE: [69])")  # or MPI has ended a rank because it missed that one

execute_process(COMMAND ${MPIRUN} -np ${RANKS} ${PROGRAM} ${FAULT} TIMEOUT 30
                RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
if(status STREQUAL "0" OR NOT "${output}${error}" MATCHES "${${FAULT}}")
  message(FATAL_ERROR "${FAULT}: wanted a status that is not 0 and ${${FAULT}}, given ${status}\n${output}${error}")
endif()
