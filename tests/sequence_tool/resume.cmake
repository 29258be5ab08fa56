# A training that is killed and resumed is the one that was never interrupted, bit for bit.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
sequence_tool(0 generate --sequences 200 --output table.csv)
# So many steps that no run ends by itself. Dropout, as its masks must go on too; the validations fall into the middle
# of an epoch, and the saves between them.
set(options ${tiny} --data table.csv --dropout 0.1 --batch 16 --steps 1000000 --evaluate-every 10 --save-every 7)

function(train_and_kill signal wanted more log)
  kill_training(${signal} ${wanted} ${more} ${log} train ${options} --log ${log} ${ARGN})
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(checkpoint --checkpoint some.safetensors)
train_and_kill(KILL 137 10 some.csv ${checkpoint})
sequence_tool(0 evaluate ${checkpoint} --data table.csv)  # what is under the name is whole
foreach(signal KILL INT TERM)
  set(wanted 130)
  if(signal STREQUAL KILL)
    set(wanted 137)
  endif()
  train_and_kill(${signal} ${wanted} 10 some.csv ${checkpoint} --resume)
  expect_match("${output}" "resumed at step [1-9]")
  if(wanted EQUAL 130)
    expect_match("${output}" "interrupted at step [0-9]+, saved: go on with --resume\n$")
  endif()
endforeach()
count_rows(count some.csv)
train_and_kill(KILL 137 ${count} whole.csv)
read_losses(some some.csv ${count})
read_losses(whole whole.csv ${count})
expect_equal("${some}" "${whole}")

# --steps is the total: a training that has ended goes on where it gets more of them. One that had no patience left ends
# at once.
set(short train ${tiny} --data table.csv --evaluate-every 10 --checkpoint short.safetensors --log short.csv)
sequence_tool(0 ${short} --steps 20)
sequence_tool(0 ${short} --steps 40 --resume)
expect_match("${output}" "resumed at step 20\n")
read_losses(losses short.csv 4)
steps_of(steps "${losses}")
expect_equal("${steps}" "10;20;30;40")
set(patient train ${tiny} --data table.csv --learning-rate 0.1 --evaluate-every 2 --steps 1000 --patience 2)
sequence_tool(0 ${patient} --checkpoint patient.safetensors)
string(REGEX MATCH "\nno better.*" end "${output}")
sequence_tool(0 ${patient} --checkpoint patient.safetensors --resume)
expect_match("${output}" "\nresumed at step [0-9]+${end}$")

# A training whose reader has gone saves and ends.
run_sh(0 [[{ "$@"; echo $? > status; } | head -n 3 > /dev/null]] train ${options} --checkpoint read.safetensors)
file(READ ${folder}/status status)
expect_equal("${status}" "1\n")
expect_match("${error}" "^sequence_tool: standard output: cannot be written: Broken pipe\n$")
sequence_tool(0 evaluate --checkpoint read.safetensors --data table.csv)
