// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/mixers.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
#include "minrnn/io/printable.hpp"
#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "support/errors.hpp"
#include "support/mixer_names.hpp"

/// The list of the page, in the place of that in support/mixers.cpp: all that is not in it need not be sent.
namespace tool {

template <class Mixer>
AnyLayer erase(Mixer mixer);

namespace {

template <class Mixer>
ListedMixer recurrent(const char* name) {
  return {name, false,
          [](const MixerSettings&, minrnn::Index inputs, minrnn::Index features, minrnn::RandomStream own) {
            return erase(Mixer(inputs, features, own));
          }};
}

const std::array<ListedMixer, 6>& mixers() {
  static const std::array<ListedMixer, 6> list{recurrent<minrnn::MinGru<float>>("mingru"),
                                               recurrent<minrnn::MinLstm<float>>("minlstm"),
                                               recurrent<minrnn::SignedMinGru<float>>("signed-mingru"),
                                               recurrent<minrnn::SignedMinLstm<float>>("signed-minlstm"),
                                               recurrent<minrnn::Gru<float>>("gru"),
                                               recurrent<minrnn::Lstm<float>>("lstm")};
  return list;
}

}  // namespace

std::vector<std::string> mixer_names() {
  std::vector<std::string> names;
  for (const ListedMixer& mixer : mixers()) names.push_back(mixer.name);
  return names;
}

const ListedMixer& mixer_of(std::string_view name) {
  const auto found =
      std::find_if(mixers().begin(), mixers().end(), [&](const auto& mixer) { return mixer.name == name; });
  if (found == mixers().end()) throw InputError("the page has no mixer \"" + minrnn::printable(name) + "\"");
  return *found;
}

}  // namespace tool
