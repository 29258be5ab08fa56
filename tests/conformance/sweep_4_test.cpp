// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "conformance/sweep.hpp"

namespace minrnn::tests {
namespace {

TEST(Sweep, OfTheExtremesOfFloatFindsNothingInTheFourthQuarter) { sweep_part<3>(conformance::AllLayers{}); }

}  // namespace
}  // namespace minrnn::tests
