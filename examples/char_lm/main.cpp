// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// char_lm: trains, samples and evaluates character language models. See --help.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <optional>
#include <string>
#include <system_error>

#include "commands.hpp"
#include "minrnn/core/narrow_weight.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/version.hpp"
#include "ranks.hpp"
#include "support/console.hpp"
#include "support/mixer_names.hpp"
#include "support/options.hpp"
#include "support/run_program.hpp"

const char* const tool::program_name = "char_lm";

namespace {

using namespace tool;
using char_lm::Index;

void add_train(CLI::App& app, char_lm::TrainSettings& s) {
  add_file(app, "--data", s.data,
           "text to train on, - for standard input; the last tenth validates (default: this library's own headers)");
  app.add_option("--mixer", s.model.mixer)->check(CLI::IsMember(mixer_names()))->capture_default_str();
  add_number(app, "--layers", s.model.layers, kSize, "blocks of the model");
  add_number(app, "--dim", s.model.dim, kSize, "features of the model");
  add_number(app, "--expansion", s.model.expansion, kSize, "features of the mixer / dim; none for a transformer");
  add_number(app, "--heads", s.model.heads, kSize, "of a transformer; a divisor of dim (default: dim / 64)", false);
  add_number(app, "--window", s.model.window, whole_number<Index>(1, char_lm::kMostWindow),
             "characters that a transformer sees (default: the context)", false);
  add_number(app, "--dropout", s.model.dropout, {0, 0.99, "a number from 0 to 0.99"}, "on each residual branch");
  add_number(app, "--batch", s.batch, kSize, "sequences in a step");
  add_number(app, "--context", s.context, kSize, "characters in a sequence");
  add_number(app, "--steps", s.steps, kCount,
             "steps in all, those before --resume included (default: 2000, or what --minutes allows). The learning "
             "rate falls along them: a training continued with more steps differs from one that began with them",
             false);
  add_number(app, "--minutes", s.minutes, kPositive,
             "minutes in all; the validation at the end may take a twentieth more. The learning rate then falls by the "
             "clock too, so no two runs are the same bit for bit, as they are with --steps alone",
             false);
  add_number(app, "--learning-rate", s.learning_rate, kPositiveFloat,
             "highest; warm-up over 100 steps, then a cosine to a tenth");
  add_number(app, "--weight-decay", s.weight_decay, kNotNegativeFloat, "of AdamW, on matrices");
  add_number(app, "--clip", s.clip, kPositive, "largest norm of the gradient");
  add_number(app, "--seed", s.seed, kSeed, "of weights, dropout and the order of the text");
  add_number(app, "--shards", s.shards, kSize,
             "parts of a batch, a power of two, which as many machines or fewer share: mpirun -np 4 char_lm train ... "
             "gives the bits of any other number, and of none with --shards 8 (default: 8 under mpirun, else none)",
             false);
  add_file(app, "--checkpoint", s.checkpoint,
           "FILE.safetensors for the weights of the best validation loss; the training state goes to "
           "FILE.resume.safetensors beside it (default: none, the weights are lost)");
  add_number(app, "--save-every", s.save_every, kCount, "steps between two saves of the training state");
  add_number(app, "--evaluate-every", s.evaluate_every, kCount, "steps between two validations");
  app.add_flag("--resume", s.resume, "go on from FILE.resume.safetensors, with the same settings");
  app.add_flag("--overwrite", s.overwrite, "start anew though the files are there")->excludes("--resume");
  add_file(app, "--log", s.log, "FILE.csv: step,train_loss,validation_loss,seconds,characters_per_second");
  app.footer(
      "Example:\n"
      "  char_lm train --data book.txt --minutes 10 --checkpoint book.safetensors --log book.csv");
}

const char* const kWeights = "store the large ones in 16 or 8 bits (default: as they are in the file)";

void add_sample(CLI::App& app, char_lm::SampleSettings& s) {
  add_file(app, "--checkpoint", s.checkpoint, "of a training")->required();
  add_weights(app, s.weights, kWeights);
  app.add_option("--prompt", s.prompt, "what the text begins with (default: a line begins)");
  add_file(app, "--prompt-file", s.prompt_file, "a file of what it begins with, - for standard input")
      ->excludes("--prompt");
  add_number(app, "--length", s.length, whole_number<std::int64_t>(0, kCount.most), "characters after the prompt");
  add_number(app, "--samples", s.samples, kCount, "so many texts, each from the prompt on");
  add_number(app, "--temperature", s.temperature, kNotNegative, "0 always takes the most likely");
  add_number(app, "--top-k", s.top_k, kSize, "draw among the k most likely (default: all)", false);
  add_number(app, "--top-p", s.top_p, {1e-300, 1, "a number above 0, up to 1"},
             "draw among the most likely that come to this probability");
  add_number(app, "--seed", s.seed, kSeed, "of the draws");
  app.footer(
      "Examples:\n"
      "  char_lm sample --checkpoint book.safetensors --prompt \"It was\" --temperature 0.7\n"
      "  head -c 1000 book.txt | char_lm sample --checkpoint book.safetensors --prompt-file - --samples 3");
}

int run(int argc, char** argv, std::optional<char_lm::Ranks>& ranks) {
  CLI::App app(
      "Character language models with minimal recurrent networks. A character is a byte here: any text will do, and "
      "in\n"
      "UTF-8 a letter beyond ASCII is two characters or more.",
      "char_lm");
  app.require_subcommand(0, 1);  // that there is one is checked below, where what is there instead has been named
  app.set_version_flag("--version", "char_lm " MINRNN_VERSION_STRING);
  app.footer(
      "Example:\n"
      "  char_lm train --data book.txt --minutes 10 --checkpoint book.safetensors\n"
      "  char_lm sample --checkpoint book.safetensors --prompt \"It was\"\n"
      "  char_lm eval --checkpoint book.safetensors --data other.txt");
  char_lm::TrainSettings training;
  char_lm::SampleSettings sampling;
  std::string checkpoint, data;
  std::optional<minrnn::WeightFormat> weights;
  Index threads = 0;

  CLI::App* train = app.add_subcommand("train", "train a model");
  add_train(*train, training);
  CLI::App* sample = app.add_subcommand("sample", "let a model write");
  add_sample(*sample, sampling);
  CLI::App* eval = app.add_subcommand("eval", "the loss of a model over a file");
  add_file(*eval, "--checkpoint", checkpoint, "of a training")->required();
  add_weights(*eval, weights, kWeights);
  add_file(*eval, "--data", data, "text of any length, - for standard input")->required();
  for (CLI::App* command : {train, eval})
    add_number(*command, "--threads", threads, whole_number<Index>(1, 1024),
               "(default: all cores; under mpirun those of a machine, divided by its ranks)", false);

  if (const auto status = parse(app, argc, argv)) return *status;
  if (*sample) return char_lm::sample(sampling);
  if (*train) {
    ranks.emplace();
    if (!ranks->first()) be_silent();
    if (ranks->launched() && training.shards == 0) training.shards = 8;
    minrnn::ThreadPool pool(threads > 0 ? threads : ranks->threads());
    return char_lm::train(training, pool, *ranks);
  }
  minrnn::ThreadPool pool(threads);
  if (*eval) return char_lm::evaluate(checkpoint, weights, data, pool);
  return fail("wanted a command: train, sample or eval; --help says more");
}

}  // namespace

int main(int argc, char** argv) {
  std::optional<char_lm::Ranks> ranks;  // outlives what is thrown, as it may end the other ranks
  const auto failed = [&](const std::string& reason, int status) {
    if (!ranks) return tool::fail(reason, status);
    if (ranks->tells()) tool::fail(ranks->first() ? reason : "rank " + std::to_string(ranks->rank()) + ": " + reason);
    return ranks->after_failure(status);
  };
  const auto run_together = [&] {
    try {
      return run(argc, argv, ranks);
    } catch (const char_lm::OtherRankFailed&) {
      return ranks ? ranks->after_failure(2) : 2;
    } catch (const minrnn::SharedError& error) {
      ranks->end_together();
      return failed(error.what(), 2);
    }
  };
  return tool::run_program(run_together, failed);
}
