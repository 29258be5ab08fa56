// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/mixers.hpp"

#include <cmath>
#include <vector>

#include "minrnn/compose/highway.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/core/types.hpp"
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
#include "support/mixer_list.hpp"

namespace tool {

namespace {

using minrnn::Index;
using minrnn::RandomStream;

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

/// Over a long memory channels that expand would have gradients beyond all range: a smaller deviation.
template <class Mixer>
ListedMixer diagonal(const char* name) {
  return {name, false, [](const MixerSettings& settings, Index inputs, Index features, RandomStream own) {
            if (settings.memory == 0) return erase(Mixer(inputs, features, own));
            return erase(Mixer(inputs, features, own, {.last_forget_bias = std::log(settings.memory), .deviation = 1}));
          }};
}

}  // namespace

const std::vector<ListedMixer>& mixers() {
  static const std::vector<ListedMixer> list{recurrent<minrnn::MinGru<float>>("mingru"),
                                             recurrent<minrnn::MinLstm<float>>("minlstm"),
                                             recurrent<minrnn::SignedMinGru<float>>("signed-mingru"),
                                             recurrent<minrnn::SignedMinLstm<float>>("signed-minlstm"),
                                             diagonal<minrnn::DiagonalGru<float>>("diagonal-gru"),
                                             diagonal<minrnn::DiagonalLstm<float>>("diagonal-lstm"),
                                             {"highway-mingru", false, make_highway},
                                             recurrent<minrnn::RgLru<float>>("rg-lru"),
                                             recurrent<minrnn::Gru<float>>("gru"),
                                             recurrent<minrnn::Lstm<float>>("lstm"),
                                             {"mamba", true, make_mamba},
                                             {"transformer", true, make_attention}};
  return list;
}

}  // namespace tool
