// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/sweep.hpp"

namespace minrnn::tests {
namespace {

TEST(Sweep, OfTheExtremesOfFloatFindsNothingInTheThirdQuarter) { sweep_part<2>(conformance::AllLayers{}); }

}  // namespace
}  // namespace minrnn::tests
