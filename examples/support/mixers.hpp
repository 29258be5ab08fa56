// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/layers/attention.hpp"
#include "minrnn/layers/diagonal_gru.hpp"
#include "minrnn/layers/diagonal_lstm.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/mamba.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "minrnn/layers/rg_lru.hpp"
#include "support/errors.hpp"
#include "support/mixer_names.hpp"

namespace tool {

/// What some mixers are made from, beside their sizes.
struct MixerSettings {
  minrnn::Index expansion = 2;          // of a mixer with projections of its own
  minrnn::Index heads = 1, window = 1;  // of a transformer
};

/// The one list of mixers. Calls visit(name, make_mixer) for each until it gives true; make_mixer(features in, features
/// out, stream) makes one.
template <class Visit>
void visit_mixers(const MixerSettings& settings, const Visit& visit) {
  using minrnn::Index;
  using minrnn::RandomStream;
  const auto recurrent = [&]<class Mixer>(const char* name, std::type_identity<Mixer>) {
    return visit(name, [](Index inputs, Index features, RandomStream own) { return Mixer(inputs, features, own); });
  };
  if (recurrent("mingru", std::type_identity<minrnn::MinGru<float>>{})) return;
  if (recurrent("minlstm", std::type_identity<minrnn::MinLstm<float>>{})) return;
  if (recurrent("signed-mingru", std::type_identity<minrnn::SignedMinGru<float>>{})) return;
  if (recurrent("signed-minlstm", std::type_identity<minrnn::SignedMinLstm<float>>{})) return;
  if (recurrent("diagonal-gru", std::type_identity<minrnn::DiagonalGru<float>>{})) return;
  if (recurrent("diagonal-lstm", std::type_identity<minrnn::DiagonalLstm<float>>{})) return;
  if (visit("highway-mingru", [](Index inputs, Index features, RandomStream own) {  // as wide inside: up first
        return minrnn::Sequential(
            minrnn::named<"up">(minrnn::Linear<float>(inputs, features, own.stream(0), {.bias = false})),
            minrnn::named<"highway">(
                minrnn::Highway(minrnn::MinGru<float>(features, features, own.stream(1)), own.stream(2))));
      }))
    return;
  if (recurrent("rg-lru", std::type_identity<minrnn::RgLru<float>>{})) return;
  if (recurrent("gru", std::type_identity<minrnn::Gru<float>>{})) return;
  if (recurrent("lstm", std::type_identity<minrnn::Lstm<float>>{})) return;
  if (visit("mamba", [&](Index dim, Index, RandomStream own) {
        return minrnn::Mamba<float>(dim, own, {.expansion = settings.expansion});
      }))
    return;
  visit("transformer", [&](Index dim, Index, RandomStream own) {
    return minrnn::Attention<float>(dim, settings.heads, own, {.window = settings.window});
  });
}

/// body(make_mixer) of the mixer of this name. Throws InputError where there is none.
template <class Body>
auto with_mixer(std::string_view name, const MixerSettings& settings, const Body& body) {
  using Result = decltype(body([](minrnn::Index inputs, minrnn::Index features, minrnn::RandomStream own) {
    return minrnn::MinGru<float>(inputs, features, own);
  }));
  std::optional<Result> result;
  visit_mixers(settings, [&](std::string_view known, const auto& make_mixer) {
    if (known != name) return false;
    result.emplace(body(make_mixer));
    return true;
  });
  if (result) return std::move(*result);
  std::string wanted;
  for (const auto& known : mixer_names()) wanted += (wanted.empty() ? "" : ", ") + known;
  throw InputError("mixer \"" + minrnn::printable(name) + "\" is not known: wanted one of " + wanted);
}

}  // namespace tool
