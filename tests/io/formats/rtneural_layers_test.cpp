// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// Convolutions, batch normalisations and PReLUs in files of RTNeural, beside plain loops over the arrays of the file.
#include "minrnn/io/formats/rtneural_layers.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "io/tensors.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/formats/rtneural.hpp"
#include "minrnn/io/map_tensors.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/unfold.hpp"
#include "minrnn/math/activation_function.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

using F = ActivationFunction;
using Frames = std::vector<std::vector<double>>;  // [t][feature * filters + filter]

RandomStream stream(Index i = 0) { return Random(1).stream(i); }

/// Arrays of arrays of numbers.
Json numbers_of(Random& random, const std::vector<int>& sizes, double least = -1, std::size_t depth = 0) {
  if (depth == sizes.size()) return random.symmetric(1) + (least + 1);
  Json list = Json::array();
  for (int i = 0; i < sizes[depth]; ++i) list.push_back(numbers_of(random, sizes, least, depth + 1));
  return list;
}
Frames random_frames(Random& random, int time, int features) {
  Frames x(static_cast<std::size_t>(time), std::vector<double>(static_cast<std::size_t>(features)));
  for (auto& frame : x)
    for (double& value : frame) value = random.symmetric(1);
  return x;
}
template <class S>
Matrix<S> block_of(const Frames& x) {
  Matrix<S> m(static_cast<Index>(x.front().size()), static_cast<Index>(x.size()));
  for (Index t = 0; t < m.cols(); ++t)
    for (Index i = 0; i < m.rows(); ++i) m(i, t) = static_cast<S>(x[t][i]);
  return m;
}

// What the file says, number by number. Zeros lie before the first frame, and around features that are padded.

double with_activation(const std::string& name, double x) {
  if (name == "tanh") return std::tanh(x);
  if (name == "relu") return std::max(x, 0.0);
  if (name == "sigmoid") return 1 / (1 + std::exp(-x));
  if (name == "elu") return x < 0 ? std::expm1(x) : x;
  EXPECT_EQ(name, "");
  return x;
}

/// kernel [tap][width][filter in its group][filter], or [tap][filter in its group][filter].
Frames convolved(const Frames& x, const Json& layer, int features_in, int filters_in) {
  const bool plane = layer["type"] == "conv2d";
  const Json& kernel = layer["weights"][0];
  const int taps = static_cast<int>(kernel.size()), width = plane ? static_cast<int>(kernel[0].size()) : 1;
  const int dilation = plane ? layer["dilation"].get<int>() : layer["dilation"][0].get<int>();
  const int stride = plane ? layer["strides"].get<int>() : 1;
  const int groups = plane ? 1 : layer.value("groups", 1);
  const int filters = layer["shape"].back(), features = plane ? layer["shape"][2].get<int>() : 1;
  int left = 0;
  if (plane && layer["padding"] == "same") left = std::max((features - 1) * stride + width - features_in, 0) / 2;
  Frames y;
  for (int t = 0; t < static_cast<int>(x.size()); ++t) {
    std::vector<double> frame;
    for (int feature = 0; feature < features; ++feature)
      for (int filter = 0; filter < filters; ++filter) {
        double sum = layer["weights"].size() > 1 ? layer["weights"][1][filter].get<double>() : 0;
        for (int tap = 0; tap < taps; ++tap)
          for (int w = 0; w < width; ++w)
            for (int i = 0; i < filters_in / groups; ++i) {
              const int s = t - (taps - 1 - tap) * dilation, from = feature * stride + w - left;
              if (s < 0 || from < 0 || from >= features_in) continue;
              const int group = filter / (filters / groups), in = group * (filters_in / groups) + i;
              const Json& by_filter = plane ? kernel[tap][w][i] : kernel[tap][i];
              sum += by_filter[filter].get<double>() * x[s][from * filters_in + in];
            }
        frame.push_back(sum);
      }
    y.push_back(frame);
  }
  return y;
}

Frames answer_of(const Json& document, Frames x) {
  const Json& first = document["in_shape"];
  int features = first.size() == 4 ? first[2].get<int>() : 1, filters = first.back();
  for (const Json& layer : document["layers"]) {
    const std::string type = layer["type"];
    const Json& weights = layer["weights"];
    if (type == "dense") {
      Json as_conv = layer;
      as_conv["type"] = "conv1d";
      as_conv["dilation"] = {1};
      as_conv["weights"][0] = Json::array({weights[0]});
      x = convolved(x, as_conv, 1, filters);
    }
    if (type == "conv1d" || type == "conv2d") x = convolved(x, layer, features, filters);
    features = layer["shape"].size() == 4 ? layer["shape"][2].get<int>() : 1;
    filters = layer["shape"].back();
    for (auto& frame : x)
      for (std::size_t i = 0; i < frame.size(); ++i) {
        double& v = frame[i];
        const std::size_t filter = i % static_cast<std::size_t>(filters);
        const auto at = [&](std::size_t k) { return weights[k][filter].get<double>(); };
        if (type == "prelu" && v < 0) v *= weights[0][0][weights[0][0].size() == 1 ? 0 : filter].get<double>();
        if (type == "batchnorm" || type == "batchnorm2d") {
          const std::size_t k = weights.size() == 4 ? 2 : 0;
          v = (v - at(k)) / std::sqrt(at(k + 1) + layer["epsilon"].get<double>());
          if (k > 0) v = at(0) * v + at(1);
        }
        v = with_activation(layer.value("activation", ""), v);
      }
  }
  return x;
}

Json conv1d(Random& random, int taps, int inputs, int outputs, int dilation, int groups, const std::string& activation,
            bool bias = true) {
  Json weights = Json::array({numbers_of(random, {taps, inputs / groups, outputs})});
  if (bias) weights.push_back(numbers_of(random, {outputs}));
  return {{"type", "conv1d"},      {"activation", activation}, {"shape", {nullptr, nullptr, outputs}},
          {"kernel_size", {taps}}, {"dilation", {dilation}},   {"groups", groups},
          {"weights", weights}};
}
struct Plane {
  int features, filters;
};
Json conv2d(Random& random, int taps, int width, Plane in, int filters, int dilation, int stride, bool same,
            const std::string& activation) {
  const int features = same ? (in.features + stride - 1) / stride : (in.features - width + stride) / stride;
  return {{"type", "conv2d"},
          {"activation", activation},
          {"shape", {nullptr, nullptr, features, filters}},
          {"kernel_size_time", taps},
          {"kernel_size_feature", width},
          {"dilation", dilation},
          {"strides", stride},
          {"num_filters_in", in.filters},
          {"num_features_in", in.features},
          {"num_filters_out", filters},
          {"padding", same ? "same" : "valid"},
          {"weights",
           Json::array({numbers_of(random, {taps, width, in.filters, filters}), numbers_of(random, {filters})})}};
}
Json norm(Random& random, Json shape, bool affine, double epsilon) {
  const int channels = shape.back();
  Json weights = Json::array();
  if (affine) weights = {numbers_of(random, {channels}), numbers_of(random, {channels})};
  weights.push_back(numbers_of(random, {channels}));
  weights.push_back(numbers_of(random, {channels}, 0.1));
  Json layer{{"type", shape.size() == 4 ? "batchnorm2d" : "batchnorm"}, {"activation", ""}, {"shape", shape}};
  layer["epsilon"] = epsilon;
  if (shape.size() == 4) {
    layer["num_filters_in"] = channels;
    layer["num_features_in"] = shape[2];
  }
  layer["weights"] = weights;
  return layer;
}
Json prelu(Random& random, int features, int alphas) {
  return {{"type", "prelu"},
          {"activation", ""},
          {"shape", {nullptr, nullptr, features}},
          {"weights", Json::array({numbers_of(random, {1, alphas})})}};
}

class RtNeuralLayers : public ::testing::Test {
 protected:
  Folder folder;
  std::filesystem::path path = folder / "model.json";
  Random random{7};

  JsonModel model_of(const Json& document, Dtype dtype = Dtype::f64) {
    write_bytes(path, document.dump());
    return read_rtneural(path, dtype);
  }
  /// The net computes what the file says, in one call and frame by frame, and goes back to the same document.
  template <class S, class Net>
  void check(const Json& document, Net& net) {
    const JsonModel model = model_of(document, sizeof(S) == 8 ? Dtype::f64 : Dtype::f32);
    const NameMap map = rtneural_map(rtneural_layers(model));
    import_tensors(model.file, map, net);
    const Frames frames = random_frames(random, 30, static_cast<int>(net.input_size()));
    const Matrix<S> x = block_of<S>(frames);
    const Matrix<double> wanted = block_of<double>(answer_of(document, frames));
    typename Net::Cache cache;
    auto state = net.initial_state(1);
    const Matrix<S> y = net.infer(x, state, cache).matrix(0);
    ASSERT_EQ(y.rows(), wanted.rows());
    // Some hundred roundings of numbers of order 1 to 10.
    EXPECT_LT((y.template cast<double>() - wanted).cwiseAbs().maxCoeff(), sizeof(S) == 8 ? 1e-13 : 1e-4);
    state = net.initial_state(1);
    for (Index t = 0; t < x.cols(); ++t) {
      const Matrix<S> frame = x.col(t);
      ASSERT_EQ(Matrix<S>(net.step(frame, state, cache).matrix()), y.col(t)) << "frame " << t;
    }
    write_rtneural(path, export_tensors(net, map), document);
    EXPECT_TRUE(same_tensors(read_rtneural(path, sizeof(S) == 8 ? Dtype::f64 : Dtype::f32).file, model.file));
    if (sizeof(S) == 8) {
      EXPECT_EQ(minrnn::detail::read_json(path), document);
    }
  }
  /// A model that was trained here: a document is made for it.
  template <class Net>
  void check_document(const Json& document, const Net& net) {
    const auto layers = rtneural_layers(model_of(document));
    const NameMap map = rtneural_map(layers);
    write_rtneural(path, export_tensors(net, map), rtneural_document(layers));
    Net other = net;
    visit_parameters(other, [](const Name&, auto& p) { p.value.setZero(); });
    const JsonModel back = read_rtneural(path, Dtype::f64);
    import_tensors(back.file, rtneural_map(rtneural_layers(back)), other);
    expect_same_parameters(net, other);
  }
  template <class Net>
  void expect_same_parameters(const Net& net, const Net& other) {
    const TensorFile ours = to_tensors(net), theirs = to_tensors(other);
    for (const StoredTensor& tensor : ours.tensors) {
      const auto a = values_of<double>(tensor), b = values_of<double>(tensor_named(theirs, tensor.name));
      ASSERT_EQ(a.size(), b.size());
      // A scale goes by way of gamma: two roundings.
      for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-15 * std::max(1.0, std::abs(a[i])));
    }
  }

  Json over_time() {
    const Json six{nullptr, nullptr, 6};
    return {{"in_shape", {nullptr, nullptr, 2}},
            {"layers",
             {{{"type", "dense"},
               {"activation", "tanh"},
               {"shape", {nullptr, nullptr, 4}},
               {"weights", Json::array({numbers_of(random, {2, 4}), numbers_of(random, {4})})}},
              conv1d(random, 3, 4, 6, 2, 2, "elu"),
              norm(random, six, true, 0.01),
              prelu(random, 6, 6),
              conv1d(random, 1, 6, 6, 1, 1, ""),
              norm(random, six, false, 5),
              prelu(random, 6, 1),
              conv1d(random, 2, 6, 3, 7, 1, "sigmoid", false),
              conv1d(random, 20, 3, 3, 1, 3, "")}}};
  }
  template <class S>
  static auto net_over_time() {
    return Sequential(Linear<S>(2, 4, stream(0)), Activation<S>(4, F::tanh), Unfold<S>(4, 3, {.dilation = 2}),
                      Linear<S>(12, 6, stream(1)), Activation<S>(6, F::elu), Conv1d<S>(6, 1, stream(2)), Prelu<S>(6),
                      Linear<S>(6, 6, stream(3)), Conv1d<S>(6, 1, stream(4)), Prelu<S>(6),
                      Unfold<S>(6, 2, {.dilation = 7}), Linear<S>(12, 3, stream(5), {.bias = false}),
                      Activation<S>(3, F::sigmoid), Unfold<S>(3, 20), Linear<S>(60, 3, stream(6)));
  }
  Json over_planes() {
    return {{"in_shape", {nullptr, nullptr, 7, 2}},
            {"layers",
             {conv2d(random, 2, 3, {7, 2}, 3, 3, 2, true, "relu"), norm(random, {nullptr, nullptr, 4, 3}, true, 0.01),
              Json{{"type", "activation"},
                   {"activation", "tanh"},
                   {"shape", {nullptr, nullptr, 4, 3}},
                   {"weights", Json::array()}},
              conv2d(random, 1, 2, {4, 3}, 2, 1, 1, false, ""), norm(random, {nullptr, nullptr, 3, 2}, false, 5)}}};
  }
  template <class S>
  static auto net_over_planes() {
    return Sequential(Unfold<S>(14, 2, {.dilation = 3}), Linear<S>(28, 12, stream(0)), Activation<S>(12, F::relu),
                      Conv1d<S>(12, 1, stream(1)), Activation<S>(12, F::tanh), Linear<S>(12, 6, stream(2)),
                      Conv1d<S>(6, 1, stream(3)));
  }
};

TEST_F(RtNeuralLayers, OverTime) {
  const Json document = over_time();
  auto doubles = net_over_time<double>();
  auto floats = net_over_time<float>();
  check<double>(document, doubles);
  check<float>(document, floats);
  check_document(document, doubles);
}

TEST_F(RtNeuralLayers, OverTimeAndFeatures) {
  const Json document = over_planes();
  auto doubles = net_over_planes<double>();
  auto floats = net_over_planes<float>();
  check<double>(document, doubles);
  check<float>(document, floats);
  check_document(document, doubles);
}

// Each way in which a kernel may hang over the features, on either side.
TEST_F(RtNeuralLayers, EveryPaddingOverFeatures) {
  for (const int features : {5, 6, 7})
    for (const int width : {1, 2, 3, 5})
      for (const int stride : {1, 2, 3})
        for (const bool same : {false, true}) {
          SCOPED_TRACE(std::to_string(features) + " features, width " + std::to_string(width) + ", stride " +
                       std::to_string(stride) + (same ? ", padded" : ""));
          const Json layer = conv2d(random, 1, width, {features, 2}, 3, 1, stride, same, "");
          const Index outputs = layer["shape"][2].get<Index>() * 3;
          Sequential net{Linear<double>(2 * features, outputs, stream(0))};
          check<double>({{"in_shape", {nullptr, nullptr, features, 2}}, {"layers", {layer}}}, net);
        }
}

// A convolution without padding leaves out what would see frames before the first: a stream gives these, too.
TEST_F(RtNeuralLayers, WithoutPaddingOverTime) {
  Json layer = conv1d(random, 4, 1, 2, 3, 1, "");
  Json document{{"in_shape", {nullptr, 20, 1}}, {"layers", {layer}}};
  Json& frames = document["layers"][0]["shape"][1];
  for (const int out : {11, 20}) {
    frames = out;
    Sequential net{Unfold<double>(1, 4, {.dilation = 3}), Linear<double>(4, 2, stream(0))};
    check<double>(document, net);
  }
  frames = 10;
  EXPECT_TRUE(
      contains(message_of([&] { model_of(document); }),
               "layers[0]: conv1d: wanted 20 frames out, or 11 without padding, given 10: no stride over time"));
  frames = nullptr;
  document["layers"][0]["padding"] = "same";
  EXPECT_TRUE(
      contains(message_of([&] { model_of(document); }), "layers[0]: padding: wanted causal or valid, given same"));
}

/// The tensors of a net, one of whose numbers has been changed.
template <class Net>
TensorFile changed(const Net& net, const std::string& parameter, Index row, Index column) {
  Net other = net;
  visit_parameters(other, [&](const Name& name, auto& p) {
    if (name.str() == parameter) p.value(row, column) += 0.5;
  });
  return to_tensors(other);
}

// A training moves each number alone, also where a convolution has one for many.
TEST_F(RtNeuralLayers, WhatWasTrainedGoesBackWhereItHasAPlace) {
  const Json document = over_planes();
  const JsonModel model = model_of(document);
  const NameMap map = rtneural_map(rtneural_layers(model));
  auto net = net_over_planes<double>();
  import_tensors(model.file, map, net);
  const auto refused = [&](const std::string& parameter, Index row, Index column) {
    auto other = net;
    restore(changed(net, parameter, row, column), other);
    return message_of([&] { write_rtneural(path, export_tensors(other, map), document); });
  };
  EXPECT_TRUE(
      contains(refused("1/w", 0, 0),
               "tensor layers.0.kernel: wanted the zeros and the equal numbers of a conv2d as F64 (2, 3, 2, 3), "
               "given others, as after training"));
  EXPECT_TRUE(
      contains(refused("1/b", 4, 0), "tensor layers.0.bias: wanted the zeros and the equal numbers of a conv2d"));
  EXPECT_TRUE(contains(refused("3/w", 4, 0), "tensor layers.1.scale: wanted the zeros and the equal numbers of a "));

  // Of a normalisation of each feature alone, gamma and beta take it up, and the statistics stay.
  const Json times = over_time();
  const JsonModel over_time = model_of(times);
  const NameMap map_over_time = rtneural_map(rtneural_layers(over_time));
  auto net_of_times = net_over_time<double>();
  import_tensors(over_time.file, map_over_time, net_of_times);
  auto trained = net_of_times;
  restore(changed(net_of_times, "5/w", 2, 0), trained);
  restore(changed(trained, "8/b", 3, 0), trained);
  write_rtneural(path, export_tensors(trained, map_over_time), times);
  const Json written = minrnn::detail::read_json(path);
  EXPECT_EQ(written["layers"][2]["weights"][2], times["layers"][2]["weights"][2]);
  EXPECT_EQ(written["layers"][5]["weights"].size(), 4u);
  auto back = net_of_times;
  const JsonModel read = read_rtneural(path, Dtype::f64);
  import_tensors(read.file, rtneural_map(rtneural_layers(read)), back);
  expect_same_parameters(trained, back);
  auto grouped = net_of_times;
  restore(changed(net_of_times, "3/w", 0, 2), grouped);
  EXPECT_TRUE(contains(message_of([&] { write_rtneural(path, export_tensors(grouped, map_over_time), times); }),
                       "tensor layers.1.kernel: wanted the zeros and the equal numbers of a conv1d"));
}

TEST_F(RtNeuralLayers, RefuseWhatDoesNotFitByName) {
  const auto refused = [&](Json document, const std::string& pointer, const Json& value) {
    document[Json::json_pointer(pointer)] = value;
    return message_of([&] { model_of(document); });
  };
  const Json times = over_time(), planes = over_planes();
  const auto wrong = [&](const std::string& pointer, const Json& value, const std::string& wanted) {
    const bool is_plane = pointer.starts_with("/plane");
    const std::string message =
        refused(is_plane ? planes : times, "/layers/" + pointer.substr(pointer.find('/', 1) + 1), value);
    EXPECT_TRUE(contains(message, wanted)) << pointer;
  };
  wrong(
      "/time/1/type", "conv3d",
      "layers[1]: wanted dense, gru, lstm, activation, conv1d, conv2d, prelu, batchnorm or batchnorm2d, given conv3d");
  wrong("/time/1/groups", 4, "layers[1]: groups: wanted a divisor of 4 features in and 6 out, given 4");
  wrong("/time/1/strides", Json::array({2}), "layers[1]: strides: wanted 1, given 2");
  wrong("/time/1/kernel_size", Json::array({0}), "layers[1]: kernel_size: wanted a size of at least 1, given 0");
  wrong("/time/1/kernel_size", Json::array({4}), "tensor layers.1.kernel: wanted F64 (4, 2, 6), given F64 (3, 2, 6)");
  wrong("/time/1/dilation", Json::array({900000}),
        "layers[1]: dilation: wanted to see at most 1000000 earlier frames, given 1800000");
  wrong("/time/1/activation", "selu", "layers[1]: conv1d with activation \"selu\" is not read");
  wrong("/time/2/activation", "tanh", "layers[2]: batchnorm with activation \"tanh\" is not read");
  wrong("/time/2/epsilon", -1, "layers[2]: epsilon: wanted a number of at least 0, given -1");
  wrong("/time/2/shape/2", 5, "layers[2]: batchnorm: wanted a shape of 6 features, given 5");
  wrong("/time/2/weights/3/0", -2, "tensor layers.2.variance: wanted numbers above 0 with the epsilon, given -2");
  wrong("/time/2/weights/1", Json::array({1, 2}), "tensor layers.2.beta: wanted F64 (6), given F64 (2)");
  wrong("/time/2/weights/0", nullptr, "tensor layers.2.gamma: wanted numbers, given null");
  wrong("/time/2/weights", Json::array({1}), "layers.2.weights: wanted 4 arrays, given 1");
  wrong("/time/3/weights/0", Json::array({Json::array({1, 2})}),
        "tensor layers.3.alpha: wanted F64 (1, 6), given F64 (1, 2)");
  wrong("/time/3/weights", Json::array(), "layers.3.weights: wanted 1 arrays, given 0");
  wrong("/plane/0/padding", "causal", "layers[0]: padding: wanted same or valid, given causal");
  // Keras' is over the filters of each feature, RTNeural's over all.
  wrong("/plane/2/activation", "softmax", "layers[2]: softmax of several features is not read");
  wrong("/plane/0/num_filters_in", 3, "layers[0]: num_features_in times num_filters_in: wanted 14, given 7 times 3");
  wrong("/plane/0/shape/2", 5, "layers[0]: shape: wanted 4 features of 3 filters, given 5 of 3");
  wrong("/plane/1/num_features_in", 3, "layers[1]: num_features_in times num_filters_in: wanted 12, given 3 times 3");
  wrong("/plane/3/kernel_size_feature", 5, "layers[3]: kernel_size_feature: wanted at most 4 without padding, given 5");
  wrong("/plane/3/strides", nullptr, "layers[3]: strides: wanted a size of at least 1, given null");
  Json document = planes;
  document["layers"][0].erase("kernel_size_time");
  EXPECT_TRUE(contains(message_of([&] { model_of(document); }), "layers[0]: kernel_size_time: missing"));
  Json surplus = times;
  surplus["layers"][1]["weights"].push_back(Json::array({1}));
  EXPECT_TRUE(contains(message_of([&] { model_of(surplus); }), "layers.1.weights: wanted 2 arrays, given 3"));
}

// A file of a few bytes must not become a weight of gigabytes.
TEST_F(RtNeuralLayers, RefuseAWeightThatIsAllPadding) {
  Json layer = conv2d(random, 1, 1, {20000, 1}, 1, 1, 1, true, "");
  EXPECT_TRUE(contains(message_of([&] {
                         model_of({{"in_shape", {nullptr, nullptr, 20000, 1}}, {"layers", {layer}}});
                       }),
                       "tensor layers.0.kernel: wanted at most 67108864 numbers of a layer, given F64 (20000, 20000)"));
}

/// The published models, which are in no file here: MINRNN_RTNEURAL names a checkout of RTNeural.
class PublishedRtNeural : public ::testing::Test {
 protected:
  std::filesystem::path root;

  void SetUp() override {
    const char* const folder = std::getenv("MINRNN_RTNEURAL");
    if (folder == nullptr) GTEST_SKIP() << "MINRNN_RTNEURAL names no checkout of RTNeural";
    root = folder;
  }
  std::vector<double> numbers(const std::string& name) const {
    std::ifstream file(root / "test_data" / (name + "_python.csv"));
    std::vector<double> list;
    for (double number = 0; file >> number;) list.push_back(number);
    EXPECT_FALSE(list.empty()) << name;
    return list;
  }
  /// The frames from `first` on are theirs from `theirs` on.
  template <class Net>
  void expect_answer(const std::string& name, Net net, Index first, Index theirs) const {
    const JsonModel model = read_rtneural(root / "models" / (name + ".json"));
    import_tensors(model.file, rtneural_map(rtneural_layers(model)), net);
    const auto x = numbers(name + "_x"), wanted = numbers(name + "_y");
    Matrix<float> input(net.input_size(), static_cast<Index>(x.size()) / net.input_size());
    std::copy(x.begin(), x.end(), input.data());
    typename Net::Cache cache;
    auto state = net.initial_state(1);
    double largest = 0;
    for (Index t = 0; t < input.cols(); ++t) {
      const Matrix<float> frame = input.col(t);
      const Matrix<float> y = net.step(frame, state, cache).matrix();
      for (Index i = 0; i < y.rows() && t >= first; ++i)
        largest = std::max(largest, std::abs(y(i) - wanted.at((t - first + theirs) * y.rows() + i)));
    }
    EXPECT_LT(largest, 1e-6) << name;
    RecordProperty("largest_error_of_" + name, std::to_string(largest * 1e9) + "e-9");
  }
};

TEST_F(PublishedRtNeural, ComputeWhatKerasDoes) {
  using S = float;
  const auto linear = [](Index inputs, Index outputs) { return Linear<S>(inputs, outputs, stream()); };
  const auto norm = [](Index features) { return Conv1d<S>(features, 1, stream()); };
  expect_answer("conv",
                Sequential(linear(1, 8), Activation<S>(8, F::tanh), Unfold<S>(8, 3), linear(24, 4),
                           Activation<S>(4, F::tanh), norm(4), Prelu<S>(4), linear(4, 4), Activation<S>(4, F::tanh),
                           Unfold<S>(4, 3, {.dilation = 2}), linear(12, 6), Activation<S>(6, F::tanh), norm(6),
                           Prelu<S>(6), linear(6, 1), Activation<S>(1, F::sigmoid)),
                0, 0);
  // Without padding: the first of their frames is the one that sees 112 before it.
  expect_answer("conv_stateless",
                Sequential(Unfold<S>(1, 65), linear(65, 12), Prelu<S>(12), norm(12), Unfold<S>(12, 33),
                           linear(33 * 12, 8), Prelu<S>(8), norm(8), Unfold<S>(8, 13), linear(13 * 8, 4), Prelu<S>(4),
                           norm(4), Unfold<S>(4, 5), linear(20, 1), Activation<S>(1, F::tanh)),
                112, 0);
  // Three convolutions see 14 earlier frames, of which the second, padded on both sides, is to see two later ones.
  expect_answer(
      "conv2d",
      Sequential(Unfold<S>(23, 5, {.dilation = 2}), linear(115, 38), norm(38), Activation<S>(38, F::relu),
                 Unfold<S>(38, 4), linear(152, 30), norm(30), Unfold<S>(30, 2, {.dilation = 3}), linear(60, 8)),
      14, 1);
}

// For it there is no answer beside it.
TEST_F(PublishedRtNeural, ReadsTheFullModel) {
  const JsonModel model = read_rtneural(root / "models" / "full_model.json");
  using S = float;
  Sequential net(Linear<S>(1, 8, stream()), Activation<S>(8, F::tanh), Unfold<S>(8, 3, {.dilation = 2}),
                 Linear<S>(24, 4, stream()), Activation<S>(4, F::tanh), Gru<S>(4, 8, stream()),
                 Linear<S>(8, 1, stream()));
  import_tensors(model.file, rtneural_map(rtneural_layers(model)), net);
}

}  // namespace
}  // namespace minrnn::tests
