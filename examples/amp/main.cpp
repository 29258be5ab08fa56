// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// amp: learns a guitar amplifier or a pedal from two recordings, and plays it. See --help.
#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "commands.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/version.hpp"
#include "network.hpp"
#include "support/console.hpp"
#include "support/options.hpp"
#include "support/run_program.hpp"

const char* const tool::program_name = "amp";

namespace {

using namespace tool;
using amp::Index;

const Bounds<Index> kRate = whole_number<Index>(8000, 768'000);
const Bounds<Index> kSamples = whole_number<Index>(2, 1 << 20);
const Bounds<double> kSeconds{0.5, 3600, "a number from 0.5 to 3600"};

void add_circuit(CLI::App& app, amp::CircuitSettings& s) {
  add_number(app, "--seconds", s.seconds, kSeconds, "how long the guitar plays");
  add_number(app, "--rate", s.rate, kRate, "samples a second");
  add_number(app, "--circuit-latency", s.latency, whole_number<Index>(0, 1 << 20),
             "samples that the output is later, as converters make it");
}

void add_format(CLI::App& app, amp::Format& format) {
  const std::map<std::string, amp::Format> formats{
      {"float", amp::Format::float32}, {"pcm24", amp::Format::pcm24}, {"pcm16", amp::Format::pcm16}};
  app.add_option("--format", format, "of what is written: float, pcm24 or pcm16; PCM is cut at full scale")
      ->transform(CLI::CheckedTransformer(formats))
      ->default_str("float");
}

void add_model(CLI::App& app, amp::ModelSettings& s) {
  app.add_option("--mixer", s.mixer)->check(CLI::IsMember(amp::mixer_names()))->capture_default_str();
  add_number(app, "--size", s.size, whole_number<Index>(1, 1024),
             "features; 8, 16 and 32 are streamed by cells whose sizes the compiler knows");
  add_number(app, "--layers", s.layers, whole_number<Index>(1, 2), "1 or 2");
}

void add_recordings(CLI::App& app, amp::TrainSettings& s) {
  CLI::Option* input = add_file(app, "--input", s.input,
                                "WAV of what goes into the device (default: a pair that a solver of a circuit makes)");
  add_file(app, "--output", s.output, "WAV of what comes out of it");
  add_circuit(app, s.circuit);
  for (const char* name : {"--seconds", "--rate", "--circuit-latency"}) app.get_option(name)->excludes(input);
  const Index most = 100'000'000;
  add_number(app, "--latency", s.latency, whole_number<Index>(-most, most),
             "samples that the output is later (default: by the cross-correlation)", false)
      ->each([&s](const std::string&) { s.estimates_latency = false; });
  const Bounds<double> share{0.001, 0.8, "a number from 0.001 to 0.8"};
  add_number(app, "--validation", s.validation, share, "share of the recordings that chooses the best weights");
  add_number(app, "--test", s.test, share, "share, the last one, that only the end of the training sees");
}

void add_training(CLI::App& app, amp::TrainSettings& s) {
  add_number(app, "--batch", s.batch, kSize, "stretches of the recordings that are trained on side by side");
  add_number(app, "--segment", s.segment, kSamples, "samples that a gradient goes back at most");
  add_number(app, "--warm-up", s.warm_up, kSamples, "samples before a stretch that fill the state and do not count");
  add_number(app, "--pre-emphasis", s.loss.pre_emphasis, {0, 1, "a number from 0 to 1"},
             "the loss sees signals through 1 - X z^-1");
  add_number(app, "--steps", s.steps, kCount,
             "steps in all, those before --resume included (default: what --minutes allows)", false);
  add_number(
      app, "--minutes", s.minutes, kPositive,
      "minutes in all (default: 2, where there are no --steps). The learning rate then falls by the clock, so no "
      "two runs are the same bit for bit, as they are without it",
      false);
  add_number(app, "--learning-rate", s.learning_rate, kPositiveFloat,
             "highest; warm-up over 100 steps, then a cosine to a tenth");
  add_number(app, "--clip", s.clip, kPositive, "largest norm of the gradient");
  add_number(app, "--seed", s.seed, kSeed, "of weights, and of where the stretches begin");
}

void add_files(CLI::App& app, amp::TrainSettings& s) {
  add_file(app, "--checkpoint", s.files.checkpoint,
           "FILE.safetensors for the weights of the best validation; the training state goes to "
           "FILE.resume.safetensors beside it (default: none, the weights are lost)");
  add_number(app, "--evaluate-every", s.evaluate_every, kCount, "steps between two validations and saves");
  app.add_flag("--resume", s.files.resume, "go on from FILE.resume.safetensors, with the same settings");
  app.add_flag("--overwrite", s.files.overwrite, "start anew though the files are there")->excludes("--resume");
  add_file(app, "--log", s.files.log, "FILE.csv: step,seconds,train_loss,validation_esr");
  add_file(app, "--listen", s.listen,
           "NAME: at the end NAME.dry.wav, NAME.wet.wav and NAME.model.wav have the test stretch: what went in, the "
           "device and the model");
}

/// What the command line says.
struct Words {
  amp::TrainSettings training;
  amp::RunSettings running;
  amp::CircuitSettings circuit;
  amp::CircuitFiles circuit_files;
  Index threads = 0;
  double seconds = 10;
};

void add_train(CLI::App& app, Words& words) {
  add_recordings(app, words.training);
  add_model(app, words.training.model);
  add_training(app, words.training);
  add_files(app, words.training);
  add_number(app, "--threads", words.threads, whole_number<Index>(1, 1024), "(default: all cores)", false);
  app.footer(
      "Example:\n"
      "  amp train --input dry.wav --output wet.wav --minutes 5 --checkpoint pedal.safetensors --listen pedal");
}

void add_run(CLI::App& app, Words& words) {
  add_file(app, "--model", words.running.model, "of a training")->required();
  add_file(app, "--input", words.running.input, "WAV to play")->required();
  add_file(app, "--output", words.running.output, "WAV to write")->required();
  add_number(app, "--block", words.running.block, whole_number<Index>(1, 1 << 20),
             "samples at a time; the answer is the same for all");
  add_format(app, words.running.format);
  app.add_flag("--overwrite", words.running.overwrite, "replace the file that is there");
  app.footer("Example:\n  amp run --model pedal.safetensors --input dry.wav --output played.wav");
}

void add_bench(CLI::App& app, Words& words) {
  add_file(app, "--model", words.running.model, "of a training")->required();
  add_number(app, "--seconds", words.seconds, {0.01, 60, "a number from 0.01 to 60"}, "how long it plays");
  app.footer("Example:\n  amp bench --model pedal.safetensors");
}

void add_pair(CLI::App& app, Words& words) {
  add_file(app, "--output-dry", words.circuit_files.dry, "WAV of the guitar")->required();
  add_file(app, "--output-wet", words.circuit_files.wet, "WAV of what the circuit makes of it")->required();
  add_circuit(app, words.circuit);
  add_number(app, "--seed", words.circuit.seed, kSeed, "of what is played");
  add_format(app, words.circuit_files.format);
  app.add_flag("--overwrite", words.circuit_files.overwrite, "replace the files that are there");
  app.footer("Example:\n  amp circuit --output-dry dry.wav --output-wet wet.wav");
}

int run(int argc, char** argv) {
  CLI::App app("Learns a guitar amplifier or a pedal from two recordings, and plays it.", "amp");
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", "amp " MINRNN_VERSION_STRING);
  app.footer(
      "Without a command it trains on a pair that it makes itself, by a solver of a circuit, and writes amp.*.wav.\n"
      "Example:\n"
      "  amp train --input dry.wav --output wet.wav --minutes 5 --checkpoint pedal.safetensors\n"
      "  amp run --model pedal.safetensors --input dry.wav --output played.wav\n"
      "  amp bench --model pedal.safetensors");
  Words words;
  CLI::App* train = app.add_subcommand("train", "learn a device from two recordings");
  CLI::App* play = app.add_subcommand("run", "play a recording through a model, block by block");
  CLI::App* bench = app.add_subcommand("bench", "how long a model takes");
  CLI::App* pair = app.add_subcommand("circuit", "write the pair that needs no file");
  add_train(*train, words);
  add_run(*play, words);
  add_bench(*bench, words);
  add_pair(*pair, words);

  if (const auto status = parse(app, argc, argv)) return *status;
  if (*play) return amp::run(words.running);
  if (*bench) return amp::bench(words.running.model, words.seconds);
  if (*pair) return amp::write_circuit(words.circuit, words.circuit_files);
  if (!*train) words.training.listen = "amp";
  if (words.training.minutes == 0 && words.training.steps == 0) words.training.minutes = 2;
  minrnn::ThreadPool pool(words.threads);
  return amp::train(words.training, pool);
}

}  // namespace

int main(int argc, char** argv) {
  return tool::run_program([&] { return run(argc, argv); });
}
