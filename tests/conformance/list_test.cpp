// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "conformance/layers.hpp"
#include "conformance/listed_layer.hpp"

namespace minrnn::tests {
namespace {

TEST(ConformanceList, EveryLayerIsTested) {
  std::set<std::string> all, listed;
  conformance::for_each_layer(conformance::AllLayers{}, [&](auto descriptor) {
    EXPECT_TRUE(all.emplace(descriptor.name).second) << descriptor.name << " is the name of two layers";
  });
  for (const auto& layer : conformance::listed_layers())
    EXPECT_TRUE(listed.insert(layer.name).second) << layer.name << " stands in two groups";
  EXPECT_EQ(listed, all);
}

/// The layers that the tests of a suite have in this program, as they stand in their names: "Test/layer".
std::set<std::string> layers_of(const std::string& suite) {
  std::set<std::string> layers;
  const auto& program = *::testing::UnitTest::GetInstance();
  for (int i = 0; i < program.total_test_suite_count(); ++i) {
    const auto& tests = *program.GetTestSuite(i);
    if (tests.name() != suite) continue;
    for (int k = 0; k < tests.total_test_count(); ++k) {
      const std::string name = tests.GetTestInfo(k)->name();
      const auto layer = name.find('/') + 1;
      layers.insert(name.substr(layer, name.find("__") - layer));
    }
  }
  return layers;
}

TEST(ConformanceList, EverySuiteTestsEveryLayer) {
  std::set<std::string> all, mixers;
  for (const auto& layer : conformance::listed_layers()) {
    all.insert(layer.name);
    if (layer.mixes) mixers.insert(layer.name);
  }
  for (const char* suite : {"Promise", "Conformance", "Misuse", "Sweep", "CheckpointConformance"})
    EXPECT_EQ(layers_of(std::string("AllLayers/") + suite), all) << suite;
  EXPECT_EQ(layers_of("AllMixers/Mixer"), mixers);
}

}  // namespace
}  // namespace minrnn::tests
