# What the three commands do: train, its log and checkpoint, sample, eval.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
write_sums(sums.txt 4000)

# Training learns, and logs it.
char_lm(0 train ${tiny} --data sums.txt --steps 300 --evaluate-every 50 --checkpoint sums.safetensors --log sums.csv)
expect_match("${output}" "step 300  train [0-9.]+  validation [0-9.]+  [0-9]+ characters/s  left 0:00:00")
expect_equal("${error}" "")
read_losses(losses sums.csv 6)
steps_of(steps "${losses}")
expect_equal("${steps}" "50;100;150;200;250;300")
list(GET losses 0 first)
list(GET losses -1 last)
string(REGEX REPLACE ".*,(.*)" "\\1" first_loss "${first}")
string(REGEX REPLACE ".*,(.*)" "\\1" last_loss "${last}")
if(NOT last_loss LESS 1.8 OR NOT last_loss LESS first_loss)  # ln 14, the number of characters, is 2.6
  message(FATAL_ERROR "wanted a validation loss that falls below 1.8, given ${first_loss}, then ${last_loss}")
endif()

# The same again, on one thread: the same weights, bit for bit.
char_lm(0 train ${tiny} --data sums.txt --steps 300 --evaluate-every 50 --checkpoint again.safetensors --threads 1)
expect_same(again.safetensors sums.safetensors)

# eval over the last tenth gives what train said at its end of the best weights.
set(line_regex "([0-9.]+) nats/char ([0-9.]+) bits/byte")
char_lm(0 train ${tiny} --data sums.txt --steps 60 --overwrite --checkpoint again.safetensors)
expect_match("${output}" "\nbest weights, of step 60: ${line_regex} over the whole validation part\n$")
string(REGEX MATCH "${line_regex}" said "${output}")
to_millionths(said_nats ${CMAKE_MATCH_1})
file(READ ${folder}/sums.txt text)
string(LENGTH "${text}" length)
math(EXPR training_length "${length} * 9 / 10")
string(SUBSTRING "${text}" ${training_length} -1 last_tenth)
file(WRITE ${folder}/last_tenth.txt "${last_tenth}")
char_lm(0 eval --checkpoint again.safetensors --data last_tenth.txt)
expect_match("${output}" "\nloss ${line_regex}\n$")
string(REGEX MATCH "${line_regex}" line "${output}")
to_millionths(nats ${CMAKE_MATCH_1})
to_millionths(bits ${CMAKE_MATCH_2})
expect_near(${nats} ${said_nats} 51)  # train says four digits
math(EXPR nats_of_bits "${bits} * 693147 / 1000000")
expect_near(${nats} ${nats_of_bits} 3)  # six digits, and ln 2 has as many here

# eval and sample with the weights in fewer bits: a model whose loss is almost the same.
foreach(format bf16 int8)
  char_lm(0 eval --checkpoint again.safetensors --data last_tenth.txt --weights ${format})
  string(REGEX MATCH "${line_regex}" line "${output}")
  to_millionths(narrow_nats ${CMAKE_MATCH_1})
  expect_near(${narrow_nats} ${nats} 20000)
  expect_different(${narrow_nats} ${nats})
  char_lm(0 sample --checkpoint sums.safetensors --prompt "7 + 8 =" --length 50 --weights ${format})
  expect_match("${output}" "^7 \\+ 8 =")
endforeach()

# sample: the prompt, so many characters, and the same for the same seed.
char_lm(0 sample --checkpoint sums.safetensors --prompt "7 + 8 =" --length 50 --seed 3)
set(third "${output}")
expect_match("${third}" "^7 \\+ 8 =")
string(LENGTH "${third}" length)
expect_equal(${length} 58)  # 7, 50, and the end of the line
char_lm(0 sample --checkpoint sums.safetensors --prompt "7 + 8 =" --length 50 --seed 3)
expect_equal("${output}" "${third}")
char_lm(0 sample --checkpoint sums.safetensors --prompt "7 + 8 =" --length 50 --seed 4)
expect_different("${output}" "${third}")
char_lm(0 sample --checkpoint sums.safetensors --length 200 --temperature 0 --seed 1)
set(greedy "${output}")
expect_match("${greedy}" "^[0-9]+ \\+ [0-9]+ = ")
char_lm(0 sample --checkpoint sums.safetensors --length 200 --temperature 5 --top-k 1 --seed 2)
expect_equal("${output}" "${greedy}")

expect_match("${error}" "^200 characters in [0-9.]+ s: [0-9]+ characters/s\n$")
char_lm(0 sample --checkpoint sums.safetensors --length 200 --temperature 5 --top-p 1e-9 --seed 2)
expect_equal("${output}" "${greedy}")
char_lm(0 sample --checkpoint sums.safetensors --prompt "7 + 8 =" --length 50 --seed 3 --top-p 1)
expect_equal("${output}" "${third}")

# A prompt from a file or from standard input is the prompt; each of several samples begins with it.
file(WRITE ${folder}/prompt.txt "7 + 8 =")
char_lm(0 sample --checkpoint sums.safetensors --prompt-file prompt.txt --length 50 --seed 3)
expect_equal("${output}" "${third}")
execute_process(COMMAND ${CHAR_LM} sample --checkpoint sums.safetensors --prompt-file - --length 50 --seed 3
                WORKING_DIRECTORY ${folder} INPUT_FILE ${folder}/prompt.txt OUTPUT_VARIABLE output ERROR_QUIET)
expect_equal("${output}" "${third}")
char_lm(0 sample --checkpoint sums.safetensors --prompt "7 + 8 =" --length 50 --seed 3 --samples 3)
string(FIND "${output}" "${third}" begin)
expect_equal(${begin} 0)
string(REGEX MATCHALL "(^|-\n)7 \\+ 8 =" begins "${output}")
list(LENGTH begins count)
expect_equal(${count} 3)
# Of any length, in pieces.
char_lm(0 sample --checkpoint sums.safetensors --prompt-file sums.txt --length 5)
file(READ ${folder}/sums.txt text)
string(FIND "${output}" "${text}" begin)
expect_equal(${begin} 0)

# What it says of itself.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../../include/minrnn/version.hpp version REGEX VERSION_STRING)
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
char_lm(0 --version)
expect_equal("${output}" "char_lm ${version}\n")
foreach(command "" train sample)
  char_lm(0 ${command} --help)
  expect_match("${output}" "Examples?:\n  .*char_lm ")
endforeach()
char_lm(0 --help)
expect_match("${output}" "A character is a byte")

# Every mixer trains, and its checkpoint says which it is.
foreach(mixer minlstm highway-mingru gru lstm mamba transformer)
  char_lm(0 train ${tiny} --mixer ${mixer} --data sums.txt --steps 20 --checkpoint ${mixer}.safetensors)
  expect_match("${output}" "^${mixer}, 1 blocks of 16 features")
  char_lm(0 eval --checkpoint ${mixer}.safetensors --data last_tenth.txt)
  char_lm(0 sample --checkpoint ${mixer}.safetensors --length 10)
  set(ten "${output}")
  char_lm(0 sample --checkpoint ${mixer}.safetensors --length 100)
  string(REGEX REPLACE "\n$" "" ten "${ten}")
  string(FIND "${output}" "${ten}" begin)
  expect_equal(${begin} 0)
endforeach()

# Without --data it has something to train on; without --checkpoint it writes nothing.
file(GLOB before ${folder}/*)
char_lm(0 train ${tiny} --steps 5)
expect_match("${output}" "step 5 .*\nlast weights, of step 5: ")
expect_match("${error}" "^char_lm: warning: without --checkpoint the weights are lost at the end\n$")
file(GLOB after ${folder}/*)
expect_equal("${after}" "${before}")

# Between evaluations it says every ten seconds how far it is.
char_lm(0 train ${tiny} --data sums.txt --minutes 0.25 --evaluate-every 1000000 --checkpoint long.safetensors)
expect_match("${output}" "\nstep [0-9]+  train [0-9.]+  [0-9]+ characters/s  left 0:00:0[0-9]\n")

# The validation at the end takes no longer than --minutes allows.
file(READ ${folder}/sums.txt text)
string(REPEAT "${text}" 400 text)
file(WRITE ${folder}/large.txt "${text}")
char_lm(0 train --layers 3 --dim 128 --batch 1 --context 8 --data large.txt --minutes 0.02 --evaluate-every 1000000
        --checkpoint large.safetensors)
expect_match("${output}" "over the first [0-9.e-]+ % of the validation part\n$")

# --minutes ends by the clock, after at least that time.
char_lm(0 train ${tiny} --data sums.txt --minutes 0.02 --evaluate-every 1000000 --log minutes.csv)
read_losses(losses minutes.csv 1)
file(STRINGS ${folder}/minutes.csv rows)
list(GET rows -1 row)
string(REGEX REPLACE "^[^,]*,[^,]*,[^,]*,([^,]*),.*" "\\1" seconds "${row}")
if(seconds LESS 1.2)
  message(FATAL_ERROR "wanted 1.2 seconds at least, given ${seconds}")
endif()
