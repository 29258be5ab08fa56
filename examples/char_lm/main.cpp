// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// char_lm: trains, samples and evaluates character language models. See --help.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <sstream>
#include <system_error>

#ifdef _OPENMP
#include <omp.h>
#endif
#if defined(_OPENMP) && defined(__linux__)
#include <unistd.h>
#endif

#include "commands.hpp"

namespace {

/// What an option accepts: a finite number of the type T within bounds.
template <class T>
CLI::Validator within(T least, T most, const std::string& wanted) {
  return CLI::Validator(
      [=](std::string& given) {
        T value{};
        const bool good = CLI::detail::lexical_cast(given, value) && value >= least && value <= most;
        return good ? std::string() : "wanted " + wanted + ", given " + given;
      },
      "");
}
CLI::Validator size_up_to(std::int64_t most) {
  std::ostringstream wanted;
  wanted << "a whole number from 1 to " << most;
  return within<std::int64_t>(1, most, wanted.str());
}
const CLI::Validator kSize = size_up_to(char_lm::kMostSize);
const CLI::Validator kCount = size_up_to(1'000'000'000'000);
const CLI::Validator kSeed = within<std::int64_t>(0, INT64_MAX, "a whole number not below 0");
const CLI::Validator kPositive = within<double>(1e-300, 1e300, "a positive number");
const CLI::Validator kNotNegative = within<double>(0, 1e300, "a number not below 0");

void add_train(CLI::App& app, char_lm::TrainSettings& s) {
  const auto option = [&](const char* name, auto& value, const CLI::Validator& check, const char* text) {
    app.add_option(name, value, text)->check(check)->capture_default_str();
  };
  app.add_option("--data", s.data, "text to train on; the last tenth validates (default: this library's own headers)");
  app.add_option("--mixer", s.model.mixer)
      ->check(CLI::IsMember({"mingru", "minlstm", "gru", "lstm", "mamba", "transformer"}))
      ->capture_default_str();
  option("--layers", s.model.layers, kSize, "blocks of the model");
  option("--dim", s.model.dim, kSize, "features of the model");
  option("--expansion", s.model.expansion, kSize, "features of the mixer / dim; none for a transformer");
  app.add_option("--heads", s.model.heads, "of a transformer; a divisor of dim (default: dim / 64)")->check(kSize);
  app.add_option("--window", s.model.window, "characters that a transformer sees (default: the context)")
      ->check(size_up_to(char_lm::kMostWindow));
  option("--dropout", s.model.dropout, within<double>(0, 0.99, "a number from 0 to 0.99"), "on each residual branch");
  option("--batch", s.batch, kSize, "sequences in a step");
  option("--context", s.context, kSize, "characters in a sequence");
  app.add_option("--steps", s.steps,
                 "steps in all, those before --resume included (default: 2000, or what --minutes allows). The learning "
                 "rate falls along them: a training continued with more steps differs from one that began with them")
      ->check(kCount);
  app.add_option("--minutes", s.minutes,
                 "minutes in all. The learning rate then falls by the clock too, so no two runs are the same bit for "
                 "bit, as they are with --steps alone")
      ->check(kPositive);
  option("--learning-rate", s.learning_rate, kPositive, "highest; warm-up over 100 steps, then a cosine to a tenth");
  option("--weight-decay", s.weight_decay, kNotNegative, "of AdamW, on matrices");
  option("--clip", s.clip, kPositive, "largest norm of the gradient");
  app.add_option("--seed", s.seed)->check(kSeed)->capture_default_str();
  app.add_option("--checkpoint", s.checkpoint,
                 "FILE.safetensors for the weights of the best validation loss; the training "
                 "state goes to FILE.resume.safetensors beside it");
  option("--save-every", s.save_every, kCount, "steps between two saves of the training state");
  option("--evaluate-every", s.evaluate_every, kCount, "steps between two lines of progress");
  app.add_flag("--resume", s.resume, "go on from FILE.resume.safetensors, with the same settings");
  app.add_flag("--overwrite", s.overwrite, "start anew though the files are there")->excludes("--resume");
  app.add_option("--log", s.log, "FILE.csv: step,train_loss,validation_loss,seconds,characters_per_second");
}

void add_sample(CLI::App& app, char_lm::SampleSettings& s) {
  app.add_option("--checkpoint", s.checkpoint)->required();
  app.add_option("--prompt", s.prompt, "what the text begins with (default: a line begins)");
  app.add_option("--length", s.length, "characters after the prompt")
      ->check(within<std::int64_t>(0, 1'000'000'000'000, "a whole number not below 0"))
      ->capture_default_str();
  app.add_option("--temperature", s.temperature, "0 always takes the most likely")
      ->check(kNotNegative)
      ->capture_default_str();
  app.add_option("--top-k", s.top_k, "draw among the k most likely (default: all)")->check(kSize);
  app.add_option("--seed", s.seed)->check(kSeed)->capture_default_str();
}

/// OpenMP's idle threads spin by default. Where anything else runs on the machine they take the cores from the threads that
/// work: on 2 shared cores training falls to between a half and a third. Asleep they cost nothing that can be measured. The
/// runtime reads the policy once, when the program is loaded; so the program starts over, unless the user has chosen.
void wait_asleep([[maybe_unused]] char** argv) {
#if defined(_OPENMP) && defined(__linux__)
  if (std::getenv("OMP_WAIT_POLICY") != nullptr || setenv("OMP_WAIT_POLICY", "passive", 0) != 0) return;
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(program.c_str(), argv);  // where that fails, it goes on as it is
#endif
}

int fail(const char* reason, int status = 2) {
  std::fprintf(stderr, "char_lm: %s\n", reason);
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  wait_asleep(argv);
  CLI::App app("Character language models with minimal recurrent networks", "char_lm");
  app.require_subcommand(0, 1);  // that there is one is checked below, where what is there instead has been named
  char_lm::TrainSettings training;
  char_lm::SampleSettings sampling;
  std::string checkpoint, data;
  int threads = 0;

  CLI::App* train = app.add_subcommand("train", "train a model");
  add_train(*train, training);
  CLI::App* sample = app.add_subcommand("sample", "let a model write");
  add_sample(*sample, sampling);
  CLI::App* eval = app.add_subcommand("eval", "the loss of a model over a file");
  eval->add_option("--checkpoint", checkpoint)->required();
  eval->add_option("--data", data)->required();
  for (CLI::App* command : {train, eval})
    command->add_option("--threads", threads, "(default: all cores)")->check(size_up_to(1024));

  try {
    app.parse(argc, argv);
#ifdef _OPENMP
    if (threads > 0) omp_set_num_threads(threads);
#endif
    if (*train) return char_lm::train(training);
    if (*sample) return char_lm::sample(sampling);
    if (*eval) return char_lm::evaluate(checkpoint, data);
    return fail("wanted a command: train, sample or eval; --help says more");
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const char_lm::Diverged& error) {
    return fail(error.what(), 1);
  } catch (const std::bad_alloc&) {
    return fail("not enough memory: wanted smaller sizes");
  } catch (const std::exception& error) {  // of the command line, the input, or a file
    return fail(error.what());
  }
}
