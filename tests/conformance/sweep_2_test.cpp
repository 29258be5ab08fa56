// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/sweep.hpp"

namespace minrnn::tests {
namespace {

TEST(Sweep, OfTheExtremesOfFloatFindsNothingInTheSecondQuarter) { sweep_part<1>(conformance::AllLayers{}); }

}  // namespace
}  // namespace minrnn::tests
