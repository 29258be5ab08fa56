# A training that is killed and resumed is the one that was never interrupted, bit for bit.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
write_sums(sums.txt 2000)
# So many steps that no run ends by itself. Dropout, as its masks must go on too. Saves fall between evaluations.
set(options ${tiny} --data sums.txt --mixer minlstm --dropout 0.1 --steps 1000000 --evaluate-every 10 --save-every 7)

# Trains until the log has got so many more rows, ends it by a signal, and wants this exit status.
function(train_and_kill signal wanted more log)
  execute_process(
    COMMAND sh -c [[
      log=$1 more=$2 signal=$3; shift 3
      rows() { if [ -f "$log" ]; then wc -l < "$log"; else echo 1; fi; }
      enough=$(($(rows) + more))
      "$@" & pid=$!
      polls=0
      while [ "$(rows)" -lt "$enough" ] && [ $polls -lt 1000 ]; do sleep 0.1; polls=$((polls + 1)); done
      kill -$signal $pid
      wait $pid
    ]] sh ${log} ${more} ${signal} ${CHAR_LM} train ${options} --log ${log} ${ARGN}
    WORKING_DIRECTORY ${folder} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
  check_status(${wanted} ${status} ${options} --log ${log} ${ARGN})
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(count_rows variable log)
  file(STRINGS ${folder}/${log} rows)
  list(LENGTH rows count)
  math(EXPR count "${count} - 1")
  set(${variable} ${count} PARENT_SCOPE)
endfunction()

set(checkpoint --checkpoint some.safetensors)
train_and_kill(KILL 137 10 some.csv ${checkpoint})
char_lm(0 eval ${checkpoint} --data sums.txt)  # what is under the name is whole

function(resume_and_kill signal wanted)
  train_and_kill(${signal} ${wanted} 10 some.csv ${checkpoint} --resume)
  expect_match("${output}" "resumed at step [1-9]")
  if(wanted EQUAL 130)
    expect_match("${output}" "interrupted at step [0-9]+, saved: go on with --resume\n$")
  endif()
  char_lm(0 eval ${checkpoint} --data sums.txt)
endfunction()
resume_and_kill(KILL 137)
resume_and_kill(INT 130)
file(APPEND ${folder}/some.csv "99999999,1.5,1.5,1.5,1\n")  # a row beyond what was saved is not to stay
resume_and_kill(TERM 130)
file(APPEND ${folder}/some.csv "9")  # nor half a row, of a training that was killed while it wrote
resume_and_kill(INT 130)

count_rows(count some.csv)
train_and_kill(KILL 137 ${count} whole.csv)
read_losses(some some.csv ${count})
read_losses(whole whole.csv ${count})
expect_equal("${some}" "${whole}")

# --steps is the total: a training that has ended goes on where it gets more of them.
set(short train ${tiny} --data sums.txt --evaluate-every 10 --checkpoint short.safetensors --log short.csv)
char_lm(0 ${short} --steps 20)
char_lm(0 ${short} --steps 20 --resume)
expect_match("${output}" "resumed at step 20\nbest weights, of step ")
char_lm(0 ${short} --steps 40 --resume)
count_rows(count short.csv)
read_losses(losses short.csv ${count})
steps_of(steps "${losses}")
expect_equal("${steps}" "10;20;30;40")
