# The cells on Cortex-M processors, compiled by arm-none-eabi-g++ and emulated by qemu-system-arm:
# cmake -DANSWERS=PROGRAM -DINCLUDES=FOLDERS -P tests/cortex/run.cmake
#
# ANSWERS is write_answers.cpp, compiled for the host. Prints for each processor the sizes of the program, how far its
# answers are from those of the host, and the instructions of a step. Says "skipped" where a tool is missing.
cmake_minimum_required(VERSION 3.23...4.0)
find_program(compiler arm-none-eabi-g++)
find_program(size arm-none-eabi-size)
find_program(emulator qemu-system-arm)
if(NOT compiler OR NOT size OR NOT emulator)
  message(STATUS "skipped: needs arm-none-eabi-g++ with a C++ library and qemu-system-arm; on Debian "
                 "apt-get install gcc-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm")
  return()
endif()

function(run result)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output TIMEOUT 120)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${output}${command}\nended with ${status}")
  endif()
  set(${result} "${output}" PARENT_SCOPE)
endfunction()

set(folder ${CMAKE_CURRENT_BINARY_DIR}/cortex)
file(MAKE_DIRECTORY ${folder})
run(output ${ANSWERS} ${folder})
run(output ${compiler} -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++
    -include ${folder}/every_cell.hpp
    -include ${folder}/narrow_amplifier.hpp
    /dev/null)
list(TRANSFORM INCLUDES PREPEND -I)
set(flags -std=c++20 -O2 -mthumb -mfloat-abi=hard -fno-exceptions -fno-rtti -fno-threadsafe-statics
          -fno-unwind-tables -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections -Wall -Wextra
          -DEIGEN_NO_MALLOC -DEIGEN_NO_IO -I${CMAKE_CURRENT_LIST_DIR}/.. -I${folder} ${INCLUDES})
set(link -nostartfiles --specs=nano.specs --specs=nosys.specs -Wl,--gc-sections -T${CMAKE_CURRENT_LIST_DIR}/memory.ld)

# A board whose processor it is, with the clock of its timer. One instruction takes a nanosecond of the emulator's time
# (-icount shift=0): what is counted are instructions, not cycles.
function(emulate name board clock)
  set(program ${folder}/${name}.elf)
  run(output ${compiler} -mcpu=${name} ${ARGN} ${flags} -DCLOCK_HZ=${clock} ${CMAKE_CURRENT_LIST_DIR}/target.cpp
      ${CMAKE_CURRENT_LIST_DIR}/startup.cpp ${link} -o ${program})
  run(sizes ${size} ${program})
  run(output ${emulator} -M ${board} -nographic -monitor none -serial none -icount shift=0
      -semihosting-config enable=on,target=native -kernel ${program})
  message("${name}\n${sizes}${output}")
endfunction()

emulate(cortex-m4 mps2-an386 25000000 -mfpu=fpv4-sp-d16)
emulate(cortex-m7 mps2-an500 25000000 -mfpu=fpv5-d16)
emulate(cortex-m55 mps3-an547 32000000)
