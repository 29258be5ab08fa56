# Trains a small minGRU on this library's own source text and lets it write: cmake [-DMINUTES=1] -P cmake/demo.cmake
include(${CMAKE_CURRENT_LIST_DIR}/setup.cmake)
if(NOT MINUTES)
  set(MINUTES 1)
endif()
set(build_dir ${project_dir}/build/demo)
set(char_lm ${build_dir}/examples/char_lm)
set(checkpoint ${build_dir}/demo.safetensors)

set_up(c++=g++ ninja=ninja-build libeigen3-dev nlohmann-json3-dev libcli11-dev)
run("configuring" ${CMAKE_COMMAND} --preset release -B ${build_dir} -DMINRNN_BUILD_BENCH=OFF ${generator})
run("compiling the character model; about a minute"
    ${CMAKE_COMMAND} --build ${build_dir} --target char_lm --parallel ${processors})
run("training; minutes: ${MINUTES}"
    ${char_lm} train --layers 2 --dim 96 --dropout 0.25 --minutes ${MINUTES} --checkpoint ${checkpoint} --overwrite)
run("what it writes now" ${char_lm} sample --checkpoint ${checkpoint} --length 400)
