// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Runs on the host: writes what the target includes, the weights of the models as headers and what the steps of the
// layers answer. `write_answers FOLDER`
#include <fstream>
#include <iostream>
#include <stdexcept>
#include <string>

#include "cortex/models.hpp"
#include "minrnn/cells/weights_header.hpp"
#include "minrnn/compose/quantised.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/random.hpp"
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
#include "minrnn/layers/rg_lru.hpp"
#include "minrnn/layers/rms_norm.hpp"

using namespace minrnn;

namespace {

/// `name`.hpp: the weights of the model, and frames with the answers of the layers to them.
template <class Model, class L>
void write(const std::string& folder, const std::string& name, const Model& model, const L& layer) {
  std::ofstream out(folder + "/" + name + ".hpp");
  write_weights_header(out, model, name);
  Random random(9);
  auto state = layer.initial_state(1);
  typename L::Cache cache;
  std::string x, y;
  for (Index t = 0; t < cortex::kFrames; ++t) {
    typename Model::Input frame;
    for (float& x_t : frame) {
      x_t = static_cast<float>(random.normal());
      x += detail::literal_of(x_t) + ",\n";
    }
    const auto answer = layer.step(frame, state, cache);
    for (Index i = 0; i < Model::output_size(); ++i) y += detail::literal_of(answer.data()[i]) + ",\n";
  }
  out << "namespace " << name << " {\ninline constexpr float kInputs[] = {\n"
      << x << "};\ninline constexpr float kAnswers[] = {\n"
      << y << "};\n}\n";
  if (!out.flush()) throw std::runtime_error(folder + "/" + name + ".hpp: cannot be written");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "write_answers FOLDER\n";
    return 2;
  }
  const Random random(4);
  const auto stream = [&](std::uint64_t i) { return random.stream(i); };
  const Sequential amplifier{MinGru<float>(1, 16, stream(0)), MinGru<float>(16, 16, stream(1)),
                             Linear<float>(16, 1, stream(2))};
  write(argv[1], "amplifier", cortex::Amplifier(amplifier), amplifier);
  write(argv[1], "narrow_amplifier", cortex::NarrowAmplifier(amplifier), quantise(amplifier, WeightFormat::int8));
  const auto branch = Sequential{RmsNorm<float>(6), Conv1d<float>(6, 4, stream(3)),
                                 MinGru<float>(6, 12, stream(4), {.learn_initial_state = true}),
                                 Linear<float>(12, 6, stream(5)), Dropout<float>(6, 0.1, stream(6))};
  const Sequential every_cell{
      Linear<float>(2, 6, stream(7)),         Residual(branch),
      Residual(Mlp<float>(6, 11, stream(8))), Mlp<float>(6, 4, stream(9), {.form = MlpForm::gated}),
      MinLstm<float>(6, 5, stream(10)),       SignedMinGru<float>(5, 6, stream(11)),
      SignedMinLstm<float>(6, 5, stream(12)), RgLru<float>(5, 6, stream(13)),
      DiagonalGru<float>(6, 5, stream(14)),   DiagonalLstm<float>(5, 7, stream(15)),
      Gru<float>(7, 6, stream(16)),           Lstm<float>(6, 3, stream(17))};
  write(argv[1], "every_cell", cortex::EveryCell(every_cell), every_cell);
}
