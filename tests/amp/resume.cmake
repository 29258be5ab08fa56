# A training that is killed and resumed is the one that was never interrupted, bit for bit.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
amp(0 circuit --seconds 4 --output-dry dry.wav --output-wet wet.wav)
# So many steps that no run ends by itself. The saves fall into the middle of an epoch, of which there are some.
set(options ${tiny} --input dry.wav --output wet.wav --steps 1000000 --evaluate-every 50)

train_and_kill(KILL 137 10 some.csv --checkpoint some.safetensors)
amp(0 bench --model some.safetensors --seconds 0.01)  # what is under the name is whole
resume_and_kill(KILL 137)
resume_and_kill(INT 130)
resume_and_kill(TERM 130)
expect_as_if_never_killed()

expect_more_steps(${tiny} --input dry.wav --output wet.wav)
expect_end_without_reader()
amp(0 bench --model read.safetensors --seconds 0.01)
