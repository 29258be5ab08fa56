// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/formats/torch.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "conformance/listed_layer.hpp"
#include "io/formats/files_of_torch.hpp"
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/compose/stack.hpp"
#include "minrnn/io/formats/torch_modules.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/layer_norm.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/unfold.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

using conformance::erase;

class TorchModules : public FilesOfTorch {
 protected:
  void check_recurrent_layers();
  void check_frame_wise_layers();
  void check_tables_of_files();
};

void TorchModules::check_recurrent_layers() {
  check_in_float_too("gru", torch_recurrent(), []<class S>(S) { return erase(Gru<S>(5, 7, stream())); });
  check_in_float_too("lstm", torch_recurrent(), []<class S>(S) { return erase(Lstm<S>(5, 7, stream())); });
  check("lstm_without_bias", torch_recurrent({.bias = false}),
        []<class S>(S) { return erase(Lstm<S>(5, 7, stream())); });
  const auto head = torch_linear().within("fc", "1");
  check("lstm_of_two_layers", torch_recurrent({.layers = 2}).within("rnn", "0") + head, []<class S>(S) {
    return Sequential(Stack(2, [](Index i) { return erase(Lstm<S>(i == 0 ? 5 : 7, 7, stream(i))); }),
                      erase(Linear<S>(7, 2, stream(2))));
  });
  check("bidirectional_gru",
        torch_recurrent({.layers = 2, .bias = false, .bidirectional = true}).within("rnn", "0") + head, []<class S>(S) {
          const auto make = [](Index i) {
            const Index inputs = i == 0 ? 5 : 12;
            return Bidirectional(erase(Gru<S>(inputs, 6, stream(2 * i))), erase(Gru<S>(inputs, 6, stream(2 * i + 1))));
          };
          return Sequential(Stack(2, make), erase(Linear<S>(12, 2, stream(4))));
        });
  check("bidirectional_lstm", torch_recurrent({.bidirectional = true}).within("rnn", "0") + head, []<class S>(S) {
    return Sequential(Bidirectional(erase(Lstm<S>(5, 6, stream(0))), erase(Lstm<S>(5, 6, stream(1)))),
                      erase(Linear<S>(12, 2, stream(2))));
  });
  Lstm<float> lstm(5, 7, stream());
  EXPECT_TRUE(contains(message_of([&] {
                         import_tensors(read_safetensors(folder / "projected_lstm.float.safetensors"),
                                        torch_recurrent(), lstm);
                       }),
                       "tensor weight_hr_l0: proj_size: an LSTM that projects its output is not read"));
}

void TorchModules::check_frame_wise_layers() {
  const NameMap map = torch_linear().within("0", "0") + torch_layer_norm().within("1", "1") +
                      torch_mlp().within("2", "2") + torch_rms_norm().within("3", "3") +
                      torch_linear({.bias = false}).within("4", "4");
  check_in_float_too("frame_wise", map, []<class S>(S) {
    return Sequential(erase(Linear<S>(5, 6, stream(0))), erase(LayerNorm<S>(6)),
                      erase(Mlp<S>(6, 9, stream(1), {.gelu = GeluForm::exact})),
                      erase(RmsNorm<S>(6, {.epsilon = std::numeric_limits<S>::epsilon()})),
                      erase(Linear<S>(6, 6, stream(2), {.bias = false})));
  });
  check("convolution", torch_depthwise_conv1d().within("net.0", "0") + torch_pointwise_conv1d().within("net.1", "1"),
        []<class S>(S) { return Sequential(erase(Conv1d<S>(5, 4, stream(0))), erase(Linear<S>(5, 5, stream(1)))); });
  check("dilated_convolution",
        torch_depthwise_conv1d().within("net.0", "0") + torch_pointwise_conv1d().within("net.1", "1"), []<class S>(S) {
          return Sequential(erase(Conv1d<S>(5, 3, stream(0), {.dilation = 4})), erase(Linear<S>(5, 5, stream(1))));
        });
  check("dense_convolution",
        torch_conv1d(3).within("net.0", "1") + torch_prelu().within("net.1", "2") +
            torch_conv1d(2, {.bias = false}).within("net.2", "4"),
        []<class S>(S) {
          return Sequential(erase(Unfold<S>(5, 3, {.dilation = 2})), erase(Linear<S>(15, 7, stream(0))),
                            erase(Prelu<S>(7)), erase(Unfold<S>(7, 2)),
                            erase(Linear<S>(14, 2, stream(1), {.bias = false})));
        });
}

void TorchModules::check_tables_of_files() {
  const auto expect_table = [&](const std::string& name, const NameMap& wanted) {
    const TensorFile file = read_safetensors(folder / (name + ".double.safetensors"));
    EXPECT_TRUE(same_tensors(to_ours(file, torch_map_of(file)), to_ours(file, wanted))) << name;
  };
  expect_table("lstm", torch_recurrent());
  expect_table("lstm_of_two_layers",
               torch_recurrent({.layers = 2}).within("rnn", "rnn") + torch_linear().within("fc", "fc"));
  expect_table("bidirectional_gru",
               torch_recurrent({.layers = 2, .bias = false, .bidirectional = true}).within("rnn", "rnn") +
                   torch_linear().within("fc", "fc"));
  expect_table("frame_wise", torch_linear().within("0", "0") + torch_layer_norm().within("1", "1") +
                                 torch_linear().within("2.0", "2/0") + torch_linear().within("2.2", "2/2") +
                                 torch_rms_norm().within("3", "3") + torch_linear({.bias = false}).within("4", "4"));
  expect_table("convolution",
               torch_depthwise_conv1d().within("net.0", "net/0") + torch_pointwise_conv1d().within("net.1", "net/1"));
  expect_table("dense_convolution", torch_conv1d(3).within("net.0", "net/0") +
                                        torch_rms_norm().within("net.1", "net/1") +
                                        torch_conv1d(2, {.bias = false}).within("net.2", "net/2"));
}

// One test, as a start of Python with torch takes seconds.
TEST_F(TorchModules, ComputeTheSameAndGoBackBitForBit) {
  MINRNN_SKIP_WITHOUT_TORCH();
  check_recurrent_layers();
  check_frame_wise_layers();
  check_tables_of_files();
  EXPECT_EQ(run_script("compare"), 0);
}

}  // namespace
}  // namespace minrnn::tests
