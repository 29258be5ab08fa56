// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

/// The paper's selective copying: 16 tokens at random places among blanks, to be said in order at the end. Trains one
/// model and prints CSV: its accuracy as it learns, and then at each of the lengths asked for.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <numeric>

#include "minrnn/compose/residual.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/layers/dropout.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rms_norm.hpp"
#include "minrnn/models/language_model.hpp"
#include "minrnn/optim/schedule.hpp"
#include "support/token_task.hpp"

namespace {

using namespace minrnn;
using namespace minrnn::bench;

constexpr Index kVocabulary = 16, kCopied = 16, kDim = 64, kExpansion = 6;
constexpr std::int32_t kMarker = 0, kBlank = 15;

struct Settings {
  std::string mixer = "mingru";
  Index layers = 3, length = 256, batch = 64, test_sequences = 1280;
  std::vector<Index> test_lengths{256, 1024, 4096};
  std::int64_t steps = 10000, evaluate_every = 250;
  double minutes = 0, learning_rate = 2e-3, dropout = 0.1, weight_decay = 0.05, forget_bias = 3;
  std::uint64_t seed = 1;
};

/// A batch: tokens 1 .. 14 in random places of `length` blanks, then the markers at which they shall be said.
TokenBatch make_batch(Index length, Index batch, Random& random) {
  TokenBatch result(length + kCopied, batch);
  std::vector<Index> places(static_cast<std::size_t>(length));
  for (Index b = 0; b < batch; ++b) {
    std::int32_t *token = result.tokens.view().column(0, b), *target = result.targets.view().column(0, b);
    std::fill_n(token, length, kBlank);
    std::fill_n(token + length, kCopied, kMarker);
    std::fill_n(target, length, -1);
    std::iota(places.begin(), places.end(), 0);
    for (std::size_t i = 0; i < kCopied; ++i) std::swap(places[i], places[i + random.below(places.size() - i)]);
    std::sort(places.begin(), places.begin() + kCopied);
    for (std::size_t i = 0; i < kCopied; ++i)
      token[places[i]] = target[length + static_cast<Index>(i)] =
          static_cast<std::int32_t>(1 + random.below(kVocabulary - 2));
  }
  return result;
}

/// The paper's block: x + dropout(W_down mixer(norm(x))). A mixer with projections of its own stands without W_down.
template <class Mixer>
struct Block {
  using Branch = std::conditional_t<MixerWithProjections<Mixer>, Sequential<RmsNorm<float>, Mixer, Dropout<float>>,
                                    Sequential<RmsNorm<float>, Mixer, Linear<float>, Dropout<float>>>;
  using Layer = Residual<Branch>;

  static Layer make(const Settings& s, RandomStream stream, Mixer mixer) {
    const RmsNorm<float> norm(kDim);
    const Dropout<float> dropout(kDim, s.dropout, stream.stream(1));
    if constexpr (MixerWithProjections<Mixer>) {
      return Layer(Branch(norm, std::move(mixer), dropout));
    } else {
      const Index inner = mixer.output_size();
      return Layer(Branch(norm, std::move(mixer), Linear<float>(inner, kDim, stream.stream(0)), dropout));
    }
  }
};

/// Of the markers of so many sequences.
template <class M>
double test(const M& model, Index length, Index sequences, Random random) {
  return accuracy(model, sequences * kCopied, kVocabulary, {},
                  [&](Index) { return make_batch(length, std::clamp<Index>(65536 / length, 1, 64), random); });
}

template <class M>
void train(const Settings& s, M& model, Random random) {
  // As the official settings: no decay where a gate or a candidate is made.
  TokenTraining training(model, {.beta2 = 0.99f,
                                 .weight_decay = static_cast<float>(s.weight_decay),
                                 .decays = [](const std::string& name, int rank) {
                                   const auto part = name.substr(name.rfind('/') + 1);
                                   return rank > 1 && !part.starts_with("w_");
                                 }});
  const CosineSchedule schedule{.rate = s.learning_rate,
                                .final_rate = s.learning_rate / 10,
                                .warm_up = std::min<std::int64_t>(200, s.steps / 10),
                                .steps = s.steps};
  const LearningCurve curve;
  while (training.steps() < s.steps && (s.minutes == 0 || curve.seconds() < 60 * s.minutes)) {
    const TokenBatch batch = make_batch(s.length, s.batch, random);
    const double by_clock = s.minutes == 0 ? 0 : curve.seconds() / (60 * s.minutes);
    const double loss =
        training.step(batch, std::min(schedule(training.steps()), schedule.at(std::min(by_clock, 1.0))));
    if (training.steps() % s.evaluate_every == 0)
      curve.training(training.steps(), loss, test(model, s.length, 256, Random(1000)));
  }
  for (const Index length : s.test_lengths)
    curve.test("test", length, test(model, length, s.test_sequences, Random(2000)));
}

/// With the mixer of each block by make_mixer(stream).
template <class MakeMixer>
void train_with(const Settings& s, MakeMixer&& make_mixer) {
  const Random random(s.seed);
  using ModelBlock = Block<decltype(make_mixer(random.stream(0)))>;
  auto model = make_token_model(kVocabulary, kDim, s.layers, random, [&](RandomStream own) {
    return ModelBlock::make(s, own.stream(0), make_mixer(own.stream(1)));
  });
  train(s, model, random);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Selective copying: 16 tokens among blanks", "selective_copying");
  Settings s;
  app.add_option("--mixer", s.mixer)->check(CLI::IsMember({"mingru", "minlstm", "mamba"}))->capture_default_str();
  const auto positive = [&](const char* name, auto& value, const char* text) {
    app.add_option(name, value, text)->check(CLI::PositiveNumber)->capture_default_str();
  };
  positive("--layers", s.layers, "of the mixer");
  app.add_option("--length", s.length, "places for the 16 tokens")
      ->check(CLI::Range(16, 1 << 20))
      ->capture_default_str();
  app.add_option("--test-lengths", s.test_lengths, "lengths to be tried when trained")
      ->delimiter(',')
      ->check(CLI::Range(16, 1 << 20))
      ->capture_default_str();
  positive("--batch", s.batch, "sequences in a step");
  positive("--steps", s.steps, "at most");
  positive("--minutes", s.minutes, "at most (default: no limit); the learning rate then falls by the clock too");
  positive("--evaluate-every", s.evaluate_every, "steps");
  positive("--test-sequences", s.test_sequences, "of each length");
  positive("--learning-rate", s.learning_rate, "highest; warm-up, then a cosine to a tenth");
  app.add_option("--dropout", s.dropout)->check(CLI::Range(0.0, 0.99))->capture_default_str();
  app.add_option("--weight-decay", s.weight_decay)->check(CLI::NonNegativeNumber)->capture_default_str();
  app.add_option("--forget-bias", s.forget_bias, "of minGRU and minLSTM at first: a longer memory")
      ->capture_default_str();
  app.add_option("--seed", s.seed)->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  // As the official settings, a learnable initial state and a forget bias of 3, here for both. Their minLSTM is not
  // normalised and learns more slowly; this is the paper's.
  if (s.mixer == "mingru")
    train_with(s, [&](RandomStream stream) {
      return MinGru<float>(kDim, kExpansion * kDim, stream,
                           {.forget_bias = s.forget_bias, .learn_initial_state = true});
    });
  else if (s.mixer == "minlstm")
    train_with(s, [&](RandomStream stream) {
      return MinLstm<float>(kDim, kExpansion * kDim, stream,
                            {.forget_bias = s.forget_bias, .learn_initial_state = true});
    });
  else
    train_with(s, [](RandomStream stream) { return Mamba<float>(kDim, stream); });
}
