# What the commands do: circuit, train, its log and checkpoint, run, bench.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)

# The pair that needs no file, the same for a seed.
amp(0 circuit --seconds 6 --output-dry dry.wav --output-wet wet.wav)
amp(0 circuit --seconds 6 --output-dry again.wav --output-wet again-wet.wav)
expect_same(dry.wav again.wav)
expect_same(wet.wav again-wet.wav)
amp(0 circuit --seconds 6 --seed 2 --output-dry other.wav --output-wet other-wet.wav --format pcm24)
expect_equal("${output}${error}" "")

# A training makes the error less, logs it, and says what it has done.
set(train train --input dry.wav --output wet.wav --size 8 --batch 16 --segment 512 --evaluate-every 100)
amp(0 ${train} --steps 400 --checkpoint first.safetensors --log first.csv --listen first)
expect_match("${output}" "^latency 3[5-7] samples, 0\\.[0-9]+ ms, by the cross-correlation: taken away\n")
expect_match("${output}"
             "\ndry.wav: 4.8 s at 48000 Hz to train on, 16 stretches side by side; 0.6 s to validate, 0.6 s to test\n")
expect_match("${output}" "\ngru, 1 layers of 8 features, [0-9]+ parameters; [0-9]+ threads\n")
expect_match("${output}" "\nstep 400  loss [0-9.]+  validation ESR [0-9.]+  [0-9.]+M samples/s  left 0:00:00")
expect_match("${output}" "\nbest weights, of step [0-9]+: ESR [0-9.]+ \\(-[0-9.]+ dB\\) over 0.6 s held out\n")
expect_match("${output}" "\n[0-9.]+ ns a sample: [0-9.]+ % of a core at 48000 Hz\n")
expect_match("${output}"
             "\nblocks of 64 samples: median [0-9.]+ us, p99.9 [0-9.]+ us, longest [0-9.]+ us; 0 allocations\n")
expect_match("${output}" "\nwrote first.model.wav: the model\n$")
expect_equal("${error}" "")
read_losses(losses first.csv 4)
steps_of(steps "${losses}")
expect_equal("${steps}" "100;200;300;400")
list(GET losses 0 early)
list(GET losses -1 late)
foreach(row early late)
  string(REGEX REPLACE ".*," "" ${row} "${${row}}")
endforeach()
if(NOT late LESS early OR NOT late LESS 0.3)
  message(FATAL_ERROR "wanted an error below that of step 100, ${early}, and 0.3; given ${late}")
endif()

# The same again, on one thread: the same weights, bit for bit.
amp(0 ${train} --steps 400 --checkpoint again.safetensors --threads 1)
expect_same(first.safetensors again.safetensors)

# run gives the same samples for any blocks, and what the training has written of its test stretch has their end.
set(run run --model first.safetensors --input dry.wav)
amp(0 ${run} --output played.wav)
foreach(block 1 17 64 4096 1000000)
  amp(0 ${run} --output played-${block}.wav --block ${block})
  expect_same(played.wav played-${block}.wav)
endforeach()
foreach(format pcm16 pcm24)
  amp(0 ${run} --output ${format}.wav --format ${format})
  amp(0 run --model first.safetensors --input ${format}.wav --output ${format}-played.wav)
endforeach()
amp(0 bench --model first.safetensors --seconds 0.1)
expect_match("${output}" "^gru, 1 layers of 8 features\n[0-9.]+ ns a sample: .*; 0 allocations\n$")

# Recordings of unequal lengths, and of known latency.
amp(0 circuit --seconds 7 --circuit-latency 0 --output-dry long.wav --output-wet long-wet.wav)
amp(0 train --input dry.wav --output long-wet.wav ${tiny} --steps 2 --latency -10)
string(CONCAT wanted "^the output is 48000 samples longer than the input: what has no counterpart is left out\n"
              "latency -10 samples, as given\n")
expect_match("${output}" "${wanted}")
expect_match("${error}" "^amp: warning: without --checkpoint the weights are lost at the end\n$")
amp(0 train --input long.wav --output wet.wav ${tiny} --steps 2)
expect_match("${output}" "^the output is 48000 samples shorter than the input")
amp(0 train --input dry.wav --output other.wav ${tiny} --steps 2)
expect_match("${output}"
             "^latency: none of up to 250 ms stands out of the cross-correlation, taken for 0; --latency sets it\n")

# Every mixer, one layer or two, of any size.
foreach(mixer mingru signed-mingru diagonal-gru gru lstm)
  foreach(layers 1 2)
    amp(0 train --input dry.wav --output wet.wav --size 12 --batch 8 --segment 256 --steps 4 --mixer ${mixer}
        --layers ${layers} --checkpoint ${mixer}${layers}.safetensors)
    amp(0 run --model ${mixer}${layers}.safetensors --input dry.wav --output ${mixer}${layers}.wav --block 17)
  endforeach()
endforeach()

# By the clock.
amp(0 train ${tiny} --seconds 3 --minutes 0.01)
expect_match("${output}" "\nthe circuit: 2.4 s at 48000 Hz to train on")

# What it says of itself.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../../include/minrnn/version.hpp version REGEX VERSION_STRING)
string(REGEX MATCH "[0-9]+\\.[0-9]+\\.[0-9]+" version "${version}")
amp(0 --version)
expect_equal("${output}" "amp ${version}\n")
foreach(command "" train run bench circuit)
  amp(0 ${command} --help)
  expect_match("${output}" "Examples?:\n  .*amp ")
endforeach()

# convert knows by its metadata which cells play a checkpoint.
set(program ${CONVERT})
amp(0 header first.safetensors -o first.hpp)
file(READ ${folder}/first.hpp header)
string(CONCAT wanted "\"\\(Gru\\(1, 8\\), Linear\\(8, 1\\)\\)\";.* kInputScale = [^\n]*, "
              "kOutputScale = .* kSampleRate = 48000;")
expect_match("${header}" "${wanted}")
