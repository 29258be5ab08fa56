// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/sweep.hpp"

namespace minrnn::tests {
namespace {

TEST(Sweep, OfTheExtremesOfFloatFindsNothingInTheFirstQuarter) { sweep_part<0>(conformance::AllLayers{}); }

}  // namespace
}  // namespace minrnn::tests
