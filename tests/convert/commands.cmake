# Files of theirs become ours and go back as they were; what is in them is shown and checked.
include(${CMAKE_CURRENT_LIST_DIR}/support.cmake)

convert(0 amp.json ours.safetensors --format guitar-amp)
expect_equal("${output}" "ours.safetensors: 6 tensors\n")
convert(0 inspect ours.safetensors)
expect_equal("${output}" "name           type  shape         bytes
0/0/weight_ih  F32   3 x 1            12
0/0/weight_hh  F32   3 x 1            12
0/0/bias_ih    F32   3                12
0/0/bias_hh    F32   3                12
1/w            F32   1 x 1             4
1/b            F32   1                 4
metadata cells: Residual (Gru, Linear)
6 tensors, 14 numbers, 56 bytes
")
convert(0 check ours.safetensors)
expect_equal("${output}" "ours.safetensors: 6 tensors, 14 numbers, all of them finite\n")

# And back, byte for byte: numbers are written so that they are read as the same.
convert(0 ours.safetensors back.json --format guitar-amp --like amp.json)
file(READ ${folder}/amp.json there)
file(READ ${folder}/back.json back)
expect_equal("${back}" "${there}")
convert(0 inspect back.json --format guitar-amp)
expect_match("${output}" "rec.weight_ih_l0  F32   3 x 1 ")
convert(0 check back.json --format guitar-amp)

# What is there stays unless it may be replaced.
convert(2 amp.json ours.safetensors --format guitar-amp)
expect_equal("${error}" "convert: ours.safetensors: is there already: --overwrite replaces it\n")
convert(0 amp.json ours.safetensors --format guitar-amp --overwrite)

# As a header for cells, which the metadata name.
convert(0 header ours.safetensors -o amp.hpp)
expect_equal("${output}" "amp.hpp: amp::Weights of 2 layers\n")
file(READ ${folder}/amp.hpp header)
expect_match("${header}"
             "\n//   using Model = minrnn::ResidualCell<minrnn::CellChain<minrnn::GruCell<float, 1, 1>,[^;]+>>;")
expect_match("${header}" "\nnamespace amp {\n.*\"Residual \\(Gru\\(1, 1\\), Linear\\(1, 1\\)\\)\";")
convert(0 header ours.safetensors -o amp.hpp --weights int8 --overwrite)
file(READ ${folder}/amp.hpp header)
expect_match("${header}"
             "\n//   using Model = minrnn::QuantisedCell<minrnn::ResidualCell<.* minrnn::WeightFormat::int8>;\n")
expect_match("${header}" "\nnamespace amp {\n.*\"int8 Residual \\(Gru\\(1, 1\\), Linear\\(1, 1\\)\\)\";")
convert(0 header ours.safetensors -o amp.hpp --cells "Gru(1, 1), Linear" --namespace a::b --overwrite)
file(READ ${folder}/amp.hpp header)
expect_match("${header}" "\nnamespace a::b {\n.*\"\\(Gru\\(1, 1\\), Linear\\(1, 1\\)\\)\";")

# The other JSON.
file(WRITE ${folder}/model.json [=[{"in_shape":[null,null,1],"layers":[{"type":"dense","activation":"",]=]
     [=["shape":[null,null,2],"weights":[[[1.0,2.0]],[3.0,4.0]]}]}]=])
convert(0 model.json dense.safetensors --format rtneural)
convert(0 dense.safetensors model_back.json --format rtneural --like model.json)
file(READ ${folder}/model.json there)
file(READ ${folder}/model_back.json back)
expect_equal("${back}" "${there}")

# Convolutions over time, of which the cells also say how many frames they see, and how far apart.
file(WRITE ${folder}/conv.json [=[{"in_shape":[null,null,1],"layers":[{"type":"conv1d","activation":"relu",]=]
     [=["shape":[null,null,2],"kernel_size":[2],"dilation":[3],"groups":1,]=]
     [=["weights":[[[[1.0,2.0]],[[3.0,4.0]]],[5.0,6.0]]},]=]
     [=[{"type":"batchnorm","activation":"","shape":[null,null,2],"epsilon":0.75,"weights":[[0.0,1.0],[0.25,3.25]]},]=]
     [=[{"type":"prelu","activation":"","shape":[null,null,2],"weights":[[[0.5,0.25]]]},]=]
     [=[{"type":"conv1d","activation":"","shape":[null,null,1],"kernel_size":[1],"dilation":[1],"groups":1,]=]
     [=["weights":[[[[7.0],[8.0]]],[9.0]]}]}]=])
convert(0 conv.json conv.safetensors --format rtneural)
convert(0 conv.safetensors conv_back.json --format rtneural --like conv.json)
file(READ ${folder}/conv.json there)
file(READ ${folder}/conv_back.json back)
expect_equal("${back}" "${there}")
convert(0 header conv.safetensors -o conv.hpp)
file(READ ${folder}/conv.hpp header)
string(CONCAT wanted "\"\\(Unfold\\(1, 2, 3\\), Linear\\(2, 2\\), relu Activation\\(2\\), Conv1d\\(2, 1\\), "
              "Prelu\\(2\\), Linear\\(2, 1\\)\\)\"")
expect_match("${header}" "${wanted}")
expect_match("${header}" "// 3: Conv1d\\(2, 1\\) from [0-9]+ on: w, b\n *1.0f, 0.5f, 0.0f, -0.5f,")

file(WRITE ${folder}/amp.nam
     [=[{"version":"0.5.4","architecture":"LSTM","config":{"input_size":1,"hidden_size":1,"num_layers":1},]=]
     [=["weights":[1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0,0.5,0.25,0.125,0.0,0.75,1.5,9.0,10.0],"sample_rate":48000}]=])
convert(0 amp.nam nam.safetensors --format nam)
convert(0 nam.safetensors back.nam --format nam --like amp.nam)
file(READ ${folder}/amp.nam there)
file(READ ${folder}/back.nam back)
expect_equal("${back}" "${there}")
convert(0 header nam.safetensors -o nam.hpp)
file(READ ${folder}/nam.hpp header)
expect_match("${header}" "\n//   std::copy_n\\(Weights::kFirstC0, 1, std::get<0>\\(state\\).c.data\\(\\)\\);\n")
string(CONCAT wanted "\"\\(Lstm\\(1, 1\\), Linear\\(1, 1\\)\\)\".* kFirstH0\\[1\\] = {\n      0.75f};\n"
              ".* kFirstC0\\[1\\] = {\n      1.5f};\n")
expect_match("${header}" "${wanted}")

# A linear map of PyTorch's, under a path of its own; a metadatum.
string(CONCAT header [=[{"__metadata__":{"format":"pt"},]=]
              [=["head.fc.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},]=]
              [=["head.fc.bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}]=])
string(LENGTH "${header}" length)
math(EXPR length "${length}" OUTPUT_FORMAT HEXADECIMAL)
string(REPLACE "0x" "" length ${length})
run_sh(0 [[printf "\\$(printf %o 0x$2)\\0\\0\\0\\0\\0\\0\\0%s" "$3" > linear.safetensors
           printf '\0\0\200\077\0\0\0\100\0\0\100\100' >> linear.safetensors]] ${length} "${header}")
convert(0 inspect linear.safetensors)
expect_match("${output}" "metadata format: pt\n2 tensors, 3 numbers, 12 bytes\n$")
convert(0 linear.safetensors linear_ours.safetensors --format torch)
convert(0 inspect linear_ours.safetensors)
expect_match("${output}" "head/fc/w  F32   1 x 2 ")
convert(0 linear_ours.safetensors linear_back.safetensors --format torch --like linear.safetensors)
convert(0 inspect linear_back.safetensors)
expect_match("${output}" "head.fc.weight  F32   1 x 2 .*metadata format: pt\n")

# A policy of PufferLib: 8 floats for each of three tensors of 1, 2 and 3 numbers.
run_sh(0 [[for count in 1 2 3; do
             for i in 1 2 3 4 5 6 7 8; do
               if [ $i -le $count ]; then printf '\0\0\200\077'; else printf '\0\0\0\0'; fi
             done
           done > policy.bin]])
set(sizes --inputs 1 --features 1 --outputs 2)
convert(0 policy.bin policy.safetensors --format puffer ${sizes})
convert(0 policy.safetensors policy_back.bin --format puffer --like policy.bin ${sizes})
expect_same(policy_back.bin policy.bin)

# An index shows the tensors of all its files as one; numbers of a type that is not known are not said to be finite.
file(MAKE_DIRECTORY ${folder}/sharded)
run_sh(0 [[cp linear_ours.safetensors sharded/a.safetensors; cp dense.safetensors sharded/b.safetensors]])
file(WRITE ${folder}/sharded/model.safetensors.index.json [=[{"weight_map":{"head/fc/w":"a.safetensors",]=]
     [=["head/fc/b":"a.safetensors","0/w":"b.safetensors","0/b":"b.safetensors"}}]=])
convert(0 inspect sharded/model.safetensors.index.json)
expect_match("${output}" "head/fc/w  F32   1 x 2 .*0/w  .*4 tensors, 7 numbers, 28 bytes\n$")
convert(0 check sharded/model.safetensors.index.json)
expect_match("${output}" ": 4 tensors, 7 numbers, all of them finite\n$")
run_sh(0 [[sed 's/"F32","shape":\[1,2\]/"F9","shape" :[1,2]/' linear.safetensors > other.safetensors]])
convert(0 check other.safetensors)
string(CONCAT wanted "other.safetensors: 1 tensors, 1 numbers, all of them finite; "
              "1 tensors of other types are not looked at\n")
expect_equal("${output}" "${wanted}")
