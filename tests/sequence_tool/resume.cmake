# A training that is killed and resumed is the one that was never interrupted, bit for bit.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
sequence_tool(0 generate --sequences 200 --output table.csv)
# So many steps that no run ends by itself. Dropout, as its masks must go on too; the validations fall into the middle
# of an epoch, and the saves between them.
set(options ${tiny} --data table.csv --dropout 0.1 --batch 16 --steps 1000000 --evaluate-every 10 --save-every 7)

train_and_kill(KILL 137 10 some.csv --checkpoint some.safetensors)
sequence_tool(0 evaluate --checkpoint some.safetensors --data table.csv)  # what is under the name is whole
resume_and_kill(KILL 137)
resume_and_kill(INT 130)
resume_and_kill(TERM 130)
expect_as_if_never_killed()

expect_more_steps(${tiny} --data table.csv)

# A training that had no patience left ends at once where it is resumed.
set(patient train ${tiny} --data table.csv --learning-rate 0.1 --evaluate-every 2 --steps 1000 --patience 2)
sequence_tool(0 ${patient} --checkpoint patient.safetensors)
string(REGEX MATCH "\nno better.*" end "${output}")
sequence_tool(0 ${patient} --checkpoint patient.safetensors --resume)
expect_match("${output}" "\nresumed at step [0-9]+${end}$")

expect_end_without_reader()
sequence_tool(0 evaluate --checkpoint read.safetensors --data table.csv)
