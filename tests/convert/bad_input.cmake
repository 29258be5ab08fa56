# Bad input: one clear line on standard error, exit status 2, nothing written or overwritten.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/../support/bad_input.cmake)
convert(0 amp.json ours.safetensors --format guitar-amp)
run_sh(0 [[head -c 100 ours.safetensors > broken.safetensors
           size=$(wc -c < ours.safetensors); head -c $((size - 2)) ours.safetensors > nan.safetensors
           printf '\300\177' >> nan.safetensors]])
string(REPLACE "lin.weight" "lin.weihgt" amp_dict_misspelt "${amp_dict}")
string(REPLACE "[[13.0]]" "[[13.0,1.0]]" amp_dict_wide "${amp_dict}")
string(REPLACE "GRU" "RNN" amp_head_rnn "${amp_head}")
file(WRITE ${folder}/misspelt.json "${amp_head}${amp_dict_misspelt}}")
file(WRITE ${folder}/wide.json "${amp_head}${amp_dict_wide}}")
file(WRITE ${folder}/rnn.json "${amp_head_rnn}${amp_dict}}")
file(WRITE ${folder}/cut.json "${amp_head}")
file(WRITE ${folder}/dense.json
     [=[{"in_shape":[1],"layers":[{"type":"dense","activation":"","shape":[1],"weights":[[[1.0]],[3.0]]}]}]=])
convert(0 dense.json nothing.safetensors --format rtneural)
run_sh(0 [[sed -i 's/"cells":"Linear"/"sells":"Linear"/' nothing.safetensors]])
file(MAKE_DIRECTORY ${folder}/folder)
file(CREATE_LINK amp.json ${folder}/linked.json SYMBOLIC)
list_files(before)

refuse("wanted FROM and TO, or a command: inspect, check or header")
refuse("wanted FROM and TO" amp.json)
refuse("wanted --format" amp.json new.safetensors)
refuse("--format: onnx not in {torch,min-gru-pytorch,min-rnns," amp.json new.safetensors --format onnx)
refuse("--colour: not known" amp.json new.safetensors --format nam --colour red)
refuse("--format puffer: wanted --inputs, --features and --outputs" amp.json new.safetensors --format puffer)
refuse("--inputs: wanted a whole number from 1 to [0-9]+, given 0" amp.json b --format puffer --inputs 0)
refuse("FILE is required" inspect)

refuse("ours.safetensors: is there already: --overwrite replaces it" amp.json ours.safetensors --format guitar-amp)
refuse("TO: is the file of FROM" amp.json linked.json --format guitar-amp --overwrite)
refuse("TO: is the file of --like" ours.safetensors linked.json --format guitar-amp --like amp.json --overwrite)
refuse("nowhere/a.safetensors: there is no folder nowhere" amp.json nowhere/a.safetensors --format guitar-amp)

set(to new.safetensors --format guitar-amp)
refuse("absent.json: cannot be read" absent.json ${to})
refuse("folder: cannot be read" folder ${to})
refuse("cut.json: not JSON" cut.json ${to})
refuse("rnn.json: unit_type: wanted LSTM or GRU, given RNN" rnn.json ${to})
refuse("misspelt.json: missing: lin.weight; left over: lin.weihgt F32 \\(1, 1\\)" misspelt.json ${to})
refuse("amp.json: architecture: missing" amp.json new.safetensors --format nam)
refuse("amp.json: in_shape: missing" amp.json new.safetensors --format rtneural)
refuse("ours.safetensors: left over: 0/0/bias_hh" ours.safetensors new.safetensors --format torch)
refuse("wanted 19 to 24 floats for these sizes" amp.json b.bin --format puffer --inputs 1 --features 1 --outputs 2)
refuse("amp.json: header: " amp.json new.safetensors --format torch)
# Ours that are not what the other file says.
refuse("broken.safetensors: truncated" broken.safetensors new.json --format guitar-amp --like amp.json)
refuse("tensor 0/w of ours: there is none, for " ours.safetensors new.json --format rtneural --like dense.json)

# Headers, of checkpoints whose cells are said by the metadata or the command line.
refuse("--output is required" header ours.safetensors)
refuse("dense.json: is there already: --overwrite replaces it" header ours.safetensors -o dense.json)
refuse("--output: is the file of MODEL" header ours.safetensors -o ours.safetensors --overwrite)
refuse("nowhere/linear.hpp: there is no folder nowhere" header ours.safetensors -o nowhere/linear.hpp)
set(to -o new.hpp)
refuse("amp.json: header: " header amp.json ${to})
refuse("ours.safetensors: has no tensor under net" header ours.safetensors ${to} --part net)
refuse("ours.safetensors: has Gru\\(1, 1\\) where --cells has other sizes" header ours.safetensors ${to}
       --cells "Gru(2, 1), Linear")
refuse("ours.safetensors: 0/0/w_z of MinGru: missing; there are weight_ih, " header ours.safetensors ${to}
       --cells "MinGru, Linear")
refuse("ours.safetensors: left over: 1: w, b" header ours.safetensors ${to} --cells Gru)
refuse("ours.safetensors: has no more layers for a Linear" header ours.safetensors ${to} --cells "Gru, Linear, Linear")
refuse("ours.safetensors: 0/0/weight_ih of Lstm: wanted a multiple of 4 rows, given 3" header ours.safetensors ${to}
       --cells "Lstm, Linear")
refuse("--cells: there is no cell Mamba: wanted one of MinGru, plain MinGru" header ours.safetensors ${to}
       --cells Mamba)
refuse("--cells: wanted a closing bracket" header ours.safetensors ${to} --cells "(Gru, Linear")
refuse("--cells: wanted a comma at" header ours.safetensors ${to} --cells "Gru) Linear")
refuse("--cells: wanted the features and the taps of Unfold, as Unfold\\(16, 3\\)" header ours.safetensors ${to}
       --cells "Unfold(1), Gru")
refuse("ours.safetensors: has Unfold\\(3, 2\\) where --cells has other sizes" header ours.safetensors ${to}
       --cells "Unfold(3, 2, 1), Gru, Linear")
refuse("--cells: wanted a size at" header ours.safetensors ${to} --cells "Gru(1, 0), Linear")
refuse("--weights: int4 not in {bf16,int8}" header ours.safetensors ${to} --weights int4)
refuse("--namespace: wanted identifiers, :: between them, given a-b" header ours.safetensors ${to} --namespace a-b)
refuse("broken.safetensors: truncated" header broken.safetensors ${to})
refuse("nan.safetensors: tensor 1/b: value 0 is not a finite number" header nan.safetensors ${to})
refuse("nothing.safetensors: its metadata do not say which cells it is for: wanted --cells, .*, for 0: w, b"
       header nothing.safetensors ${to})

foreach(command inspect check)
  refuse("broken.safetensors: truncated" ${command} broken.safetensors)
  refuse("absent.safetensors: cannot be read" ${command} absent.safetensors)
  refuse("amp.json: header: " ${command} amp.json)
endforeach()
refuse("nan.safetensors: tensor 1/b: value 0 is not a finite number" check nan.safetensors)

if(EXISTS /dev/full)
  run_sh(1 [[exec "$@" > /dev/full]] inspect ours.safetensors)
  expect_match("${error}" "^convert: standard output: cannot be written: [^\n]+\n$")
endif()
