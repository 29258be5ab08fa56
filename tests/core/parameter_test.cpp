// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/core/parameter.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace minrnn::tests {
namespace {

struct Leaf {
  Parameter<float> w{2, 3}, b{2};
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    visitor(scope / "w", self.w);
    visitor(scope / "b", self.b);
  }
};

struct Tree {
  Leaf leaves[2];
  Parameter<float> gain{5};
  template <class Self, class V>
  static void visit(Self& self, const Name& scope, V&& visitor) {
    for (Index i = 0; i < 2; ++i) Leaf::visit(self.leaves[i], scope / "blocks" / i, visitor);
    visitor(scope / "gain", self.gain);
  }
};

TEST(Parameter, BeginsWithZerosOfOneShape) {
  const Parameter<double> matrix(2, 3), vector(4);
  EXPECT_EQ(matrix.value, Matrix<double>::Zero(2, 3));
  EXPECT_EQ(matrix.grad, Matrix<double>::Zero(2, 3));
  EXPECT_EQ(matrix.rank, 2);
  EXPECT_EQ(matrix.size(), 6);
  EXPECT_EQ(vector.value, Matrix<double>::Zero(4, 1));
  EXPECT_EQ(vector.rank, 1);
  EXPECT_EQ(Parameter<double>().size(), 0);
}

TEST(Name, IsThePathFromTheRoot) {
  const Name root;
  EXPECT_EQ(root.str(), "");
  EXPECT_EQ((root / "w").str(), "w");
  EXPECT_EQ((root / "blocks" / Index{10} / "mixer" / "w_z").str(), "blocks/10/mixer/w_z");
  EXPECT_EQ((root / Index{0}).str(), "0");
}

TEST(Name, KnowsItsPathWithoutBuildingIt) {
  const Name root;
  const Name number = root / Index{0}, word = root / "w";
  EXPECT_TRUE(root.is(""));
  EXPECT_TRUE(word.is("w"));
  EXPECT_TRUE(number.is("0"));
  EXPECT_FALSE(root.is("w"));
  for (const Name* name : {&word, &number}) EXPECT_FALSE(name->is(""));
  const Name blocks = root / "blocks", tenth = blocks / Index{10}, mixer = tenth / "mixer", w_z = mixer / "w_z";
  EXPECT_TRUE(w_z.is("blocks/10/mixer/w_z"));
  for (const char* other : {"blocks/1/mixer/w_z", "blocks/10/mixer/w_h", "a/blocks/10/mixer/w_z",
                            "/blocks/10/mixer/w_z", "10/mixer/w_z", "blocks10/mixer/w_z", "w_z", ""})
    EXPECT_FALSE(w_z.is(other)) << other;
}

TEST(Visit, NamesAllParametersInOrderConstOrNot) {
  Tree tree;
  const Tree& fixed = tree;
  const std::vector<std::string> wanted{"blocks/0/w", "blocks/0/b", "blocks/1/w", "blocks/1/b", "gain"};
  std::vector<std::string> names, fixed_names;
  visit_parameters(tree, [&](const Name& name, Parameter<float>&) { names.push_back(name.str()); });
  visit_parameters(fixed, [&](const Name& name, const Parameter<float>&) { fixed_names.push_back(name.str()); });
  EXPECT_EQ(names, wanted);
  EXPECT_EQ(fixed_names, wanted);
  EXPECT_EQ(parameter_count(fixed), 2 * (6 + 2) + 5);
}

TEST(Visit, ZeroesGradientsAndNothingElse) {
  Tree tree;
  visit_parameters(tree, [](const Name&, auto& p) {
    p.value.setConstant(2);
    p.grad.setConstant(3);
  });
  zero_gradients(tree);
  visit_parameters(tree, [](const Name& name, const auto& p) {
    EXPECT_TRUE((p.value.array() == 2).all()) << name.str();
    EXPECT_TRUE((p.grad.array() == 0).all()) << name.str();
  });
}

}  // namespace
}  // namespace minrnn::tests
