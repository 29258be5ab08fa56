# Bad input: one clear line on standard error, exit status 2, nothing written or overwritten.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../support/bad_input.cmake)
write_sums(sums.txt 400)
write_sums(other.txt 401)
file(WRITE ${folder}/empty.txt "")
file(WRITE ${folder}/short.txt "1 + 2 = 3\n")
file(WRITE ${folder}/unseen.txt "1 + 2 = x\n")
file(MAKE_DIRECTORY ${folder}/folder)
write_trainings(${tiny} --data sums.txt)
file(COPY_FILE ${folder}/sums.txt ${folder}/sums.safetensors)

file(COPY_FILE ${folder}/sums.txt ${folder}/text.resume.safetensors)
file(COPY_FILE ${folder}/sums.txt ${folder}/text.safetensors.0.minrnn.tmp)
file(CREATE_LINK sums.txt ${folder}/linked.txt SYMBOLIC)
file(CREATE_LINK ${folder}/sums.txt ${folder}/hard.txt)
file(CREATE_LINK . ${folder}/in SYMBOLIC)
file(CREATE_LINK nothing_yet.safetensors ${folder}/dangling.safetensors SYMBOLIC)
file(CREATE_LINK /dev/null ${folder}/null.csv SYMBOLIC)

# A file of safetensors with this header and so many zeros for data.
function(write_safetensors file header size)
  file(WRITE ${folder}/header "${header}")
  run_sh(0 [[
    n=$(wc -c < header)
    {
      printf "\\$(printf %03o $((n % 256)))\\$(printf %03o $((n / 256)))\\0\\0\\0\\0\\0\\0"
      cat header
      head -c $3 /dev/zero
    } > $2]]
         ${file} ${size})
  file(REMOVE ${folder}/header)
endfunction()
# One that says of itself that it is a model of these sizes, but has 2.4 MB.
function(write_model file mixer layers dim expansion vocabulary name)
  string(CONCAT header
    [[{"__metadata__":{"program":"char_lm","mixer":"]] ${mixer} [[","layers":"]] ${layers} [[","dim":"]] ${dim}
    [[","expansion":"]] ${expansion} [[","dropout":"0","heads":"1","window":"65536","vocabulary":"]] ${vocabulary}
    [["},"]] ${name} [[":{"dtype":"F32","shape":[600000],"data_offsets":[0,2400000]}}]])
  write_safetensors(${file} "${header}" 2400000)
endfunction()
write_model(layers.safetensors mingru 600000 1 1 0a61 blocks/0/w)
write_model(expansion.safetensors gru 1 1 600000 0a61 blocks/0/w)
write_model(dim.safetensors mingru 1 1000 1 0a61 blocks/0/w)
write_model(twice.safetensors mingru 1 700 1 0a0a blocks/0/w)
string(REPEAT 0a61 10000 long)
write_model(long.safetensors mingru 1 20 1 ${long} blocks/0/w)
write_model(control.safetensors "\\u001b[2Jmingru\\n" 1 1 1 0a61 blocks/0/w)
string(REPEAT x 20000 long)
write_model(huge.safetensors ${long} 1 1 1 0a61 blocks/0/w)

# The first weight becomes a NaN.
foreach(name nan nan.resume)
  string(REPLACE nan good from ${name})
  run_sh(0 [[
    cp $2 $3
    begin=$(($(od -An -tu8 -N8 $3) + 8))
    printf '\0\0\300\177' | dd of=$3 bs=1 seek=$begin conv=notrunc 2> /dev/null]]
         ${from}.safetensors ${name}.safetensors)
endforeach()
file(COPY_FILE ${folder}/nan.safetensors ${folder}/best.safetensors)
file(COPY_FILE ${folder}/good.resume.safetensors ${folder}/best.resume.safetensors)
list_files(before)

# The command line.
refuse("wanted a command: train, sample or eval")
refuse("--colour: not known to train" train --colour red)
refuse("extra: not known to train" train extra)
refuse("--chekpoint: not known to train; did you mean --checkpoint\\?" train --chekpoint a.safetensors)
refuse("--learning_rate=1: not known to train; did you mean --learning-rate\\?" train --learning_rate=1)
refuse("--tempratur: not known to sample; did you mean --temperature\\?" sample --tempratur 1)
refuse("trian: not known; did you mean train\\?" trian)
foreach(option layers dim expansion batch context steps save-every evaluate-every threads)
  foreach(value 0 -3 2.5 many 99999999999999999999 18446744073709551617 0x10 1e3 "1 ")
    refuse("--${option}: wanted a whole number from 1 to [0-9]+, given ${value}" train --${option} ${value})
  endforeach()
endforeach()
foreach(option minutes learning-rate clip)
  foreach(value 0 -1 nan inf fast)
    refuse("--${option}: wanted a positive number, given ${value}" train --${option} ${value})
  endforeach()
endforeach()
refuse("--dropout: wanted a number from 0 to 0.99, given 1" train --dropout 1)
refuse("--weight-decay: wanted .*, given -1" train --weight-decay -1)
foreach(value -1 18446744073709551616 36893488147419103233 1.0 0x1)  # from 2^64 on all would be one
  refuse("--seed: wanted a whole number from 0 to 18446744073709551615, given ${value}" train --seed ${value})
  refuse("--seed: wanted a whole number from 0 to 18446744073709551615, given ${value}"
         sample --checkpoint good.safetensors --seed ${value})
endforeach()
# An empty value is one, and no file has an empty name.
foreach(option data checkpoint log)
  refuse("--${option}: wanted the name of a file, given nothing" train ${tiny} --${option}= --overwrite)
  run_sh(2 "exec \"$@\" --${option} ''" train ${tiny})
  expect_match("${error}" "--${option}: wanted the name of a file, given nothing")
endforeach()
refuse("--steps: wanted .*, given nothing" train --steps= --overwrite)
refuse("--checkpoint: wanted the name of a file, given nothing" sample --checkpoint= --length 1)
refuse("--prompt-file: wanted the name of a file, given nothing" sample --checkpoint good.safetensors --prompt-file=)
string(CONCAT mixers "mingru,minlstm,signed-mingru,signed-minlstm,diagonal-gru,diagonal-lstm,highway-mingru,rg-lru,gru,"
              "lstm,mamba,transformer")
refuse("--mixer: rwkv not in {${mixers}}" train --mixer rwkv)
refuse("that memory can hold, given 1099511627776 and 1048576" train --data sums.txt --context 32 --dim 1048576
       --expansion 1048576)

# Data.
refuse("absent.txt: cannot be opened: No such file" train ${tiny} --data absent.txt)
refuse("folder: is a directory" train ${tiny} --data folder)
refuse("empty.txt: is empty" train ${tiny} --data empty.txt)
refuse("short.txt: is too short: .* has 1 characters, and --context 32 wants at least 34" train ${tiny}
       --data short.txt)
refuse("sums.txt: is too short: .* --context 5000" train --data sums.txt --context 5000)

# Files to write: never over what is there, nor where nothing can be.
set(data ${tiny} --data sums.txt)
refuse("good.safetensors: is there already" train ${data} --checkpoint good.safetensors)
refuse("good.csv: is there already" train ${data} --checkpoint new.safetensors --log good.csv)
refuse("wanted a name that ends in .safetensors, given sums.txt" train ${data} --checkpoint sums.txt --overwrite)
refuse("nowhere/a.safetensors: there is no folder nowhere" train ${data} --checkpoint nowhere/a.safetensors)
refuse("nowhere/a.csv: there is no folder nowhere" train ${data} --checkpoint new.safetensors --log nowhere/a.csv)
refuse("--log: is the file of --data" train ${data} --log ./sums.txt --overwrite)
refuse("--log: is the file of --data" train ${data} --log linked.txt --overwrite)
refuse("--log: is the file of --data" train ${tiny} --data linked.txt --log sums.txt --overwrite)
refuse("--log: is the file of --data" train ${tiny} --data hard.txt --log sums.txt --overwrite)
refuse("--log: is the file of --data" train ${data} --log in/sums.txt --overwrite)
refuse("--checkpoint's training state: is the file of --data"
       train ${tiny} --data text.resume.safetensors --checkpoint text.safetensors --overwrite)
refuse("--data: has the name of a temporary file of --checkpoint: text.safetensors.0.minrnn.tmp"
       train ${tiny} --data text.safetensors.0.minrnn.tmp --checkpoint text.safetensors --overwrite)
refuse("--log: has the name of a temporary file of --checkpoint's training state"
       train ${data} --checkpoint text.safetensors --log text.resume.safetensors.7.minrnn.tmp --overwrite)
refuse("--log: is the file of --checkpoint" train ${data} --checkpoint new.safetensors --log new.safetensors)
refuse("--log: is the file of --checkpoint"
       train ${data} --checkpoint dangling.safetensors --log nothing_yet.safetensors)
run_sh(2 [[exec "$@" > told.txt]] train ${data} --log told.txt --overwrite)
expect_match("${error}" "--log: is the file of standard output")
file(REMOVE ${folder}/told.txt)
foreach(device /dev/null /dev/stdout /dev/fd/1 /proc/self/fd/1 null.csv)
  if(EXISTS /proc/self/fd)
    refuse("${device}: cannot be written: it is below /" train ${data} --log ${device} --overwrite)
  endif()
endforeach()
refuse("folder: cannot be written: there is something that is not a regular file"
       train ${data} --log folder --overwrite)
refuse("--log: is the file of --checkpoint" train ${data} --checkpoint new.safetensors --log new.resume.safetensors)
refuse("--checkpoint: is the file of --data" train ${tiny} --data sums.safetensors --checkpoint sums.safetensors
       --overwrite)
refuse("--resume excludes --overwrite" train ${data} --checkpoint good.safetensors --resume --overwrite)

# A training that cannot be resumed.
set(resume --steps 20 --resume --checkpoint good.safetensors)
refuse("--resume: wanted --checkpoint" train ${data} --resume)
refuse("absent.resume.safetensors: is missing" train ${data} --resume --checkpoint absent.safetensors)
refuse("stateless.resume.safetensors: is missing" train ${data} --resume --checkpoint stateless.safetensors)
refuse("weightless.safetensors: is missing" train ${data} --resume --checkpoint weightless.safetensors)
refuse("broken.resume.safetensors: truncated" train ${data} --resume --checkpoint broken.safetensors)
refuse("nan.resume.safetensors: tensor model/[a-z/]+: value 0 is not a finite number"
       train ${data} --resume --checkpoint nan.safetensors)
refuse("best.safetensors: tensor [a-z/]+: value 0 is not a finite number"
       train ${data} --resume --checkpoint best.safetensors)
refuse("trained on another text than other.txt" train ${tiny} --data other.txt ${resume})
refuse("trained on another text than the built-in text" train ${tiny} ${resume})
refuse("sums.txt: is not a log of char_lm" train ${tiny} --data sums.safetensors ${resume} --log sums.txt)
set(sizes --layers 1 --dim 16 --batch 4 --context)
refuse("--context was 32 there and is 31 now" train ${sizes} 31 --data sums.txt ${resume})
refuse("--dim was 16 there and is 17 now" train --layers 1 --dim 17 --batch 4 --context 32 --data sums.txt ${resume})
refuse("--mixer was mingru there and is gru now" train ${data} ${resume} --mixer gru)
refuse("--expansion was 2 there and is 1 now" train ${data} ${resume} --expansion 1)
refuse("--seed was 1 there and is 2 now" train ${data} ${resume} --seed 2)
refuse("--learning-rate was 0.002 there and is 0.0020000001 now" train ${data} ${resume} --learning-rate 0.0020000001)

# Checkpoints to read.
foreach(command sample "eval;--data;sums.txt")
  refuse("absent.safetensors: cannot be read" ${command} --checkpoint absent.safetensors)
  refuse("broken.safetensors: truncated" ${command} --checkpoint broken.safetensors)
  refuse("sums.txt: header" ${command} --checkpoint sums.txt)
  refuse("nan.safetensors: tensor [a-z/]+: value 0 is not a finite number" ${command} --checkpoint nan.safetensors)
  refuse("its metadata have layers 600000, its tensors 1" ${command} --checkpoint layers.safetensors)
  refuse("it is smaller than the model of its metadata" ${command} --checkpoint expansion.safetensors)
  refuse("it is smaller than the model of its metadata" ${command} --checkpoint dim.safetensors)
  refuse("vocabulary \"0a0a\": wanted different bytes" ${command} --checkpoint twice.safetensors)
  refuse("vocabulary \"0a61.* bytes\\) .*61\": wanted different bytes" ${command} --checkpoint long.safetensors)
  refuse("mixer \"\\\\x1b.2Jmingru\\\\x0a\" is not known" ${command} --checkpoint control.safetensors)
  refuse("mixer \"xxx+... \\(19800 bytes\\) ...x+\" is not known" ${command} --checkpoint huge.safetensors)
  refuse("good.resume.safetensors: is not a checkpoint" ${command} --checkpoint good.resume.safetensors)
endforeach()
refuse("--checkpoint is required" sample)
refuse("--checkpoint is required" eval --data sums.txt)
refuse("--data is required" eval --checkpoint good.safetensors)

# What a model has not seen, and other values that cannot be.
set(sample sample --checkpoint good.safetensors)
refuse("--prompt: character 'x' at position 4 was not seen in training" ${sample} --prompt "1 + x")
refuse("--length: wanted .*, given -1" ${sample} --length -1)
refuse("--temperature: wanted .*, given -1" ${sample} --temperature -1)
refuse("--temperature: wanted .*, given nan" ${sample} --temperature nan)
refuse("--top-k: wanted .*, given 0" ${sample} --top-k 0)
foreach(value 0 -1 1.1 nan)
  refuse("--top-p: wanted a number above 0, up to 1, given ${value}" ${sample} --top-p ${value})
endforeach()
refuse("--samples: wanted .*, given 0" ${sample} --samples 0)
refuse("absent.txt: cannot be opened: No such file" ${sample} --prompt-file absent.txt)
refuse("unseen.txt: character 'x' at position 8 was not seen in training" ${sample} --prompt-file unseen.txt)
refuse("--prompt excludes --prompt-file" ${sample} --prompt-file sums.txt --prompt 1)
set(eval eval --checkpoint good.safetensors --data)
refuse("unseen.txt: character 'x' at position 8 was not seen in training" ${eval} unseen.txt)
refuse("empty.txt: is too short" ${eval} empty.txt)
refuse("absent.txt: cannot be opened: No such file" ${eval} absent.txt)
refuse("folder: is a directory" ${eval} folder)

# What a message quotes is one line, whatever it is, and a short one.
run_sh(2 [[exec "$@" "$(printf '\033[2J\nabsent.txt')"]] train ${tiny} --data)
expect_match("${error}" "^char_lm: ..?x1b.2J..?x0aabsent.txt: cannot be opened: No such file")
run_sh(2 [[exec "$@" "--$(head -c 100000 /dev/zero | tr '\0' x)"]] train)
string(LENGTH "${error}" length)
if(length GREATER 1000)
  message(FATAL_ERROR "wanted a short line, given ${length} characters")
endif()

# Started as one of several by what it knows nothing of, it would train several times over.
run_sh(2 [[SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0 "$@"]] train ${tiny} --data sums.txt)
expect_match("${error}"
             "^char_lm: started as one of 4(, but built without MPI: install | by the mpirun of another MPI )")
run_sh(2 [[SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=3 "$@"]] train ${tiny} --data sums.txt)
expect_equal("${error}" "")
refuse("--shards: wanted a power of two, given 3" train ${tiny} --shards 3)
refuse("--batch: wanted a multiple of the 8 --shards, given 4" train ${tiny} --shards 8)

# A loss that is no number ends the training too, with status 1, and what was good stays.
char_lm(1 train ${data} --steps 50 --learning-rate 1e30 --checkpoint good.safetensors --log new.csv --overwrite)
expect_match("${error}"
             "^char_lm: the loss or a weight is not a finite number at step [0-9]+: try a lower --learning-rate\n$")
char_lm(0 eval --checkpoint good.safetensors --data sums.txt)
