# What char_lm does to files, and with standard streams that are closed or full.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
write_sums(sums.txt 400)
set(train train ${tiny} --data sums.txt --steps 20 --evaluate-every 10)

function(wants_files)
  file(GLOB files RELATIVE ${folder} ${folder}/*)
  list(SORT files)
  list(SORT ARGN)
  expect_equal("${files}" "${ARGN}")
endfunction()

# A checkpoint keeps its permissions, a link stays one, and what killed writers have left goes.
char_lm(0 ${train} --checkpoint a.safetensors)
file(MAKE_DIRECTORY ${folder}/there)
file(CREATE_LINK there/log.csv ${folder}/a.csv SYMBOLIC)
run_sh(0 [[
  chmod 600 a.safetensors a.resume.safetensors
  i=0; while [ $i -le 1001 ]; do echo half > a.resume.safetensors.$i.minrnn.tmp; i=$((i + 1)); done
  echo half > a.safetensors.3.minrnn.tmp
  echo mine > a.safetensors.03.minrnn.tmp]])
char_lm(0 ${train} --checkpoint a.safetensors --log a.csv --overwrite)
run_sh(0 [[ls -l a.safetensors a.resume.safetensors]])
string(REGEX MATCHALL "-rw-------" modes "${output}")
list(LENGTH modes count)
expect_equal(${count} 2)
read_losses(losses there/log.csv 2)
if(NOT IS_SYMLINK ${folder}/a.csv)
  message(FATAL_ERROR "wanted a.csv to stay a link")
endif()
set(files a.csv a.resume.safetensors a.safetensors a.safetensors.03.minrnn.tmp sums.txt there)
wants_files(${files})

# --overwrite leaves everything as it was until a step has shown that memory suffices.
list_files(before)
run_sh(2 [[ulimit -v 3000000; exec "$@"]] train --data sums.txt --context 128 --batch 8192 --dim 512 --layers 8
       --checkpoint a.safetensors --log a.csv --overwrite --threads 1)
expect_match("${error}" "^char_lm: (not enough memory|.*too short)")
list_files(after)
expect_equal("${after}" "${before}")

# A directory that cannot be flushed, as in network file systems, is no reason to end.
find_program(compiler NAMES cc gcc clang NO_CACHE)
if(CMAKE_HOST_SYSTEM_NAME STREQUAL Linux AND compiler)
  file(WRITE ${folder}/shim.c "
#include <errno.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int descriptor) {
  struct stat status;
  if (fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode)) {
    errno = SHIM_ERROR;
    return -1;
  }
  return (int)syscall(SYS_fsync, descriptor);
}
")
  foreach(reason ENOTSUP EIO EACCES EPERM)
    run_sh(0 [[cd "$(pwd)" && "$2" -shared -fPIC -DSHIM_ERROR=$3 shim.c -o shim.so]] ${compiler} ${reason})
    run_sh(0 [[LD_PRELOAD=./shim.so exec "$@"]] ${train} --checkpoint flush.safetensors --log flush.csv --overwrite)
    read_losses(losses flush.csv 2)
  endforeach()
  char_lm(0 eval --checkpoint flush.safetensors --data sums.txt)
endif()

# Standard output closed or full: an error, and the progress text is in no other file.
set(log_line "step,train_loss,validation_loss,seconds,characters_per_second")
foreach(command "${train};--checkpoint;closed.safetensors;--log;closed.csv"
                "eval;--checkpoint;a.safetensors;--data;sums.txt"
                "sample;--checkpoint;a.safetensors" "--help" "--version" "train;--help")
  run_sh(1 [[exec "$@" >&-]] ${command})
  expect_match("${error}" "^char_lm: standard output: cannot be written: [^\n]+\n$")
  if(EXISTS /dev/full)
    run_sh(1 [[exec "$@" > /dev/full]] ${command})
    expect_match("${error}" "^char_lm: standard output: cannot be written: [^\n]+\n$")
  endif()
endforeach()
foreach(file closed.safetensors closed.resume.safetensors closed.csv)
  if(EXISTS ${folder}/${file})
    message(FATAL_ERROR "${file} is there, though nothing could be said of it")
  endif()
endforeach()
# Without standard input and standard error it works, and neither is another file.
run_sh(0 [[exec "$@" <&- 2>&-]] ${train} --checkpoint quiet.safetensors --log quiet.csv)
read_losses(losses quiet.csv 2)
run_sh(0 [[exec "$@" <&- 2>&-]] sample --checkpoint quiet.safetensors --length 10)
run_sh(2 [[exec "$@" <&-]] sample --checkpoint quiet.safetensors --prompt-file -)
expect_match("${error}" "^char_lm: standard input: cannot be read: ")

# Through the loader.
file(GLOB loaders /lib64/ld-linux-*.so.* /lib/ld-linux-*.so.*)
if(loaders)
  list(GET loaders 0 loader)
  run_sh(0 [[loader=$2; program=$1; shift 2; exec "$loader" "$program" "$@"]]
         ${loader} ${train} --checkpoint loaded.safetensors)
  expect_match("${output}" "\nbest weights, of step ")
endif()

# On a terminal the line of progress is rewritten.
find_program(script NAMES script NO_CACHE)
if(script AND CMAKE_HOST_SYSTEM_NAME STREQUAL Linux)
  list(JOIN tiny " " options)
  string(APPEND options " --data sums.txt --minutes 0.05 --evaluate-every 1000000 --checkpoint s.safetensors")
  run_sh(0 [[exec "$2" -qec "$3" /dev/null]] ${script} "'${CHAR_LM}' train ${options}")
  set(line "\rstep [0-9]+  train [0-9.]+  [0-9]+ characters/s  left 0:00:0[0-9] *")
  expect_match("${output}" "${line}\r +\rstep [0-9]+  train ")
endif()
