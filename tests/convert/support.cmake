# For the end-to-end tests of convert: cmake -DCONVERT=<program> -P tests/convert/<name>.cmake
cmake_minimum_required(VERSION 3.23...4.0)
set(tool convert)
set(program ${CONVERT})
include(${CMAKE_CURRENT_LIST_DIR}/../support/tool.cmake)

function(convert)
  run_tool(${ARGN})
  set(output "${output}" PARENT_SCOPE)
  set(error "${error}" PARENT_SCOPE)
endfunction()

# A GRU of one unit and a linear map, as AIDA-X plays it.
string(CONCAT amp_head [=[{"model_data":{"model":"SimpleRNN","input_size":1,"skip":1,"output_size":1,]=]
              [=["unit_type":"GRU","num_layers":1,"hidden_size":1,"bias_fl":true},"state_dict":]=])
string(CONCAT amp_dict [=[{"rec.weight_ih_l0":[[1.0],[2.0],[3.0]],"rec.weight_hh_l0":[[4.0],[5.0],[6.0]],]=]
              [=["rec.bias_ih_l0":[7.0,8.0,9.0],"rec.bias_hh_l0":[10.0,11.0,0.10000000149011612],]=]
              [=["lin.weight":[[13.0]],"lin.bias":[14.0]}]=])
file(WRITE ${folder}/amp.json "${amp_head}${amp_dict}}")
