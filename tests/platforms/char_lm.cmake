# char_lm on Windows: cmake -DCHAR_LM=<program> -P tests/platforms/char_lm.cmake. Names of files with blanks and with
# letters of several alphabets, files that are replaced, Ctrl-C, standard input, and such letters in the text.
include(${CMAKE_CURRENT_LIST_DIR}/../char_lm/support.cmake)
set(folder "${folder}/ein Ordner ä 文")
set(sums "Zahlen ü.txt")
set(model "Modell ö 中.safetensors")
set(log "Verlauf ß.csv")
file(MAKE_DIRECTORY ${folder})
write_sums(${sums} 2000)
file(READ ${folder}/${sums} text)
string(REPLACE "=" "ä" text "${text}")
file(WRITE ${folder}/${sums} "${text}")

# Windows ends lines in its own way.
function(expect_line text line)
  string(REPLACE "\r\n" "\n" text "${text}")
  expect_match("\n${text}" "\n${line}\n")
endfunction()
function(expect_files)
  file(GLOB files RELATIVE ${folder} ${folder}/*)
  list(SORT files)
  set(wanted ${ARGN})
  list(SORT wanted)
  expect_equal("${files}" "${wanted}")
endfunction()

# What it writes is there under these names, and nothing else.
set(options ${tiny} --data ${sums} --steps 60 --evaluate-every 20 --log ${log} --checkpoint ${model})
char_lm(0 train ${options})
expect_line("${output}" "step 60  train .*  best")
expect_equal("${error}" "")
set(written ${sums} ${model} ${log} "Modell ö 中.resume.safetensors")
expect_files(${written})
read_losses(losses ${log} 3)

# A file that is there is replaced where that is wanted, and only there.
file(SHA256 ${folder}/${model} before)
char_lm(2 train ${options} --seed 2)
expect_line("${error}" "char_lm: Modell .*: is there already: --resume goes on from it, --overwrite starts anew")
file(SHA256 ${folder}/${model} after)
expect_equal(${after} ${before})
char_lm(0 train ${options} --seed 2 --overwrite)
file(SHA256 ${folder}/${model} after)
expect_different(${after} ${before})
expect_files(${written})

# What it writes begins with the prompt, bytes as they are.
set(sample sample --checkpoint ${model} --length 50 --temperature 0)
char_lm(0 ${sample} --prompt "7 + 8 ä")
set(text "${output}")
expect_match("${text}" "^7 \\+ 8 ä")
file(WRITE ${folder}/prompt.txt "7 + 8 ä")
execute_process(COMMAND ${CHAR_LM} ${sample} --prompt-file - WORKING_DIRECTORY ${folder}
                INPUT_FILE ${folder}/prompt.txt OUTPUT_VARIABLE output ERROR_QUIET)
expect_equal("${output}" "${text}")

# eval gives the same of a file and of standard input, whose ends of lines stay as they are.
char_lm(0 eval --checkpoint ${model} --data ${sums})
set(text "${output}")
expect_line("${text}" "loss [0-9.]+ nats/char [0-9.]+ bits/byte")
execute_process(COMMAND ${CHAR_LM} eval --checkpoint ${model} --data - WORKING_DIRECTORY ${folder}
                INPUT_FILE ${folder}/${sums} OUTPUT_VARIABLE output ERROR_QUIET)
expect_equal("${output}" "${text}")
char_lm(2 eval --checkpoint "nicht da é.safetensors" --data ${sums})
expect_line("${error}" "char_lm: nicht da .*")

# Ctrl-C ends a training, which then goes on as if that had never happened.
set(options ${tiny} --data ${sums} --steps 1000000 --evaluate-every 10 --save-every 7)
train_and_kill(INT 130 5 some.csv --checkpoint some.safetensors)
expect_line("${output}" "interrupted at step [0-9]+, saved: go on with --resume")
train_and_kill(INT 130 5 some.csv --checkpoint some.safetensors --resume)
expect_line("${output}" "resumed at step [1-9][0-9]*")
train_and_kill(INT 130 10 whole.csv)
read_losses(some some.csv 9)
read_losses(whole whole.csv 9)
expect_equal("${some}" "${whole}")
