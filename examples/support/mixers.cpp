// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/mixers.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

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

/// Defined in erase.hpp, for the files *_mixers.cpp: this one would compile all of them once more.
template <class Mixer>
AnyLayer erase(Mixer mixer);

namespace {

using minrnn::Index;
using minrnn::RandomStream;

template <class Mixer>
ListedMixer recurrent(const char* name) {
  return {name, false, [](const MixerSettings&, Index inputs, Index features, RandomStream own) {
            return erase(Mixer(inputs, features, own));
          }};
}

/// As wide inside: up first.
AnyLayer make_highway(const MixerSettings&, Index inputs, Index features, RandomStream own) {
  return erase(
      minrnn::Sequential(minrnn::named<"up">(minrnn::Linear<float>(inputs, features, own.stream(0), {.bias = false})),
                         minrnn::named<"highway">(minrnn::Highway(
                             erase(minrnn::MinGru<float>(features, features, own.stream(1))), own.stream(2)))));
}
AnyLayer make_mamba(const MixerSettings& settings, Index dim, Index, RandomStream own) {
  return erase(minrnn::Mamba<float>(dim, own, {.expansion = settings.expansion}));
}
AnyLayer make_attention(const MixerSettings& settings, Index dim, Index, RandomStream own) {
  return erase(minrnn::Attention<float>(dim, settings.heads, own, {.window = settings.window}));
}

/// The one list of mixers.
const std::vector<ListedMixer>& mixers() {
  static const std::vector<ListedMixer> list{recurrent<minrnn::MinGru<float>>("mingru"),
                                             recurrent<minrnn::MinLstm<float>>("minlstm"),
                                             recurrent<minrnn::SignedMinGru<float>>("signed-mingru"),
                                             recurrent<minrnn::SignedMinLstm<float>>("signed-minlstm"),
                                             recurrent<minrnn::DiagonalGru<float>>("diagonal-gru"),
                                             recurrent<minrnn::DiagonalLstm<float>>("diagonal-lstm"),
                                             {"highway-mingru", false, make_highway},
                                             recurrent<minrnn::RgLru<float>>("rg-lru"),
                                             recurrent<minrnn::Gru<float>>("gru"),
                                             recurrent<minrnn::Lstm<float>>("lstm"),
                                             {"mamba", true, make_mamba},
                                             {"transformer", true, make_attention}};
  return list;
}

}  // namespace

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for (const ListedMixer& mixer : mixers()) names.push_back(mixer.name);
  return names;
}

const ListedMixer& mixer_of(std::string_view name) {
  const auto& list = mixers();
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const ListedMixer& mixer) { return mixer.name == name; });
  if (found != list.end()) return *found;
  std::string wanted;
  for (const ListedMixer& mixer : list) wanted += (wanted.empty() ? "" : ", ") + mixer.name;
  throw InputError("mixer \"" + minrnn::printable(name) + "\" is not known: wanted one of " + wanted);
}

}  // namespace tool
