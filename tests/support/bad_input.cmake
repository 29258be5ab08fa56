# What the tests of bad input share: one clear line on standard error, exit status 2, nothing written or overwritten.
# A test includes it after its support.cmake, and calls list_files(before) once all files are there.

# The line must match the regex, and everything be as it was.
function(refuse regex)
  run_tool(2 ${ARGN})
  expect_match("${error}" "^${tool}: [^\n]+\n$")
  expect_match("${error}" "${regex}")
  list_files(after)
  expect_equal("${after}" "${before}")
endfunction()

# Trainings with these options: a good one, and some of whose two files one is missing or both are cut off.
function(write_trainings)
  run_tool(0 train ${ARGN} --steps 10 --checkpoint good.safetensors --log good.csv)
  foreach(name stateless weightless broken)
    run_tool(0 train ${ARGN} --steps 10 --checkpoint ${name}.safetensors)
  endforeach()
  file(REMOVE ${folder}/stateless.resume.safetensors ${folder}/weightless.safetensors)
  foreach(file broken broken.resume)
    run_sh(0 [[head -c 100 $2 > part; mv part $2]] ${file}.safetensors)
  endforeach()
endfunction()

# The good checkpoint with metadata that lie: what begins with `from` begins with `to` instead. sed leaves the length as
# it is, and so must they.
function(write_lie name key from to)
  run_sh(0 [[LC_ALL=C sed "s/\"$2\":\"$3/\"$2\":\"$4/" good.safetensors > $5]] ${key} ${from} ${to} ${name}.safetensors)
  file(SHA256 ${folder}/good.safetensors hash)
  file(SHA256 ${folder}/${name}.safetensors hash_changed)
  expect_different(${hash_changed} ${hash})
endfunction()

# The good checkpoint with a last number, of one of the scales, that is none.
function(write_nan)
  run_sh(0 [[size=$(wc -c < good.safetensors); head -c $((size - 2)) good.safetensors > nan.safetensors
             printf '\370\177' >> nan.safetensors]])
endfunction()
