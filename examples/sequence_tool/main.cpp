// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// sequence_tool: trains models that give one answer for a sequence, and asks them. See --help.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>
#include <utility>

#include "commands.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/version.hpp"
#include "support/console.hpp"
#include "support/mixer_names.hpp"
#include "support/options.hpp"
#include "support/run_program.hpp"

const char* const tool::program_name = "sequence_tool";

namespace {

using namespace tool;
using sequence_tool::Index;

void add_task(CLI::App& app, std::string& task) {
  app.add_option("--task", task)->check(CLI::IsMember({"classification", "regression"}))->capture_default_str();
}

void add_data(CLI::App& app, sequence_tool::DataFiles& files, const std::string& without) {
  CLI::Option* data = add_file(app, "--data", files.data,
                               "CSV in long form: a row for each frame, columns id, time, features, target; - for "
                               "standard input" +
                                   without);
  add_file(app, "--images", files.images, "images in an idx file, as those of MNIST")->excludes(data);
  add_file(app, "--labels", files.labels, "and their labels")->excludes(data);
}

void add_model(CLI::App& app, sequence_tool::ModelSettings& s) {
  app.add_option("--mixer", s.mixer)->check(CLI::IsMember(mixer_names()))->capture_default_str();
  app.add_option("--pool", s.pool, "what the answer is made from: the last frame, or mean or maximum over all frames")
      ->check(CLI::IsMember({"last", "mean", "max"}))
      ->capture_default_str();
  add_number(app, "--layers", s.layers, kSize, "blocks of the model");
  add_number(app, "--dim", s.dim, kSize, "features of the model");
  add_number(app, "--expansion", s.expansion, kSize, "features of the mixer / dim; none for a transformer");
  add_number(app, "--kernel", s.kernel, kSize, "frames that the convolution before the mixer sees");
  add_number(app, "--heads", s.heads, kSize, "of a transformer; a divisor of dim (default: dim / 64)", false);
  add_number(app, "--window", s.window, whole_number<Index>(1, sequence_tool::kMostWindow),
             "frames that a transformer sees (default: the longest sequence)", false);
  add_number(app, "--memory", s.memory, {2, 1e9, "a number from 2 to 1e9"},
             "frames that diagonal-gru and diagonal-lstm remember at first, in the channel that forgets least; of long "
             "sequences: about their length",
             false);
  app.add_flag("--bidirectional", s.bidirectional,
               "each mixer twice, forward and backward in time; not with --pool last");
  add_number(app, "--dropout", s.dropout, {0, 0.99, "a number from 0 to 0.99"}, "on each residual branch");
}

void add_train(CLI::App& app, sequence_tool::TrainSettings& s, std::string& task) {
  add_task(app, task);
  add_data(app, s.data, " (default: a task that it generates)");
  app.add_option("--read", s.read, "what of an image is a frame: a pixel, or a row of pixels")
      ->check(CLI::IsMember({"pixels", "rows"}))
      ->capture_default_str();
  for (const auto& [name, column] : {std::pair{"--id", &s.model.columns.id},
                                     {"--time", &s.model.columns.time},
                                     {"--target", &s.model.columns.target}})
    app.add_option(name, *column, "the name of this column; those left are the features")->capture_default_str();
  add_model(app, s.model);
  add_number(app, "--validation", s.validation, {0.001, 0.9, "a number from 0.001 to 0.9"},
             "share of the sequences that validates");
  add_number(app, "--batch", s.batch, kSize, "sequences in a step");
  CLI::Option* steps =
      add_number(app, "--steps", s.steps, kCount,
                 "steps in all, those before --resume included (default: 1000, or what --minutes allows). The learning "
                 "rate falls along them: a training continued with more steps differs from one that began with them",
                 false);
  add_number(app, "--epochs", s.epochs, whole_number<std::int64_t>(1, 1'000'000), "times that it takes all sequences",
             false)
      ->excludes(steps);
  add_number(app, "--minutes", s.minutes, kPositive,
             "minutes in all, and the validation at the end. The learning rate then falls by the clock too, so no two "
             "runs are the same bit for bit, as they are without it",
             false);
  add_number(app, "--patience", s.patience, kCount,
             "ends after so many validations that are no better than the best one (default: never)", false);
  add_number(app, "--learning-rate", s.learning_rate, kPositiveFloat,
             "highest; warm-up over 100 steps, then a cosine to a tenth");
  add_number(app, "--weight-decay", s.weight_decay, kNotNegativeFloat, "of AdamW, on matrices");
  add_number(app, "--clip", s.clip, kPositive, "largest norm of the gradient");
  add_number(app, "--seed", s.seed, kSeed, "of weights, dropout, what validates and the order of the sequences");
  add_file(app, "--checkpoint", s.files.checkpoint,
           "FILE.safetensors for the weights of the best validation loss; the training state goes to "
           "FILE.resume.safetensors beside it (default: none, the weights are lost)");
  add_number(app, "--evaluate-every", s.evaluate_every, kCount,
             "steps between two validations (default: an epoch, 50 at least)", false);
  add_number(app, "--save-every", s.save_every, kCount,
             "steps between two saves of the training state (default: as --evaluate-every)", false);
  app.add_flag("--resume", s.files.resume, "go on from FILE.resume.safetensors, with the same settings");
  app.add_flag("--overwrite", s.files.overwrite, "start anew though the files are there")->excludes("--resume");
  add_file(app, "--log", s.files.log, "FILE.csv: step,seconds,train_loss,validation_loss,accuracy (or error)");
  app.footer(
      "Examples:\n"
      "  sequence_tool train --data gestures.csv --checkpoint gestures.safetensors --log gestures.log\n"
      "  sequence_tool train --images train-images-idx3-ubyte --labels train-labels-idx1-ubyte --read pixels \\\n"
      "    --minutes 30 --checkpoint digits.safetensors");
}

void add_output(CLI::App& app, sequence_tool::Output& output) {
  add_file(app, "--output", output.path, "CSV to write (default: standard output)");
  app.add_flag("--overwrite", output.overwrite, "replace it where it is there");
}

int run(int argc, char** argv) {
  CLI::App app("Models that give one answer for a sequence: its class, or a number. Sequences may differ in length.",
               "sequence_tool");
  app.require_subcommand(0, 1);  // that there is one is checked below, where what is there instead has been named
  app.set_version_flag("--version", "sequence_tool " MINRNN_VERSION_STRING);
  app.footer(
      "Example:\n"
      "  sequence_tool train --data gestures.csv --checkpoint gestures.safetensors\n"
      "  sequence_tool evaluate --checkpoint gestures.safetensors --data others.csv\n"
      "  sequence_tool predict --checkpoint gestures.safetensors --data unknown.csv --output answers.csv");
  sequence_tool::TrainSettings training;
  sequence_tool::DataFiles files;
  sequence_tool::Output output;
  std::string checkpoint, task = "classification";
  Index threads = 0, sequences = 1000;
  std::uint64_t seed = 1;

  CLI::App* train = app.add_subcommand("train", "train a model");
  add_train(*train, training, task);
  CLI::App* predict = app.add_subcommand("predict", "what a model says of each sequence, as CSV");
  CLI::App* evaluate = app.add_subcommand("evaluate", "how well a model does on sequences with targets");
  CLI::App* generate = app.add_subcommand("generate", "the task that needs no file, as CSV: an example of the form");
  for (CLI::App* command : {predict, evaluate}) {
    add_file(*command, "--checkpoint", checkpoint, "of a training")->required();
    add_data(*command, files, "");
  }
  predict->footer(
      "id,predicted and the probability of each class; of a regression the number alone. A column of targets is left "
      "out of account.\n"
      "Example:\n"
      "  sequence_tool predict --checkpoint gestures.safetensors --data unknown.csv --output answers.csv");
  evaluate->footer(
      "Example:\n"
      "  sequence_tool evaluate --checkpoint gestures.safetensors --data others.csv");
  add_task(*generate, task);
  add_number(*generate, "--sequences", sequences, kSize, "how many");
  add_number(*generate, "--seed", seed, kSeed, "of what is drawn");
  for (CLI::App* command : {predict, generate}) add_output(*command, output);
  for (CLI::App* command : {train, predict, evaluate})
    add_number(*command, "--threads", threads, whole_number<Index>(1, 1024), "(default: all cores)", false);

  if (const auto status = parse(app, argc, argv)) return *status;
  training.model.task = task == "regression" ? sequence_tool::Task::regression : sequence_tool::Task::classification;
  if (*generate) return sequence_tool::generate(training.model.task, sequences, seed, output);
  minrnn::ThreadPool pool(threads);
  if (*train) return sequence_tool::train(training, pool);
  if (*predict) return sequence_tool::predict(checkpoint, files, output, pool);
  if (*evaluate) return sequence_tool::evaluate(checkpoint, files, pool);
  return fail("wanted a command: train, predict, evaluate or generate; --help says more");
}

}  // namespace

int main(int argc, char** argv) {
  return tool::run_program([&] { return run(argc, argv); });
}
