// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// convert: looks into files of weights, and makes ours of theirs and theirs of ours. See --help.
#include <CLI/CLI.hpp>
#include <string>

#include "commands.hpp"
#include "minrnn/version.hpp"
#include "support/console.hpp"
#include "support/errors.hpp"
#include "support/options.hpp"
#include "support/run_program.hpp"

const char* const tool::program_name = "convert";

namespace {

using namespace tool;
using minrnn::Index;

CLI::Option* add_format(CLI::App& app, convert::Settings& s, const std::string& text) {
  for (const auto& [name, size, what] : {std::tuple{"--inputs", &s.puffer.inputs, "observations"},
                                         {"--features", &s.puffer.features, "hidden_size"},
                                         {"--outputs", &s.puffer.outputs, "logits of all actions, and one value"},
                                         {"--layers", &s.puffer.layers, "of minGRU"},
                                         {"--deviations", &s.puffer.deviations, "continuous actions"}})
    add_number(app, name, *size, kSize, std::string("of puffer, whose files do not say it: ") + what, false);
  return app.add_option("--format", s.format, text)->check(CLI::IsMember(convert::format_names()));
}

CLI::App* add_header(CLI::App& app, convert::Settings& s) {
  CLI::App* header = app.add_subcommand("header", "the weights of a checkpoint of ours as a header for cells");
  add_file(*header, "MODEL", s.from, "the checkpoint")->required();
  add_file(*header, "-o,--output", s.to, "the header to be written")->required();
  header->add_option("--cells", s.cells,
                     "what the model is, in the order of its layers, as \"MinGru, Residual (RmsNorm, Mlp), Linear\" "
                     "(default: what its metadata say, as those of amp do)");
  header->add_option("--part", s.part, "where the model stands in the checkpoint, as net (default: it is all of it)");
  header->add_option("--namespace", s.name_space, "of the struct Weights (default: the name of the header)");
  add_weights(*header, s.weights, "store the matrices of products in 16 or 8 bits (default: in full)");
  header->add_flag("--float", s.floats, "round what is in 64 bits to floats");
  header->add_flag("--overwrite", s.overwrite, "replace the header where it is there");
  header->footer(
      "Example:\n"
      "  convert header pedal.safetensors -o pedal.hpp\n"
      "  convert header net.safetensors -o net.hpp --cells \"plain MinGru, Linear\"\n"
      "  convert header pedal.safetensors -o pedal.hpp --weights int8");
  return header;
}

int run(int argc, char** argv) {
  CLI::App app("Weights of others: looks into them, and makes checkpoints of minrnn of them, or them of checkpoints.",
               "convert");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "convert " MINRNN_VERSION_STRING);
  app.footer(
      "Formats:\n"
      "  torch            safetensors of torch.nn's GRU, LSTM, Linear, Conv1d, Embedding, LayerNorm, RMSNorm\n"
      "  min-gru-pytorch  safetensors of lucidrains' minGRU, minLSTM, minLM\n"
      "  min-rnns         safetensors of the paper's official code; comes back with gamma and mult_bias rounded\n"
      "  mamba            safetensors of Mamba, of transformers or mamba_ssm\n"
      "  rtneural         JSON of RTNeural: dense, conv1d, conv2d, gru, lstm, activation, prelu, batchnorm\n"
      "  nam              LSTMs of Neural Amp Modeler\n"
      "  guitar-amp       JSON of Automated-GuitarAmpModelling and AIDA-X\n"
      "  puffer           policies of PufferLib; with --inputs, --features, --outputs\n"
      "Example:\n"
      "  convert inspect gru.safetensors\n"
      "  convert header pedal.safetensors -o pedal.hpp\n"
      "  convert gru.safetensors ours.safetensors --format torch\n"
      "  convert trained.safetensors back.safetensors --format torch --like gru.safetensors");
  convert::Settings s;
  add_file(app, "FROM", s.from, "the file to be read");
  add_file(app, "TO", s.to, "the file to be written");
  add_format(app, s, "of the file that is not ours");
  add_file(app, "--like", s.like, "a file of theirs: FROM is ours, and TO gets the names and shapes of this one");
  app.add_flag("--overwrite", s.overwrite, "replace TO where it is there");
  CLI::App* inspect = app.add_subcommand("inspect", "the tensors of a file: names, types, shapes, sizes; its metadata");
  CLI::App* check = app.add_subcommand("check", "whether a file is whole, and all of its numbers are finite");
  CLI::App* header = add_header(app, s);
  for (CLI::App* command : {inspect, check}) {
    add_file(*command, "FILE", s.from, "the file to be read")->required();
    add_format(*command, s, "of the file (default: safetensors of any names, or their .index.json)");
  }

  if (const auto status = parse(app, argc, argv)) return *status;
  const bool has_sizes = s.puffer.inputs > 0 && s.puffer.features > 0 && s.puffer.outputs > 0;
  if (s.format == "puffer" && !has_sizes) return fail("--format puffer: wanted --inputs, --features and --outputs");
  if (*inspect) return convert::inspect(s);
  if (*check) return convert::check_file(s);
  if (*header) return convert::write_header(s);
  if (s.from.empty() || s.to.empty())
    return fail("wanted FROM and TO, or a command: inspect, check or header; --help says more");
  if (s.format.empty()) return fail("wanted --format; --help says more");
  return convert::convert(s);
}

}  // namespace

int main(int argc, char** argv) {
  return tool::run_program([&] { return run(argc, argv); }, tool::fail, "not enough memory for this file");
}
