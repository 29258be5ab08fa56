// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/list_layers.hpp"

namespace minrnn::conformance {
namespace {

[[maybe_unused]] const bool are_listed =
    list_layers<CompositionLayers>() && list_layers<BlockLayers>() && list_layers<MambaMixers>();

}  // namespace
}  // namespace minrnn::conformance
