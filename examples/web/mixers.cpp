// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "support/mixers.hpp"

#include <vector>

#include "minrnn/layers/gru.hpp"
#include "minrnn/layers/lstm.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/layers/min_lstm.hpp"
#include "support/mixer_list.hpp"

namespace tool {

/// The list of the page, in the place of that in support/mixers.cpp: all that is not in it need not be sent.
const std::vector<ListedMixer>& mixers() {
  static const std::vector<ListedMixer> list{recurrent<minrnn::MinGru<float>>("mingru"),
                                             recurrent<minrnn::MinLstm<float>>("minlstm"),
                                             recurrent<minrnn::SignedMinGru<float>>("signed-mingru"),
                                             recurrent<minrnn::SignedMinLstm<float>>("signed-minlstm"),
                                             recurrent<minrnn::Gru<float>>("gru"),
                                             recurrent<minrnn::Lstm<float>>("lstm")};
  return list;
}

}  // namespace tool
