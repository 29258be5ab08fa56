# One of four ranks is killed at some moments: all end within ten seconds, and the training goes on from its last
# checkpoint, on fewer ranks in between, as if nothing had happened: cmake -DMOMENTS=20 ... for more of them.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
if(NOT MOMENTS)
  set(MOMENTS 4)
endif()
write_sums(sums.txt 2000)
set(options train --layers 1 --dim 32 --batch 16 --context 32 --data sums.txt --dropout 0.1 --steps 1000000
            --evaluate-every 10 --save-every 7)

# Each rank leaves its number. The script waits until there are so many more rows in the log, and some milliseconds.
file(WRITE ${folder}/rank.sh [[
  rank=${OMPI_COMM_WORLD_RANK:-$PMI_RANK}
  echo $$ > pid.part.$rank && mv pid.part.$rank pid.$rank
  exec "$@"
]])
set(script [[
  mpirun=$2 victim=$3 moment=$4; program=$1; shift 4
  rm -f pid.*
  rows() { if [ -f killed.csv ]; then wc -l < killed.csv; else echo 1; fi; }
  enough=$(($(rows) + 2))
  "$mpirun" -np 4 sh rank.sh "$program" "$@" > killed.out 2>&1 & all=$!
  polls=0
  while [ "$(rows)" -lt $enough ] && [ $polls -lt 500 ] && kill -0 $all; do sleep 0.02; polls=$((polls + 1)); done
  sleep $moment
  cat pid.* > pids
  kill -9 "$(cat pid.$victim)"
  begin=$(date +%s)
  wait $all && exit 1
  for pid in $(cat pids); do
    while kill -0 $pid 2> /dev/null && [ $(($(date +%s) - begin)) -lt 20 ]; do sleep 0.1; done
  done
  [ $(($(date +%s) - begin)) -lt 10 ] || exit 2
  # What the launcher says of the rank that is gone, or of one that MPI has ended because it missed it.
  grep -q "signal [69]\|EXIT CODE: [69]" killed.out || exit 3
]])

set(resume "")
foreach(i RANGE 1 ${MOMENTS})
  string(RANDOM LENGTH 1 ALPHABET 0123 victim)
  string(RANDOM LENGTH 3 ALPHABET 0123456789 moment)
  if(i EQUAL 1)
    set(victim 0)  # the one that writes
  endif()
  run_sh(0 "${script}" ${MPIRUN} ${victim} 0.${moment} ${options} --checkpoint killed.safetensors --log killed.csv
         ${resume})
  set(resume --resume)
  char_lm(0 eval --checkpoint killed.safetensors --data sums.txt)  # what is under the name is whole
endforeach()

# Until a row more than the killed runs have left, by one program.
file(STRINGS ${folder}/killed.csv rows)
list(LENGTH rows count)
math(EXPR count "${count} - 1")
foreach(run killed whole)
  # The learning rate follows the number of steps, so both go on with the large one until they are killed.
  run_sh(0 [[
    log=$2 count=$3; program=$1; shift 3
    "$program" "$@" > /dev/null 2>&1 & one=$!
    polls=0
    while [ ! -f $log ] || [ "$(wc -l < $log)" -le $count ]; do
      sleep 0.02; polls=$((polls + 1)); [ $polls -lt 5000 ] || exit 1; kill -0 $one || exit 2
    done
    kill -9 $one; wait $one; exit 0]]
         ${run}.csv ${count} ${options} --shards 8 --checkpoint ${run}.safetensors --log ${run}.csv ${resume})
  set(resume "")
endforeach()
read_losses(killed killed.csv ${count})
read_losses(whole whole.csv ${count})
expect_equal("${killed}" "${whole}")
