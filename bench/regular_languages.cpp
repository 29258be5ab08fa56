// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// Regular languages: what a recurrence must keep in its state to answer once, after the last symbol of a sequence.
/// Trains one model on short sequences and prints CSV: its accuracy as it learns, and then at longer ones.
///
/// Tasks       parity: of the ones among bits;  even_pairs: whether the first and the last bit are equal;
///             cycle_navigation: the place on a circle of 5 after steps of 0, +1 and -1;
///             modular_arithmetic: the value modulo 5 of digits 0 .. 4 with + - *, where * binds tighter
/// Source      Deletang et al. 2023, "Neural networks and the Chomsky hierarchy", arXiv:2207.02098

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/layers/conv1d.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/mlp.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/models/language_model.hpp"
#include "minrnn/optim/schedule.hpp"
#include "support/mixer_names.hpp"
#include "support/mixers.hpp"
#include "support/token_task.hpp"

namespace {

using namespace minrnn;
using namespace minrnn::bench;

/// How sequences to train on may differ from those to test with.
struct Teaching {
  bool every_answer = false;  // an answer after each symbol, not after the last alone
  double loaded = 0;          // share of the sequences whose symbols come from a loaded die
};

struct Settings {
  std::string task = "parity", mixer = "signed-mingru";
  Index layers = 1, dim = 64, kernel = 4, rank = 2, batch = 128, shortest = 3, longest = 40, test_sequences = 1024;
  std::vector<Index> test_lengths{40, 64, 128, 256};
  std::int64_t steps = 2000, evaluate_every = 250;
  int threads = 1;
  double memory = 0;  // frames; 0: as mixers begin by themselves
  double growth = 0.5, learning_rate = 2e-3, final_rate = 0.1, weight_decay = 0;  // a decay keeps gates from shutting
  Teaching teaching;
  std::uint64_t seed = 1;
};

/// Draws one of so many numbers, each as likely. A loaded die has weights, which are drawn when it is made and then
/// before every tenth throw or so: what is rare among fair sequences, as a walk that goes round a circle many times, is
/// not among loaded ones.
class Die {
 public:
  Die(Random& random, std::uint64_t sides, bool loaded) : random_(random), sides_(sides) {
    if (loaded) load();
  }

  std::int32_t operator()() {
    if (heights_.empty()) return static_cast<std::int32_t>(random_.below(sides_));
    if (random_.below(10) == 0) load();
    const auto above = std::upper_bound(heights_.begin(), heights_.end() - 1, heights_.back() * random_.uniform());
    return static_cast<std::int32_t>(above - heights_.begin());
  }

 private:
  void load() {
    heights_.clear();
    double sum = 0;
    for (std::uint64_t side = 0; side < sides_; ++side) heights_.push_back(sum += random_.uniform());
  }

  Random& random_;
  std::uint64_t sides_;
  std::vector<double> heights_;  // of the weights, each upon those before it
};

/// Symbols, and what is to be answered after each; an answer is a symbol, too.
struct Task {
  const char* name;
  Index symbols, answers;
  void (*fill)(std::int32_t* symbols, std::int32_t* answers, Index length, Random& random, bool loaded);
  bool is_odd = false;  // every length that has an answer; else a sequence is one shorter
};

void fill_parity(std::int32_t* bits, std::int32_t* answers, Index length, Random& random, bool loaded) {
  Die bit(random, 2, loaded);
  std::int32_t parity = 0;
  for (Index t = 0; t < length; ++t) answers[t] = parity ^= bits[t] = bit();
}
void fill_even_pairs(std::int32_t* bits, std::int32_t* answers, Index length, Random& random, bool loaded) {
  Die bit(random, 2, loaded);
  for (Index t = 0; t < length; ++t) {
    bits[t] = bit();
    answers[t] = bits[0] == bits[t] ? 1 : 0;
  }
}
void fill_cycle_navigation(std::int32_t* moves, std::int32_t* answers, Index length, Random& random, bool loaded) {
  constexpr std::int32_t steps[] = {0, 1, 4};  // -1 modulo 5
  Die move(random, 3, loaded);
  std::int32_t place = 0;
  for (Index t = 0; t < length; ++t) answers[t] = place = (place + steps[moves[t] = move()]) % 5;
}
/// Digits at the even places; symbols 5, 6 and 7 are +, - and * between them.
void fill_modular_arithmetic(std::int32_t* symbols, std::int32_t* answers, Index length, Random& random, bool loaded) {
  enum : std::int32_t { plus = 5, minus = 6, times = 7 };
  Die digit_of(random, 5, loaded), sign_of(random, 3, loaded);
  std::int32_t sum = 0, product = answers[0] = symbols[0] = digit_of();  // product: the last term, with its sign
  for (Index t = 1; t + 1 < length; t += 2) {
    const std::int32_t sign = symbols[t] = plus + sign_of(), digit = symbols[t + 1] = digit_of();
    if (sign == times) {
      product = product * digit % 5;
    } else {
      sum = (sum + product) % 5;
      product = sign == plus ? digit : (5 - digit) % 5;
    }
    answers[t] = -1;
    answers[t + 1] = (sum + product) % 5;
  }
}

const Task kTasks[] = {{"parity", 2, 2, fill_parity},
                       {"even_pairs", 2, 2, fill_even_pairs},
                       {"cycle_navigation", 5, 5, fill_cycle_navigation},
                       {"modular_arithmetic", 8, 5, fill_modular_arithmetic, true}};

const Task& task_of(const Settings& s) {
  return *std::find_if(std::begin(kTasks), std::end(kTasks), [&](const Task& task) { return s.task == task.name; });
}

/// Sequences of lengths from the shortest to the longest, each drawn by itself and padded behind its answer.
TokenBatch make_batch(const Task& task, Index shortest, Index longest, Index batch, Random& random,
                      const Teaching& teaching = {}) {
  TokenBatch result(longest, batch);
  for (Index b = 0; b < batch; ++b) {
    Index length = shortest + static_cast<Index>(random.below(static_cast<std::uint64_t>(longest - shortest + 1)));
    if (teaching.every_answer) length = longest;  // each shorter one is its beginning
    if (task.is_odd && length % 2 == 0) --length;
    std::int32_t *symbols = result.tokens.view().column(0, b), *targets = result.targets.view().column(0, b);
    std::fill_n(symbols, longest, 0);
    std::fill_n(targets, longest, -1);
    task.fill(symbols, targets, length, random, random.uniform() < teaching.loaded);
    if (!teaching.every_answer) std::fill_n(targets, length - 1, -1);
  }
  return result;
}

/// x + W mixer(u + conv(u)) with u = norm(x), then x + mlp(norm(x)): the mixer sees the symbol itself, and those before
/// it. A mixer with projections of its own stands without conv and W.
template <class Mixer>
struct Block {
  using Mix = std::conditional_t<MixerWithProjections<Mixer>, Sequential<RmsNorm<float>, Mixer>,
                                 Sequential<RmsNorm<float>, Residual<Conv1d<float>>, Mixer, Linear<float>>>;
  using Feed = Sequential<RmsNorm<float>, Mlp<float>>;
  using Layer = Sequential<Residual<Mix>, Residual<Feed>>;

  static Layer make(const Settings& s, RandomStream stream, Mixer mixer) {
    const Index dim = s.dim;
    const RmsNorm<float> norm(dim);
    Residual feed(Feed(norm, Mlp<float>(dim, 2 * dim, stream.stream(1))));
    if constexpr (MixerWithProjections<Mixer>)
      return Layer(Residual(Mix(norm, std::move(mixer))), std::move(feed));
    else
      return Layer(Residual(Mix(norm, Residual(Conv1d<float>(dim, s.kernel, stream.stream(2))), std::move(mixer),
                                Linear<float>(dim, dim, stream.stream(0)))),
                   std::move(feed));
  }
};

/// mlp(V U mixer(norm(x))), for a mixer that hardly forgets and so adds up what its symbols say: U takes a few numbers
/// from the state, many times larger, as each symbol moves a state by a part of about 1 / memory alone, and the MLP has
/// the answer from them. Neither a norm nor x + .. stands between: how either scales a sum depends on the length.
template <class Mixer>
struct Counter {
  using Layer = Sequential<RmsNorm<float>, Mixer, Linear<float>, Linear<float>, Mlp<float>>;

  static Layer make(const Settings& s, RandomStream stream, Mixer mixer) {
    Linear<float> few(s.dim, s.rank, stream.stream(0));
    visit_parameters(few, [&](const Name&, auto& parameter) { parameter.value *= static_cast<float>(s.memory / 16); });
    return Layer(RmsNorm<float>(s.dim), std::move(mixer), std::move(few),
                 Linear<float>(s.rank, s.dim, stream.stream(1)), Mlp<float>(s.dim, 2 * s.dim, stream.stream(2)));
  }
};

/// Of sequences of one length, or of lengths between two.
template <class M>
double test(const Settings& s, const M& model, Index shortest, Index longest, Random random, const Context& context) {
  return accuracy(model, s.test_sequences, task_of(s).answers, context, [&](Index done) {
    return make_batch(task_of(s), shortest, longest, std::min<Index>(s.batch, s.test_sequences - done), random);
  });
}

template <class M>
void train_model(const Settings& s, M& model, Random random) {
  ThreadPool pool(s.threads);
  const Context context{.executor = &pool};
  TokenTraining training(model, {.beta2 = 0.99f, .weight_decay = static_cast<float>(s.weight_decay)}, &pool);
  const CosineSchedule schedule{.rate = s.learning_rate,
                                .final_rate = s.learning_rate * s.final_rate,
                                .warm_up = std::min<std::int64_t>(100, s.steps / 10),
                                .steps = s.steps};
  const LearningCurve curve;
  while (training.steps() < s.steps) {
    const double grown =
        std::min(1.0, static_cast<double>(training.steps()) / (s.growth * static_cast<double>(s.steps)));
    const Index longest = s.shortest + std::lround(grown * static_cast<double>(s.longest - s.shortest));
    const double loss = training.step(make_batch(task_of(s), s.shortest, longest, s.batch, random, s.teaching),
                                      schedule(training.steps()));
    if (training.steps() % s.evaluate_every == 0)
      curve.training(training.steps(), loss, test(s, model, s.longest, s.longest, Random(1000), context));
  }
  for (const Index length : s.test_lengths)
    curve.test("test", length, test(s, model, length, length, Random(2000), context));
  curve.test("test_all", s.test_lengths.back(),
             test(s, model, s.test_lengths.front(), s.test_lengths.back(), Random(3000), context));
}

/// A model whose blocks are of this kind, with the mixer of each by make_mixer(stream).
template <template <class> class BlockOf, class MakeMixer>
void train_with(const Settings& s, MakeMixer&& make_mixer) {
  const Random random(s.seed);
  using ModelBlock = BlockOf<decltype(make_mixer(random.stream(0)))>;
  auto model = make_token_model(task_of(s).symbols, s.dim, s.layers, random, [&](RandomStream own) {
    return ModelBlock::make(s, own.stream(0), make_mixer(own.stream(1)));
  });
  train_model(s, model, random);
}

/// With mixers that begin with so long a memory, and with small diagonal weights: a state that counts should move by
/// the same whatever it is.
template <class Mixer>
void train_counter(const Settings& s) {
  const double bias = std::log(s.memory);
  train_with<Counter>(s, [&](RandomStream stream) {
    return Mixer(s.dim, s.dim, stream, {.first_forget_bias = bias, .last_forget_bias = bias + 1, .deviation = 0.2});
  });
}

void train(const Settings& s) {
  if (s.memory > 0)
    return s.mixer == "diagonal-gru" ? train_counter<DiagonalGru<float>>(s) : train_counter<DiagonalLstm<float>>(s);
  if (s.mixer == "highway-mingru")  // as wide outside as inside, unlike that of the list
    return train_with<Block>(s, [&](RandomStream stream) {
      return Highway(tool::mixer_of("mingru").make({}, s.dim, s.dim, stream.stream(0)), stream.stream(1));
    });
  tool::with_mixer(s.mixer, {.heads = 4, .window = 1024}, [&](auto make_mixer) {
    train_with<Block>(s, [&](RandomStream stream) { return make_mixer(s.dim, s.dim, stream); });
  });
}

std::vector<std::string> task_names() {
  std::vector<std::string> names;
  for (const Task& task : kTasks) names.push_back(task.name);
  return names;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Regular languages: one answer after the last symbol", "regular_languages");
  Settings s;
  app.add_option("--task", s.task)->check(CLI::IsMember(task_names()))->capture_default_str();
  app.add_option("--mixer", s.mixer)->check(CLI::IsMember(tool::mixer_names()))->capture_default_str();
  const auto positive = [&](const char* name, auto& value, const char* text) {
    app.add_option(name, value, text)->check(CLI::PositiveNumber)->capture_default_str();
  };
  positive("--layers", s.layers, "of the mixer");
  positive("--dim", s.dim, "features");
  positive("--kernel", s.kernel, "taps of the convolution before the mixer");
  positive("--batch", s.batch, "sequences in a step");
  positive("--steps", s.steps, "of training");
  positive("--evaluate-every", s.evaluate_every, "steps");
  positive("--test-sequences", s.test_sequences, "of each length");
  positive("--learning-rate", s.learning_rate, "highest; warm-up, then a cosine");
  positive("--threads", s.threads, "that work together");
  app.add_option("--longest", s.longest, "longest sequence to train on")->check(CLI::Range(3, 1 << 16));
  app.add_option("--test-lengths", s.test_lengths, "lengths to be tried when trained, from the least to the largest")
      ->delimiter(',')
      ->check(CLI::Range(3, 1 << 16))
      ->capture_default_str();
  app.add_option("--growth", s.growth, "share of the steps in which the longest sequence grows from 3 to --longest")
      ->check(CLI::Range(1e-9, 1.0))
      ->capture_default_str();
  app.add_option("--memory", s.memory,
                 "frames that a state is kept for at first, and a block that counts; of diagonal-gru and diagonal-lstm")
      ->check(CLI::Range(16.0, 1e9));
  positive("--rank", s.rank, "numbers that such a block takes from its state");
  app.add_option("--weight-decay", s.weight_decay)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--final-rate", s.final_rate, "share of the learning rate that is left at the end of the cosine")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_flag(
      "--every-answer", s.teaching.every_answer,
      "train on the answer after each symbol, which is that of a shorter sequence; the tests want the last one");
  app.add_option("--loaded", s.teaching.loaded,
                 "share of the sequences to train on whose symbols have frequencies of their own, which change; in the "
                 "tests all are as frequent")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--seed", s.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (s.memory > 0 && s.mixer != "diagonal-gru" && s.mixer != "diagonal-lstm")
    return app.exit(CLI::ValidationError("--memory", "wanted with diagonal-gru or diagonal-lstm, given " + s.mixer));
  train(s);
}
