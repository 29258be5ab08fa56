# What the commands do: train, its log and checkpoint, evaluate, predict, generate.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)

# Without a file there is a task; it learns, and logs it.
set(train train --dim 16 --steps 400 --evaluate-every 100 --learning-rate 0.02)
sequence_tool(0 ${train} --checkpoint first.safetensors --log first.csv)
expect_match("${output}" "^classification of the generated task: 4500 sequences to train on, 500 to validate\n")
expect_match("${output}"
             "\nstep 400  train [0-9.]+  validation [0-9.]+  accuracy [0-9.]+ %  [0-9]+ sequences/s  left 0:00:00")
expect_equal("${error}" "")
read_losses(losses first.csv 4)
steps_of(steps "${losses}")
expect_equal("${steps}" "100;200;300;400")
list(GET losses -1 last)
string(REGEX REPLACE ".*," "" accuracy "${last}")
if(NOT accuracy GREATER 0.8)  # a guess is right in a quarter of the cases
  message(FATAL_ERROR "wanted an accuracy above 0.8, given ${accuracy}")
endif()

# The same again, on one thread: the same weights, bit for bit.
sequence_tool(0 ${train} --checkpoint again.safetensors --threads 1)
expect_same(again.safetensors first.safetensors)

# The generated task as a file is the same task: other names, the same losses. Its rows may stand in any order.
sequence_tool(0 generate --sequences 300 --output table.csv)
sequence_tool(0 generate --sequences 300)
file(READ ${folder}/table.csv table)
expect_equal("${output}" "${table}")
sequence_tool(0 generate --sequences 300 --seed 2 --output other.csv)
file(READ ${folder}/other.csv other)
expect_different("${other}" "${table}")
set(short train ${tiny} --steps 20 --evaluate-every 10)
sequence_tool(0 ${short} --data table.csv --checkpoint table.safetensors --log table.csv.log)
read_losses(losses table.csv.log 2)

# evaluate gives what train said at its end, where it is asked about the same sequences; predict says the same.
sequence_tool(0 evaluate --checkpoint first.safetensors --data other.csv)
expect_match("${output}"
             "^300 sequences\nloss [0-9.]+  accuracy ([0-9.]+) %\n\nrows: the class; columns: what was answered\n")
string(REGEX MATCH "accuracy ([0-9.]+) %" matched "${output}")
set(accuracy ${CMAKE_MATCH_1})
expect_match("${output}" "\n1  down then down +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ % +[0-9.]+ %\n")
sequence_tool(0 predict --checkpoint first.safetensors --data other.csv --output answers.csv)
file(STRINGS ${folder}/answers.csv answers)
list(POP_FRONT answers header)
expect_equal("${header}" "id,predicted,p(down then down),p(down then up),p(up then down),p(up then up)")
file(STRINGS ${folder}/other.csv rows)
set(right 0)
foreach(row IN LISTS rows)
  if(row MATCHES "^([0-9]+),0,.*,([a-z ]+)$")
    list(GET answers ${CMAKE_MATCH_1} answer)
    if(answer MATCHES "^${CMAKE_MATCH_1},${CMAKE_MATCH_2},")
      math(EXPR right "${right} + 1")
    endif()
  endif()
endforeach()
to_millionths(said "${accuracy}")
math(EXPR counted "${right} * 100000000 / 300")
expect_near(${counted} ${said} 5001)  # it says two digits

# Each answer is that of its sequence, whatever stands around it. The targets are not looked at.
file(WRITE ${folder}/one.csv "target,signal,time,id\n")
foreach(row IN LISTS rows)
  if(row MATCHES "^7,([0-9]+),([0-9.-]+),")
    file(APPEND ${folder}/one.csv ",${CMAKE_MATCH_2},${CMAKE_MATCH_1},7\n")
  endif()
endforeach()
sequence_tool(0 predict --checkpoint first.safetensors --data one.csv)
list(GET answers 7 answer)
expect_equal("${output}" "${header}\n${answer}\n")
execute_process(COMMAND ${program} predict --checkpoint first.safetensors --data - WORKING_DIRECTORY ${folder}
                INPUT_FILE ${folder}/one.csv OUTPUT_VARIABLE output ERROR_QUIET)
expect_equal("${output}" "${header}\n${answer}\n")

# A number for each sequence.
set(log_header "step,seconds,train_loss,validation_loss,error")
sequence_tool(0 train --task regression --dim 16 --steps 300 --learning-rate 0.01 --evaluate-every 100
              --checkpoint sum.safetensors --log sum.csv)
expect_match("${output}"
             "\nthe model +[0-9.]+ +[0-9.]+ +0.[0-9]+\nthe training's mean +0.3[0-9]+ +0.4[0-9]+ +-?0.0[0-9]+\n$")
read_losses(losses sum.csv 3)
sequence_tool(0 generate --task regression --sequences 100 --seed 2 --output sums.csv)
sequence_tool(0 evaluate --checkpoint sum.safetensors --data sums.csv)
expect_match("${output}" "^100 sequences\nloss [0-9.]+  error 0.[0-9]+\n")
sequence_tool(0 predict --checkpoint sum.safetensors --data sums.csv)
expect_match("${output}" "^id,predicted\n0,[0-9.]+\n")

# Every mixer and pool trains, and its checkpoint says which it is.
foreach(mixer minlstm signed-mingru signed-minlstm highway-mingru gru lstm mamba transformer)
  sequence_tool(0 ${short} --data table.csv --mixer ${mixer} --pool last --checkpoint ${mixer}.safetensors)
  expect_match("${output}" "\n${mixer}, 1 blocks of 8 features")
  sequence_tool(0 evaluate --checkpoint ${mixer}.safetensors --data table.csv)
endforeach()
foreach(mixer mingru mamba)
  sequence_tool(0 ${short} --data table.csv --mixer ${mixer} --bidirectional --checkpoint two-${mixer}.safetensors)
  sequence_tool(0 evaluate --checkpoint two-${mixer}.safetensors --data table.csv)
endforeach()
sequence_tool(0 ${short} --data table.csv --pool max --dropout 0.1 --validation 0.5 --checkpoint max.safetensors)
expect_match("${output}" "150 sequences to train on, 150 to validate")
sequence_tool(0 evaluate --checkpoint max.safetensors --data table.csv)

# Ends: by the epochs, the clock, or as nothing gets better.
sequence_tool(0 train ${tiny} --data table.csv --epochs 3 --batch 50 --evaluate-every 6 --log epochs.csv)
expect_match("${output}" "; 6 steps to an epoch\n")
expect_match("${output}" "\nstep 18 .*\nbest weights, of step ")
expect_match("${error}" "^sequence_tool: warning: without --checkpoint the weights are lost at the end\n$")
sequence_tool(0 train ${tiny} --data table.csv --minutes 0.01 --evaluate-every 1000000)
expect_match("${output}" "\nbest weights, of step [0-9]+: ")
sequence_tool(0 train ${tiny} --data table.csv --steps 1000 --learning-rate 0.1 --evaluate-every 2 --patience 2)
expect_match("${output}" "\nno better for 2 evaluations: stopped\nbest weights, of step ")

# What it says of itself.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../../include/minrnn/version.hpp version REGEX VERSION_STRING)
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
sequence_tool(0 --version)
expect_equal("${output}" "sequence_tool ${version}\n")
foreach(command "" train predict evaluate)
  sequence_tool(0 ${command} --help)
  expect_match("${output}" "Examples?:\n  .*sequence_tool ")
endforeach()
