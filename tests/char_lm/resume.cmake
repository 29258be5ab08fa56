# A training that is killed and resumed is the one that was never interrupted, bit for bit.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
write_sums(sums.txt 2000)
# So many steps that no run ends by itself. Dropout, as its masks must go on too. Saves fall between evaluations.
set(options ${tiny} --data sums.txt --mixer minlstm --dropout 0.1 --steps 1000000 --evaluate-every 10 --save-every 7)

function(expect_whole)  # what is under the name
  char_lm(0 eval --checkpoint some.safetensors --data sums.txt)
endfunction()
train_and_kill(KILL 137 10 some.csv --checkpoint some.safetensors)
expect_whole()
resume_and_kill(KILL 137)
expect_whole()
resume_and_kill(INT 130)
expect_whole()
file(APPEND ${folder}/some.csv "99999999,1.5,1.5,1.5,1\n")  # a row beyond what was saved is not to stay
resume_and_kill(TERM 130)
expect_whole()
resume_and_kill(HUP 130)
expect_whole()
file(APPEND ${folder}/some.csv "9")  # nor half a row, of a training that was killed while it wrote
resume_and_kill(INT 130)
expect_whole()

expect_as_if_never_killed()

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

# What a background job ignores stays ignored: the training goes on to its end.
run_sh(0 [[
  trap "" INT HUP
  "$@" & pid=$!
  polls=0
  while [ ! -f ignoring.csv ] && [ $polls -lt 1000 ]; do sleep 0.1; polls=$((polls + 1)); done
  kill -INT $pid; kill -HUP $pid
  wait $pid]]
       train ${tiny} --data sums.txt --minutes 0.05 --log ignoring.csv --checkpoint ignoring.safetensors)
expect_match("${output}" "over the whole validation part\n$")

# A signal ends the validation at the end, too; everything is saved then.
file(READ ${folder}/sums.txt text)
string(REPEAT "${text}" 1000 text)
file(WRITE ${folder}/large.txt "${text}")
run_sh(130 [[
  $defaults "$@" > large.out & pid=$!
  polls=0
  while ! grep -q "^step 1 " large.out && [ $polls -lt 1000 ]; do sleep 0.1; polls=$((polls + 1)); done
  sleep 0.5
  kill -TERM $pid
  wait $pid]]
       train --layers 3 --dim 128 --batch 1 --context 8 --data large.txt --steps 1 --checkpoint large.safetensors)
file(READ ${folder}/large.out output)
expect_match("${output}" "\nbest weights, of step 1: .* over the first [0-9.e-]+ % of the validation part\n$")

expect_end_without_reader()
char_lm(0 eval --checkpoint read.safetensors --data sums.txt)
