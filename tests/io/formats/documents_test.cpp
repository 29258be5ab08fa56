// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// Files of JSON, and a flat one, with recurrent nets of others.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "io/formats/files_of_torch.hpp"
#include "io/tensors.hpp"
#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/core/check.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/formats/guitar_amp.hpp"
#include "minrnn/io/formats/nam.hpp"
#include "minrnn/io/formats/puffer.hpp"
#include "minrnn/io/formats/rtneural.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/math/activation_function.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

auto lstms(Index layers, Index inputs, Index features) {
  return Stack(layers, [=](Index i) { return Lstm<float>(i == 0 ? inputs : features, features, stream(i)); });
}

class Documents : public FilesOfTorch {
 protected:
  void check_rtneural() {
    const JsonModel model = read_rtneural(folder / "rtneural.json");
    using F = ActivationFunction;
    Sequential net(Lstm<float>(2, 6, stream(0)), Gru<float>(6, 5, stream(1)), Linear<float>(5, 4, stream(2)),
                   Activation<float>(4, F::sigmoid), Linear<float>(4, 4, stream(3)), Activation<float>(4, F::elu),
                   Linear<float>(4, 3, stream(4), {.bias = false}), Activation<float>(3, F::softmax),
                   Linear<float>(3, 2, stream(5)));
    const NameMap map = rtneural_map(rtneural_layers(model));
    import_tensors(model.file, map, net);
    expect_answer<float>(net, run("rtneural"));
    write_rtneural(folder / "rtneural.back.json", export_tensors(net, map), model.document);
  }
  void check_guitar_amp() {
    const JsonModel model = read_guitar_amp(folder / "guitar_amp.json");
    const GuitarAmp amp = guitar_amp_of(model);
    EXPECT_TRUE(amp.lstm && amp.skip);
    Residual net(Sequential(lstms(amp.layers, 1, amp.features), Linear<float>(amp.features, 1, stream(9))));
    import_tensors(model.file, guitar_amp_map(amp), net);
    expect_answer<float>(net, run("guitar_amp"));
    write_guitar_amp(folder / "guitar_amp.back.json", export_tensors(net, guitar_amp_map(amp)), model.document);
  }
  void check_nam() {
    const JsonModel model = read_nam(folder / "nam.json");
    const Nam nam = nam_of(model);
    Sequential net(lstms(nam.layers, nam.inputs, nam.features), Linear<float>(nam.features, 1, stream(9)));
    auto first = net.initial_state(1);
    const Parts parts{Part{"net", net}, Part{"state", first}};
    import_tensors(model.file, nam_map(nam), parts);
    expect_answer<float>(net, run("nam"), &first);
    write_nam(folder / "nam.back.json", export_tensors(parts, nam_map(nam)), model.document);
  }
  void check_puffer() {
    const PufferOptions sizes{.inputs = 3, .features = 7, .outputs = 5, .layers = 2, .deviations = 4};
    Sequential net(Linear<float>(3, 7, stream(0), {.bias = false}),
                   Stack(2, [](Index i) { return Highway(MinGru<float>(7, 7, stream(2 * i + 1)), stream(2 * i + 2)); }),
                   Linear<float>(7, 5, stream(9), {.bias = false}));
    Matrix<float> log_std(4, 1);
    const Parts parts{Part{"net", net}, Part{"log_std", log_std}};
    import_tensors(read_puffer(folder / "puffer.bin", sizes), puffer_map(sizes), parts);
    expect_answer<float>(net, run("puffer"));
    write_puffer(folder / "puffer.back.bin", export_tensors(parts, puffer_map(sizes)), sizes);
    PufferOptions other = sizes;
    other.features = 8;
    EXPECT_TRUE(
        contains(message_of([&] { read_puffer(folder / "puffer.bin", other); }), "floats for these sizes, given "));
    other = sizes;
    std::swap(other.outputs, other.inputs);
    EXPECT_TRUE(contains(message_of([&] { read_puffer(folder / "puffer.bin", other); }),
                         "wanted zeros behind it, given other numbers"));
  }

 private:
  TensorFile run(const std::string& name) { return read_safetensors(folder / (name + ".run.safetensors")); }
};

// One test, as a start of Python with torch takes seconds.
TEST_F(Documents, ComputeTheSameAndGoBackBitForBit) {
  MINRNN_SKIP_WITHOUT_TORCH();
  check_rtneural();
  check_guitar_amp();
  check_nam();
  check_puffer();
  EXPECT_EQ(run_script("compare"), 0);
}

/// A document as a text, read by `read`; what is wrong with it.
template <class Read>
std::string refusal(const std::filesystem::path& path, const std::string& text, const Read& read) {
  write_bytes(path, text);
  return message_of([&] { read(path); });
}

class DocumentTexts : public ::testing::Test {
 protected:
  Folder folder;
  std::filesystem::path path = folder / "a.json";
};

// One unit, sizes 1: every number can be followed. PyTorch's order is i, f, g, o.
TEST_F(DocumentTexts, Nam) {
  const std::string text =
      R"({"version":"0.5.4","architecture":"LSTM","config":{"input_size":1,"hidden_size":1,"num_layers":1},)"
      R"("sample_rate":48000.0,"weights":[1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0,0.1,0.2,0.3,0.4,0.5,0.6,9.0,10.0]})";
  write_bytes(path, text);
  const JsonModel model = read_nam(path);
  Sequential net(lstms(1, 1, 1), Linear<float>(1, 1, stream(9)));
  auto first = net.initial_state(1);
  const Parts parts{Part{"net", net}, Part{"state", first}};
  import_tensors(model.file, nam_map(nam_of(model)), parts);
  const TensorFile ours = to_tensors(parts);
  using Values = std::vector<float>;
  EXPECT_EQ(values_of(tensor_named(ours, "net/0/0/weight_ih")), (Values{1, 3, 5, 7}));
  EXPECT_EQ(values_of(tensor_named(ours, "net/0/0/weight_hh")), (Values{2, 4, 6, 8}));
  EXPECT_EQ(values_of(tensor_named(ours, "net/0/0/bias_ih")), (Values{0.1f, 0.2f, 0.3f, 0.4f}));
  EXPECT_EQ(values_of(tensor_named(ours, "net/0/0/bias_hh")), (Values{0, 0, 0, 0}));
  EXPECT_EQ(values_of(tensor_named(ours, "state/0/0/h")), Values{0.5f});
  EXPECT_EQ(values_of(tensor_named(ours, "state/0/0/c")), Values{0.6f});
  EXPECT_EQ(values_of(tensor_named(ours, "net/1/w")), Values{9});
  EXPECT_EQ(values_of(tensor_named(ours, "net/1/b")), Values{10});
  write_nam(path, export_tensors(parts, nam_map(nam_of(model))), nam_document({.features = 1}, 48000));
  EXPECT_TRUE(contains(message_of([&] { write_nam(path, {}, model.document); }),
                       "tensor layers.0.w: wanted F32 (4, 2), given none"));
  EXPECT_TRUE(same_tensors(read_nam(path).file, model.file));

  const auto read = [](const auto& from) { read_nam(from); };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_TRUE(contains(refusal(path, with("\"LSTM\"", "\"WaveNet\""), read),
                       "architecture: wanted LSTM, given WaveNet, which is not read"));
  EXPECT_TRUE(contains(refusal(path, with(",10.0]", "]"), read),
                       "weights: wanted 16 numbers for the sizes of config, given 15"));
  EXPECT_TRUE(contains(refusal(path, with("10.0", "10.0,11.0"), read),
                       "weights: wanted 16 numbers for the sizes of config, given 17"));
  EXPECT_TRUE(contains(refusal(path, with("9.0", "null"), read), "tensor weights: wanted numbers, given null"));
  EXPECT_TRUE(
      contains(refusal(path, with("9.0", "1e300"), read), "tensor weights: wanted finite numbers, given 1e+300"));
  EXPECT_TRUE(contains(refusal(path, with("\"num_layers\":1", "\"num_layers\":0"), read),
                       "num_layers: wanted a size of at least 1, given 0"));
  EXPECT_TRUE(contains(refusal(path, with("\"num_layers\":1", "\"num_layers\":1000000000"), read),
                       "num_layers: wanted a size of at most 1000, given 1000000000"));
  EXPECT_TRUE(contains(refusal(path, with("\"hidden_size\":1", "\"hidden_size\":1000000"), read),
                       "weights: wanted 4000011000001 numbers for the sizes of config, given 16"));
  EXPECT_TRUE(contains(refusal(path, with("\"hidden_size\":1", "\"hidden_size\":1000000000000"), read),
                       "hidden_size: wanted a size of at most 1000000, given 1000000000000"));
  EXPECT_TRUE(contains(refusal(path, with("\"version\"", "\"weights\""), read), "weights: duplicate key"));
  EXPECT_TRUE(contains(refusal(path, text.substr(1), read), "not JSON: "));
  EXPECT_TRUE(contains(refusal(path, "[1, 2]", read), "architecture: missing"));
}

// Of two units, in Keras' order z, r, h and transposed.
TEST_F(DocumentTexts, RtNeural) {
  const std::string text =
      R"({"in_shape":[null,null,1],"layers":[{"type":"gru","activation":"tanh","shape":[null,null,2],"weights":[)"
      R"([[1,2,3,4,5,6]],[[11,12,13,14,15,16],[21,22,23,24,25,26]],[[31,32,33,34,35,36],[41,42,43,44,45,46]]]},)"
      R"({"type":"dense","activation":"","shape":[null,null,1],"weights":[[[7],[8]],[9]]}]})";
  write_bytes(path, text);
  const JsonModel model = read_rtneural(path);
  const auto layers = rtneural_layers(model);
  Sequential net(Gru<float>(1, 2, stream(0)), Linear<float>(2, 1, stream(1)));
  import_tensors(model.file, rtneural_map(layers), net);
  const TensorFile ours = to_tensors(net);
  using Values = std::vector<float>;
  EXPECT_EQ(values_of(tensor_named(ours, "0/weight_ih")), (Values{3, 4, 1, 2, 5, 6}));
  EXPECT_EQ(values_of(tensor_named(ours, "0/weight_hh")), (Values{13, 23, 14, 24, 11, 21, 12, 22, 15, 25, 16, 26}));
  EXPECT_EQ(values_of(tensor_named(ours, "0/bias_ih")), (Values{33, 34, 31, 32, 35, 36}));
  EXPECT_EQ(values_of(tensor_named(ours, "0/bias_hh")), (Values{43, 44, 41, 42, 45, 46}));
  EXPECT_EQ(values_of(tensor_named(ours, "1/w")), (Values{7, 8}));
  write_rtneural(path, export_tensors(net, rtneural_map(layers)), rtneural_document(layers));
  EXPECT_TRUE(same_tensors(read_rtneural(path).file, model.file));

  EXPECT_FALSE(rtneural_skips(model));
  write_bytes(path, R"({"in_skip":1,)" + text.substr(1));
  EXPECT_TRUE(rtneural_skips(read_rtneural(path)));

  const auto read = [](const auto& from) { read_rtneural(from); };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_TRUE(contains(
      refusal(path, with("\"dense\"", "\"conv3d\""), read),
      "layers[1]: wanted dense, gru, lstm, activation, conv1d, conv2d, prelu, batchnorm or batchnorm2d, given conv3d"));
  EXPECT_TRUE(contains(refusal(path, with("\"activation\":\"\"", "\"activation\":\"selu\""), read),
                       "layers[1]: dense with activation \"selu\" is not read"));
  EXPECT_TRUE(contains(refusal(path, with("\"activation\":\"tanh\"", "\"activation\":\"relu\""), read),
                       "layers[0]: gru with activation \"relu\" is not read"));
  EXPECT_TRUE(contains(refusal(path, with("[[7],[8]]", "[[7,8]]"), read),
                       "tensor layers.1.kernel: wanted F32 (2, 1), given F32 (1, 2): transposed"));
  EXPECT_TRUE(contains(refusal(path, with("[[7],[8]]", "[[7],[8,9]]"), read),
                       "tensor layers.1.kernel: wanted arrays of equal length"));
  EXPECT_TRUE(contains(refusal(path, with(",[9]", ",[9],[9]"), read), "layers.1.weights: wanted 2 arrays, given 3"));
}

// An activation behind a dense layer is one more layer here; one of its own is one, too.
TEST_F(DocumentTexts, RtNeuralWithActivations) {
  using F = ActivationFunction;
  const std::string text = R"({"in_shape":[null,1],"layers":[)"
                           R"({"type":"dense","activation":"tanh","shape":[null,2],"weights":[[[1,2]],[3,4]]},)"
                           R"({"type":"activation","activation":"relu","shape":[null,2],"weights":[]},)"
                           R"({"type":"dense","activation":"linear","shape":[null,1],"weights":[[[5],[6]]]}]})";
  write_bytes(path, text);
  const JsonModel model = read_rtneural(path);
  const auto layers = rtneural_layers(model);
  EXPECT_EQ(layers[0].activation, "tanh");
  EXPECT_EQ(layers[1].activation, "relu");
  EXPECT_EQ(layers[2].activation, "");
  EXPECT_TRUE(layers[0].bias && !layers[2].bias);
  const auto make = [](bool bias) {
    return Sequential(Linear<float>(1, 2, stream(0)), Activation<float>(2, F::tanh), Activation<float>(2, F::relu),
                      Linear<float>(2, 1, stream(1), {.bias = bias}));
  };
  auto net = make(false), with_bias = make(true);
  import_tensors(model.file, rtneural_map(layers), net);
  using Values = std::vector<float>;
  EXPECT_EQ(values_of(tensor_named(to_tensors(net), "0/w")), (Values{1, 2}));
  EXPECT_EQ(values_of(tensor_named(to_tensors(net), "0/b")), (Values{3, 4}));
  EXPECT_EQ(values_of(tensor_named(to_tensors(net), "3/w")), (Values{5, 6}));
  import_tensors(model.file, rtneural_map(layers), with_bias);
  EXPECT_EQ(values_of(tensor_named(to_tensors(with_bias), "3/b")), Values{0});

  const Json document = rtneural_document(layers);
  EXPECT_EQ(document["layers"][0]["activation"], "tanh");
  EXPECT_EQ(document["layers"][1]["type"], "activation");
  write_rtneural(path, export_tensors(net, rtneural_map(layers)), document);
  EXPECT_TRUE(same_tensors(read_rtneural(path).file, model.file));

  const auto read = [](const auto& from) { read_rtneural(from); };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_TRUE(contains(refusal(path, with("\"relu\"", "\"\""), read),
                       "layers[1]: activation with activation \"\" is not read"));
  EXPECT_TRUE(contains(refusal(path, with("\"relu\",\"shape\":[null,2]", "\"relu\",\"shape\":[null,3]"), read),
                       "layers[1]: activation: wanted a shape of 2 features, given 3"));
  EXPECT_TRUE(contains(refusal(path, with("\"weights\":[]", "\"weights\":[[1]]"), read),
                       "layers.1.weights: wanted 0 arrays, given 1"));
}

TEST_F(DocumentTexts, GuitarAmp) {
  const std::string text =
      R"({"model_data":{"input_size":1,"skip":1,"output_size":1,"unit_type":"GRU","num_layers":1,"hidden_size":1},)"
      R"("state_dict":{"rec.weight_ih_l0":[[1],[2],[3]],"rec.weight_hh_l0":[[4],[5],[6]],"rec.bias_ih_l0":[7,8,9],)"
      R"("rec.bias_hh_l0":[10,11,12],"lin.weight":[[13]],"lin.bias":[14]}})";
  write_bytes(path, text);
  const JsonModel model = read_guitar_amp(path);
  const GuitarAmp amp = guitar_amp_of(model);
  Residual net(Sequential(Stack(1, [](Index) { return Gru<float>(1, 1, stream(0)); }), Linear<float>(1, 1, stream(1))));
  import_tensors(model.file, guitar_amp_map(amp), net);
  EXPECT_EQ(values_of(tensor_named(to_tensors(net), "0/0/bias_hh")), (std::vector<float>{10, 11, 12}));
  write_guitar_amp(path, export_tensors(net, guitar_amp_map(amp)), guitar_amp_document(amp));
  EXPECT_TRUE(same_tensors(read_guitar_amp(path).file, model.file));
  const auto read = [](const auto& from) { read_guitar_amp(from); };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    return changed.replace(changed.find(from), from.size(), to);
  };
  EXPECT_TRUE(contains(refusal(path, with("GRU", "RNN"), read), "unit_type: wanted LSTM or GRU, given RNN"));
  EXPECT_TRUE(contains(refusal(path, with("\"input_size\":1", "\"input_size\":2"), read),
                       "skip: wanted as many inputs as outputs, given 2 and 1"));
  EXPECT_TRUE(contains(refusal(path, with("\"skip\":1", "\"skip\":2"), read), "skip: wanted 0 or 1, given 2"));
  EXPECT_TRUE(contains(refusal(path, with("\"state_dict\"", "\"states\""), read), "state_dict: missing"));
}

TEST_F(DocumentTexts, SizesOfPuffer) {
  const auto refused = [&](const PufferOptions& sizes) {
    return message_of<std::invalid_argument>([&] { read_puffer(path, sizes); });
  };
  write_bytes(path, "");
  EXPECT_EQ(refused({}), "puffer: inputs: wanted a size of at least 1, given 0");
  constexpr Index kLarge = minrnn::detail::kMostSize;
  EXPECT_TRUE(contains(refused({.inputs = 1, .features = kLarge, .outputs = 1}), "features times features"));
  EXPECT_TRUE(contains(refused({.inputs = 1, .features = 1, .outputs = 1, .deviations = -1}), "deviations"));
}

TEST_F(DocumentTexts, StateDict) {
  write_bytes(path, R"({"fc.weight":[[1.5,2],[3,4]],"fc.bias":[5,6]})");
  const TensorFile file = read_json_tensors(path);
  EXPECT_EQ(tensor_named(file, "fc.weight").shape, (std::vector<std::uint64_t>{2, 2}));
  write_json_tensors(path, file);
  EXPECT_TRUE(same_tensors(read_json_tensors(path), file));
  EXPECT_EQ(values_of<double>(tensor_named(read_json_tensors(path, Dtype::f64), "fc.bias")),
            (std::vector<double>{5, 6}));

  const auto refused = [&](const StoredTensor& tensor) {
    return message_of([&] { write_json_tensors(path, file_of_tensors({tensor})); });
  };
  StoredTensor tensor = tensor_of("b", {2}, std::vector<float>{1, NAN});
  EXPECT_TRUE(contains(refused(tensor), "tensor b: wanted finite numbers, given nan as number 1"));
  EXPECT_TRUE(contains(refused(tensor_of("\xff", {1}, std::vector<float>{1})), "cannot be written: "));
  tensor.shape = {3};
  EXPECT_TRUE(contains(refused(tensor), "tensor b: wanted F32 (3), given 8 bytes"));
  tensor = tensor_of("b", {2}, std::vector<float>{1, -2});
  write_json_tensors(path, convert_floats(file_of_tensors({tensor}), Dtype::bf16));
  EXPECT_EQ(values_of(tensor_named(read_json_tensors(path), "b")), (std::vector<float>{1, -2}));
}

}  // namespace
}  // namespace minrnn::tests
