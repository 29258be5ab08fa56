// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "conformance/layers.hpp"

namespace minrnn::tests {
namespace {

/// The suites of this program whose name ends in "/<suite>/<layer>".
std::set<std::string> layers_of(const std::string& suite) {
  std::set<std::string> layers;
  const auto& program = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < program.total_test_suite_count(); ++i) {
    const std::string name = program.GetTestSuite(i)->name();
    const auto at = name.find("/" + suite + "/");
    if (at == std::string::npos || program.GetTestSuite(i)->total_test_count() == 0) continue;
    EXPECT_TRUE(layers.insert(name.substr(at + suite.size() + 2)).second) << name << " stands in two groups";
  }
  return layers;
}

TEST(ConformanceList, EveryLayerIsTested) {
  std::set<std::string> all, mixers;
  conformance::for_each_layer(conformance::AllLayers{}, [&](auto descriptor) {
    EXPECT_TRUE(all.emplace(descriptor.name).second) << descriptor.name << " is the name of two layers";
    if (descriptor.mixes) mixers.emplace(descriptor.name);
  });
  for (const char* suite : {"Conformance", "Poison", "Misuse"}) EXPECT_EQ(layers_of(suite), all) << suite;
  EXPECT_EQ(layers_of("MixerConformance"), mixers);
}

}  // namespace
}  // namespace minrnn::tests
