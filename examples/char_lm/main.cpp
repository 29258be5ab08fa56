// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// char_lm: trains, samples and evaluates character language models. See --help.
#include <CLI/CLI.hpp>
#include <cstdio>

#ifdef _OPENMP
#include <omp.h>
#endif

#include "commands.hpp"

namespace {

void add_train(CLI::App& app, char_lm::TrainSettings& s, int& threads) {
  app.add_option("--data", s.data, "text to train on; the last tenth validates (default: this library's own headers)");
  app.add_option("--mixer", s.model.mixer)
      ->check(CLI::IsMember({"mingru", "minlstm", "gru", "lstm"}))
      ->capture_default_str();
  const auto size = [&](const char* name, auto& value, const char* text) {
    app.add_option(name, value, text)->check(CLI::PositiveNumber)->capture_default_str();
  };
  size("--layers", s.model.layers, "blocks of the model");
  size("--dim", s.model.dim, "features of the model");
  size("--expansion", s.model.expansion, "features of the mixer / dim");
  app.add_option("--dropout", s.model.dropout)->check(CLI::Range(0.0, 0.99))->capture_default_str();
  size("--batch", s.batch, "sequences in a step");
  size("--context", s.context, "characters in a sequence");
  app.add_option("--steps", s.steps,
                 "steps in all, those before --resume included (default: 2000, or what --minutes allows)")
      ->check(CLI::PositiveNumber);
  app.add_option("--minutes", s.minutes,
                 "stop after this time; the learning rate then falls by the clock, so that a "
                 "resumed run is not the same bit for bit as with --steps")
      ->check(CLI::PositiveNumber);
  size("--learning-rate", s.learning_rate, "highest; warm-up over 100 steps, then a cosine to a tenth");
  app.add_option("--weight-decay", s.weight_decay, "of AdamW, on matrices")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  size("--clip", s.clip, "largest norm of the gradient");
  app.add_option("--seed", s.seed)->capture_default_str();
  app.add_option("--threads", threads, "(default: all cores)")->check(CLI::PositiveNumber);
  app.add_option("--checkpoint", s.checkpoint,
                 "FILE.safetensors for the weights of the best validation loss; the training "
                 "state goes to FILE.resume.safetensors beside it");
  size("--save-every", s.save_every, "steps between two saves of the training state");
  size("--evaluate-every", s.evaluate_every, "steps between two lines of progress");
  app.add_flag("--resume", s.resume, "go on from FILE.resume.safetensors, with the same settings");
  app.add_flag("--overwrite", s.overwrite, "start anew though the checkpoint is there");
  app.add_option("--log", s.log, "FILE.csv: step,train_loss,validation_loss,seconds,characters_per_second");
}

int fail(const char* reason) {
  std::fprintf(stderr, "char_lm: %s\n", reason);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Character language models with minimal recurrent networks", "char_lm");
  app.require_subcommand(1);
  int threads = 0;
  char_lm::TrainSettings training;
  CLI::App* train = app.add_subcommand("train", "train a model");
  add_train(*train, training, threads);

  char_lm::SampleSettings sampling;
  CLI::App* sample = app.add_subcommand("sample", "let a model write");
  sample->add_option("--checkpoint", sampling.checkpoint)->required();
  sample->add_option("--prompt", sampling.prompt, "what it continues (default: a new line)");
  sample->add_option("--length", sampling.length, "characters")->check(CLI::NonNegativeNumber)->capture_default_str();
  sample->add_option("--temperature", sampling.temperature, "0 always takes the most likely")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  sample->add_option("--top-k", sampling.top_k, "draw among the k most likely (default: all)")
      ->check(CLI::PositiveNumber);
  sample->add_option("--seed", sampling.seed)->capture_default_str();

  std::string checkpoint, data;
  CLI::App* eval = app.add_subcommand("eval", "the loss of a model over a file");
  eval->add_option("--checkpoint", checkpoint)->required();
  eval->add_option("--data", data)->required();
  eval->add_option("--threads", threads)->check(CLI::PositiveNumber);

  try {
    app.parse(argc, argv);
#ifdef _OPENMP
    if (threads > 0) omp_set_num_threads(threads);
#endif
    if (*train) return char_lm::train(training);
    if (*sample) return char_lm::sample(sampling);
    return char_lm::evaluate(checkpoint, data);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const std::exception& error) {  // of the command line, the input, or a file
    return fail(error.what());
  }
}
