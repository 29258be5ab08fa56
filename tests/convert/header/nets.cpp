// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Writes checkpoints of which convert makes headers, and what those must be. `nets FOLDER`
#include <cstdint>
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "convert/header/models.hpp"
#include "minrnn/cells/quantised_cell.hpp"
#include "minrnn/cells/weights_header.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/layers/activation.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/prelu.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/layers/unfold.hpp"
#include "minrnn/math/activation_function.hpp"

using namespace minrnn;

namespace {

const Random kRandom(5);
RandomStream stream(std::uint64_t i) { return kRandom.stream(i); }

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path);
  out << text;
  if (!out.flush()) throw std::runtime_error(path + ": cannot be written");
}

/// What goes into an amplifier is scaled, and what comes out of it.
struct Scales {
  double input = 1.75, output = 0.3;

  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "input", self.input);
    visitor(scope / "output", self.output);
  }
};

/// What the steps of a net answer, as an array.
template <class L>
std::string answers_of(const L& net, const Scales& scales, const std::string& name) {
  auto state = net.initial_state(1);
  typename L::Cache cache;
  std::string y;
  for (Index t = 0; t < headers::kFrames; ++t) {
    const float scaled = static_cast<float>(scales.input) * headers::input(t);
    const auto y_t = net.step(FrameView<const float>(&scaled, 1, 1), state, cache);
    y += detail::literal_of(static_cast<float>(scales.output) * *y_t.data()) + ",\n";
  }
  return "inline constexpr float " + name + "[] = {\n" + y + "};\n";
}

/// A checkpoint with what amp says in its own, and what its layers answer.
void write_pedal(const std::string& folder) {
  const Sequential net{DiagonalGru<float>(1, 8, stream(0)), DiagonalGru<float>(8, 8, stream(1)),
                       Linear<float>(8, 1, stream(2))};
  const Scales scales;
  save_checkpoint(folder + "/pedal.safetensors", Parts(Part{"model", net}, Part{"scale", scales}),
                  {{"program", "amp"},
                   {"mixer", "diagonal-gru"},
                   {"size", "8"},
                   {"layers", "2"},
                   {"rate", "48000"},
                   {"latency", "0"}});
  write(folder + "/answers.hpp", answers_of(net, scales, "kAnswers") +
                                     answers_of(quantise(net, WeightFormat::int8), scales, "kAnswersOfInt8") +
                                     answers_of(quantise(net, WeightFormat::bf16), scales, "kAnswersOfBf16"));
}

template <class Cells>
void write_wanted(const std::string& folder, const std::string& name, const Cells& cells) {
  std::ofstream out(folder + "/" + name + "_wanted.hpp");
  write_weights_header(out, cells, name);
  if (!out.flush()) throw std::runtime_error(name + "_wanted.hpp: cannot be written");
}

/// A checkpoint of all kinds of cells, and the header that a program makes of them.
template <class S>
void write_every_cell(const std::string& folder, const std::string& name) {
  constexpr auto plain = Candidate::plain;
  constexpr auto linear = Arithmetic::linear;
  constexpr auto unnormalised = GateScaling::unnormalised;
  const MinimalOptions learns{.learn_initial_state = true};
  const Sequential branch{named<"norm">(RmsNorm<S>(6)),
                          named<"conv">(Conv1d<S>(6, 4, stream(3))),
                          named<"dilated">(Conv1d<S>(6, 2, stream(2), {.dilation = 7})),
                          named<"mixer">(MinGru<S>(6, 12, stream(4), learns)),
                          named<"down">(Linear<S>(12, 6, stream(5), {.bias = false})),
                          named<"dropout">(Dropout<S>(6, 0.1, stream(6)))};
  const Sequential mlps{Residual(Mlp<S>(6, 11, stream(8))), Mlp<S>(6, 4, stream(9), {.form = MlpForm::gated}),
                        Mlp<S>(6, 3, stream(10), {.gelu = GeluForm::exact}),
                        Mlp<S>(6, 5, stream(11), {.form = MlpForm::gated, .gelu = GeluForm::exact})};
  const Sequential minimal{MinGru<S, plain>(6, 5, stream(12)),
                           SignedMinGru<S>(5, 4, stream(13), learns),
                           MinLstm<S>(4, 3, stream(14)),
                           MinLstm<S, GateScaling::normalised, plain>(3, 5, stream(15)),
                           SignedMinLstm<S>(5, 17, stream(16)),
                           MinLstm<S, unnormalised>(17, 2, stream(17)),
                           MinLstm<S, unnormalised, plain>(2, 3, stream(18)),
                           MinLstm<S, unnormalised, plain, linear, Decay::flip>(3, 5, stream(19))};
  using F = ActivationFunction;
  const Sequential activations{Activation<S>(3, F::tanh), Activation<S>(3, F::sigmoid), Activation<S>(3, F::relu),
                               Activation<S>(3, F::elu),  Activation<S>(3, F::gelu),    Activation<S>(3, F::exact_gelu),
                               Activation<S>(3, F::silu), Activation<S>(3, F::softmax)};
  const Sequential net{named<"up">(Linear<S>(2, 6, stream(7))),
                       named<"branch">(Residual(branch)),
                       named<"mlps">(mlps),
                       named<"minimal">(minimal),
                       named<"rg_lru">(RgLru<S>(5, 6, stream(20))),
                       named<"diagonal_gru">(DiagonalGru<S>(6, 5, stream(21))),
                       named<"diagonal_lstm">(DiagonalLstm<S>(5, 7, stream(22))),
                       named<"gru">(Gru<S>(7, 6, stream(23))),
                       named<"lstm">(Lstm<S>(6, 3, stream(24))),
                       named<"activations">(activations),
                       named<"unfold">(Unfold<S>(3, 2)),
                       named<"dilated_unfold">(Unfold<S>(6, 2, {.dilation = 3})),
                       named<"prelu">(Prelu<S>(12))};
  const headers::EveryCell<S> cells(net);
  save_checkpoint(
      folder + "/" + name + ".safetensors", Parts(Part{"net", net}),
      {{"part", "net"}, {"cells", std::string(detail::description<typename headers::EveryCell<S>::Form>().text())}});
  write_wanted(folder, name, cells);
  write_wanted(folder, name + "_int8", QuantisedCell<headers::EveryCell<S>, WeightFormat::int8>(net));
  write_wanted(folder, name + "_bf16", QuantisedCell<headers::EveryCell<S>, WeightFormat::bf16>(net));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "nets FOLDER\n";
    return 2;
  }
  write_pedal(argv[1]);
  write_every_cell<float>(argv[1], "every");
  write_every_cell<double>(argv[1], "every_double");
}
