// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// The training of char_lm as a module of WebAssembly. worker.js asks it by `minrnn_answer`, in JSON, and passes text
// and weights as files of the module's file system, which is in memory:
//   {"ask": "begin", ...}     a training of the model of the settings, or of that in open.safetensors, on text.txt
//   {"ask": "train"}          one step
//   {"ask": "validate"}       writes model.safetensors where the loss is the best so far
//   {"ask": "write", ...}     some characters, with the weights as they are now
//   {"ask": "mixers"}         their names
// An answer to what cannot be done is {"error": "why"}, and nothing has changed then.

#include <algorithm>
#include <cstdint>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "char_lm/commands.hpp"
#include "char_lm/ranks.hpp"
#include "char_lm/sampler.hpp"
#include "char_lm/settings.hpp"
#include "char_lm/text.hpp"
#include "char_lm/training.hpp"
#include "minrnn/core/parameter.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/thread_pool.hpp"
#include "minrnn/core/views.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/models/language_model.hpp"
#include "support/checkpoints.hpp"
#include "support/mixer_names.hpp"
#include "support/mixers.hpp"
#include "support/training_time.hpp"

// Its checkpoints are those of char_lm.
const char* const tool::program_name = "char_lm";

namespace {

using namespace char_lm;
using nlohmann::json;

constexpr const char* kText = "text.txt";
constexpr const char* kOpened = "open.safetensors";
constexpr const char* kBest = "model.safetensors";

using Mixer = AnyMixer<false>;
using Model = minrnn::LanguageModel<Mixer>;

/// A model in training.
class Session {
 public:
  Session(TrainSettings settings, ModelSettings model_settings, Text text, Model model, minrnn::Random random)
      : settings_(std::move(settings)),
        model_settings_(std::move(model_settings)),
        text_(std::move(text)),
        model_(std::move(model)),
        training_(settings_, model_settings_, text_, model_, random, pool_, ranks_),
        time_(settings_.learning_rate, 0, settings_.steps, settings_.steps, training_.progress),
        state_(model_.initial_state(1)) {
    sampling_.checkpoint = "the model";  // in messages
  }

  json facts() const {
    return {{"mixer", model_settings_.mixer},
            {"layers", model_settings_.layers},
            {"dim", model_settings_.dim},
            {"parameters", parameter_count(model_)},
            {"vocabulary", text_.vocabulary().size()},
            {"characters", text_.size()},
            {"validates", text_.validation_size()},
            {"evaluated", training_.evaluated_characters()},
            {"step_characters", settings_.batch * settings_.context}};
  }

  json train() {
    const double before = training_.progress.loss_sum;
    training_.step(static_cast<float>(time_.learning_rate(0)));
    return {{"step", training_.progress.step}, {"loss", training_.progress.loss_sum - before}};
  }

  json validate() {
    const auto [train_loss, validation_loss, best] = training_.evaluate();
    return {{"step", training_.progress.step}, {"train", train_loss}, {"validation", validation_loss}, {"best", best}};
  }

  /// With "prompt" a new text begins after it, or after a new line where it is empty. What the model does not know of a
  /// prompt is left out.
  json write(const json& request) {
    if (request.contains("prompt")) {
      std::vector<std::int32_t> tokens;
      for (const char c : request["prompt"].get<std::string>())
        if (text_.vocabulary().token(c) >= 0) tokens.push_back(text_.vocabulary().token(c));
      if (tokens.empty()) tokens.push_back(std::max(text_.vocabulary().token('\n'), 0));
      state_ = model_.initial_state(1);
      for (const std::int32_t token : tokens) read(token);
    }
    sampling_.temperature = request.at("temperature");
    ++sampling_.seed;
    Sampler draw(sampling_, text_.vocabulary().size());
    json bytes = json::array();
    for (int i = 0; i < request.at("count").get<int>(); ++i) {
      const std::int32_t token = draw(logits_.data());
      bytes.push_back(static_cast<unsigned char>(text_.vocabulary().symbol(token)));
      read(token);
    }
    return {{"bytes", std::move(bytes)}};
  }

 private:
  void read(std::int32_t token) {
    const auto logits = model_.step(minrnn::FrameView<const std::int32_t>(&token, 1), state_, cache_);
    logits_.assign(logits.data(), logits.data() + text_.vocabulary().size());
  }

  TrainSettings settings_;
  ModelSettings model_settings_;
  Text text_;
  Model model_;
  minrnn::ThreadPool pool_{1};
  Ranks ranks_;
  Training<Model> training_;
  TrainingTime time_;

  SampleSettings sampling_;
  Model::State state_;  // of the text that it writes
  Model::Cache cache_;
  std::vector<float> logits_;
};

TrainSettings settings_of(const json& request) {
  TrainSettings settings;
  settings.model.mixer = request.at("mixer");
  settings.model.layers = request.at("layers");
  settings.model.dim = request.at("dim");
  settings.batch = request.at("batch");
  settings.context = request.at("context");
  settings.steps = request.at("steps");
  settings.learning_rate = request.at("learning_rate");
  settings.seed = request.at("seed");
  settings.evaluate_every = request.at("evaluate_every");
  settings.checkpoint = kBest;
  return settings;
}

std::string text_bytes() {
  std::ifstream in(kText, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The text as the model in a file can read it: what it does not know is left out.
Text text_for(const ModelSettings& model) {
  Vocabulary known(model.vocabulary);
  std::string bytes = text_bytes();
  std::erase_if(bytes, [&](char c) { return known.token(c) < 0; });
  return Text(std::move(bytes), "the text, without what the model does not know", std::move(known));
}

/// As char_lm makes it.
Model model_of(const ModelSettings& settings, minrnn::RandomStream stream) {
  const ListedMixer& mixer = mixer_of(settings.mixer);
  return Model({.vocabulary = static_cast<Index>(settings.vocabulary.size()),
                .dim = settings.dim,
                .layers = settings.layers,
                .expansion = settings.expansion,
                .dropout = settings.dropout},
               stream, [&](Index inputs, Index features, minrnn::RandomStream own) {
                 return Mixer(mixer.make({}, inputs, features, own));
               });
}

std::unique_ptr<Session> begin(const json& request) {
  const TrainSettings settings = settings_of(request);
  std::optional<minrnn::TensorFile> file;
  if (request.value("open", false)) file = minrnn::read_safetensors(kOpened);
  ModelSettings model_settings = file ? ModelSettings::from(*file) : settings.model;
  Text text = file ? text_for(model_settings) : Text(text_bytes(), "the text");
  if (!file) model_settings.complete(text.vocabulary().bytes(), settings.context);
  text.check_length(settings.context);

  const minrnn::Random random(settings.seed);
  Model model = model_of(model_settings, random.stream(0));
  if (file) {
    minrnn::restore(*file, model);
    check_finite(*file, "");
  }
  return std::make_unique<Session>(settings, model_settings, std::move(text), std::move(model), random);
}

json answer_to(const json& request, std::unique_ptr<Session>& session) {
  const std::string ask = request.at("ask");
  if (ask == "mixers") return {{"mixers", mixer_names()}};
  if (ask == "begin") {
    session = begin(request);
    return session->facts();
  }
  if (session == nullptr) return {{"error", "no training has begun"}};
  if (ask == "train") return session->train();
  if (ask == "validate") return session->validate();
  if (ask == "write") return session->write(request);
  return {{"error", "there is no request " + ask}};
}

}  // namespace

/// The answer is valid until the next call.
extern "C" const char* minrnn_answer(const char* request) {
  static std::unique_ptr<Session> session;
  static std::string answer;
  json result;
  try {
    result = answer_to(json::parse(request), session);
  } catch (const std::exception& error) {
    result = {{"error", error.what()}};
  }
  answer = result.dump(-1, ' ', false, json::error_handler_t::replace);
  return answer.c_str();
}
