// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/map_tensors.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "io/tensors.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/io/name_map.hpp"
#include "minrnn/io/self_test.hpp"
#include "minrnn/layers/linear.hpp"
#include "support/message.hpp"

namespace minrnn::tests {
namespace {

using Values = std::vector<float>;

/// Of theirs one tensor, of ours what the entry makes of it; and back.
struct Sides {
  TensorFile theirs, ours;
};
Sides both_ways(const MapEntry& entry, const StoredTensor& theirs) {
  const NameMap map{.entries = {entry}};
  Sides sides{file_of_tensors({theirs}), {}};
  sides.ours = to_ours(sides.theirs, map);
  EXPECT_TRUE(same_tensors(to_theirs(sides.ours, map), sides.theirs));
  return sides;
}
using Shape = std::vector<std::uint64_t>;
void expect_tensor(const TensorFile& file, const std::string& name, const Shape& shape, const Values& values) {
  const StoredTensor& tensor = tensor_named(file, name);
  EXPECT_EQ(tensor.shape, shape) << name;
  EXPECT_EQ(values_of(tensor), values) << name;
}

TEST(MapTensors, KnowsEveryTransformation) {
  const auto matrix = tensor_of("t", {2, 3}, counting(6));
  expect_tensor(both_ways({"t", {"a"}}, matrix).ours, "a", {2, 3}, {1, 2, 3, 4, 5, 6});
  expect_tensor(both_ways({"t", {"a"}, Form::transposed}, matrix).ours, "a", {3, 2}, {1, 4, 2, 5, 3, 6});
  expect_tensor(both_ways({"t", {"a"}, Form::with_middle_unit}, tensor_of("t", {2, 1, 3}, counting(6))).ours, "a",
                {2, 3}, {1, 2, 3, 4, 5, 6});
  const auto kernel = [](std::uint64_t taps) {
    return MapEntry{"t", {"a"}, Form::with_taps_last, Along::rows, Value::same, taps};
  };
  expect_tensor(both_ways(kernel(1), tensor_of("t", {2, 3, 1}, counting(6))).ours, "a", {2, 3}, {1, 2, 3, 4, 5, 6});
  expect_tensor(both_ways(kernel(2), tensor_of("t", {2, 3, 2}, counting(12))).ours, "a", {2, 6},
                {1, 3, 5, 2, 4, 6, 7, 9, 11, 8, 10, 12});
  expect_tensor(both_ways({"t", {"a"}, Form::flat}, tensor_of("t", {3}, counting(3))).ours, "a", {3, 1}, {1, 2, 3});
  const MapEntry less_one{"t", {"a"}, Form::same, Along::rows, Value::less_one};
  expect_tensor(both_ways(less_one, tensor_of("t", {2}, Values{0, -0.5f})).ours, "a", {2}, {1, 0.5f});
}

TEST(MapTensors, SplitsAndJoins) {
  const auto matrix = tensor_of("t", {4, 2}, counting(8));
  const auto rows = both_ways({"t", {"a", "b"}}, matrix).ours;
  expect_tensor(rows, "a", {2, 2}, {1, 2, 3, 4});
  expect_tensor(rows, "b", {2, 2}, {5, 6, 7, 8});
  const auto unequal = both_ways({"t", {{"a", 1}, "b"}}, matrix).ours;
  expect_tensor(unequal, "a", {1, 2}, {1, 2});
  expect_tensor(unequal, "b", {3, 2}, {3, 4, 5, 6, 7, 8});
  const auto columns = both_ways({"t", {"a", "b"}, Form::same, Along::columns}, matrix).ours;
  expect_tensor(columns, "a", {4, 1}, {1, 3, 5, 7});
  expect_tensor(columns, "b", {4, 1}, {2, 4, 6, 8});
  // Gates in another order: their z, r are our r, z.
  const auto gates = both_ways({"t", {{"a", 1, 2}, {"a", 0, 2}}}, matrix).ours;
  expect_tensor(gates, "a", {4, 2}, {5, 6, 7, 8, 1, 2, 3, 4});
  const auto turned = both_ways({"t", {{"a", 1, 2}, {"a", 0, 2}}, Form::transposed}, matrix).ours;
  expect_tensor(turned, "a", {2, 4}, {2, 4, 6, 8, 1, 3, 5, 7});
  const auto vectors = both_ways({"t", {"a", "b"}}, tensor_of("t", {4}, counting(4))).ours;
  expect_tensor(vectors, "b", {2}, {3, 4});
}

// One of ours that several of theirs are: the queries and the keys of an attention.
TEST(MapTensors, JoinsTheirs) {
  const NameMap map{.entries = {{"q", {{"qk", 0, 2}}}, {"k", {{"qk", 1, 2}}}}};
  const TensorFile theirs =
      file_of_tensors({tensor_of("k", {1, 2}, Values{3, 4}), tensor_of("q", {1, 2}, Values{1, 2})});
  const TensorFile ours = to_ours(theirs, map);
  expect_tensor(ours, "qk", {2, 2}, {1, 2, 3, 4});
  EXPECT_TRUE(same_tensors(to_theirs(ours, map), theirs));
}

TEST(MapTensors, KeepsEveryBitOfASum) {
  const Values values{-0.0f, 0.0f, std::numeric_limits<float>::denorm_min(), 3};
  const auto theirs = tensor_of("t", {4}, values);
  auto sides = both_ways({"t", {"a", "b"}, Form::same, Along::rows, Value::sum}, theirs);
  expect_tensor(sides.ours, "a", {4}, values);
  expect_tensor(sides.ours, "b", {4}, {0, 0, 0, 0});
  sides.ours.tensors[1] = tensor_of("b", {4}, Values{1, 2, 0, -1});
  const NameMap map{.entries = {{"t", {"a", "b"}, Form::same, Along::rows, Value::sum}}};
  expect_tensor(to_theirs(sides.ours, map), "t", {4}, {1, 2, std::numeric_limits<float>::denorm_min(), 2});
}

TEST(MapTensors, ZerosStandForWhatTheirsHaveNot) {
  const NameMap map{.entries = {{"t", {"w"}}}, .zeros = {{"b", "w"}, {"c", "w", false}}};
  const TensorFile theirs = file_of_tensors({tensor_of("t", {2, 3}, counting(6))});
  TensorFile ours = to_ours(theirs, map);
  EXPECT_EQ(ours.tensors.size(), 2u);
  expect_tensor(ours, "b", {2}, {0, 0});
  EXPECT_TRUE(same_tensors(to_theirs(ours, map), theirs));
  ours.tensors[1] = tensor_of("b", {2}, Values{-0.0f, 1e-30f});
  EXPECT_EQ(message_of([&] { to_theirs(ours, map); }),
            "there: tensor b: wanted zeros, as there is no place for it in this format, given other values");
  ours.tensors[1] = tensor_of<std::int8_t>("b", {2}, {0, -128});  // which has the bits of a -0
  EXPECT_TRUE(contains(message_of([&] { to_theirs(ours, map); }), "given other values"));
}

TEST(MapTensors, TiesAreCopies) {
  const NameMap map{.entries = {{"t", {"table"}, Form::transposed}}, .ties = {{"w", "table", true}}};
  const TensorFile theirs = file_of_tensors({tensor_of("t", {2, 3}, counting(6))});
  TensorFile ours = to_ours(theirs, map);
  expect_tensor(ours, "table", {3, 2}, {1, 4, 2, 5, 3, 6});
  expect_tensor(ours, "w", {2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_TRUE(same_tensors(to_theirs(ours, map), theirs));
  ours.tensors[1] = tensor_of("w", {2, 3}, Values{1, 2, 3, 4, 5, 7});
  EXPECT_EQ(message_of([&] { to_theirs(ours, map); }),
            "there: tensor w: wanted the values of table, to which it is tied, given others");
}

TEST(MapTensors, ScalesGoIntoColumns) {
  const NameMap map{.entries = {{"t", {"w"}}}, .scales = {{"s", "w"}}};
  TensorFile theirs = file_of_tensors({tensor_of("t", {2, 3}, counting(6)), tensor_of("s", {3}, Values{1, 2, -1})});
  const TensorFile ours = to_ours(theirs, map);
  expect_tensor(ours, "w", {2, 3}, {1, 4, -3, 4, 10, -6});
  expect_tensor(to_theirs(ours, map), "s", {3}, {1, 1, 1});
  EXPECT_TRUE(same_tensors(to_ours(to_theirs(ours, map), map), ours));
  theirs.tensors[1] = tensor_of("s", {2}, Values{1, 2});
  EXPECT_EQ(message_of([&] { to_ours(theirs, map); }), "there: tensor s: wanted F32 (3), given F32 (2)");
  theirs.tensors.pop_back();
  EXPECT_EQ(message_of([&] { to_ours(theirs, map); }), "there: missing: s");
}

/// A layer of w (2, 3) and b (2).
class MapTensorsOfALayer : public ::testing::Test {
 protected:
  const NameMap map{.entries = {{"weight", {"w"}}, {"bias", {"b"}}}, .refusals = {{"secret", "a kind of its own"}}};
  const TensorFile good =
      file_of_tensors({tensor_of("weight", {2, 3}, counting(6)), tensor_of("bias", {2}, Values{7, 8})});
  Linear<float> layer{3, 2, Random(1).stream(0)};

  void expect_refused(const TensorFile& file, const NameMap& by, const std::string& reason) {
    const TensorFile before = to_tensors(layer);
    EXPECT_EQ(message_of([&] { import_tensors(file, by, layer); }), "there: " + reason);
    EXPECT_TRUE(same_tensors(to_tensors(layer), before)) << reason;
  }
};

TEST_F(MapTensorsOfALayer, AreReadAndWritten) {
  import_tensors(good, map, layer);
  EXPECT_EQ(layer.weight()(1, 0), 4);
  EXPECT_EQ(layer.bias()(1), 8);
  const TensorFile back = export_tensors(layer, map, {{"key", "value"}});
  EXPECT_TRUE(same_tensors(back, good));
  EXPECT_EQ(back.metadata.at("key"), "value");
}

// 0.5 and 1 have few digits: half of them is no loss.
TEST_F(MapTensorsOfALayer, HalfPrecisionIsWidened) {
  const TensorFile whole = file_of_tensors(
      {tensor_of("weight", {2, 3}, Values{0.5f, 1, -2, 0, 4, 8}), tensor_of("bias", {2}, Values{-0.25f, 1})});
  for (const Dtype half : {Dtype::f16, Dtype::bf16}) {
    const TensorFile file = convert_floats(whole, half);
    import_tensors(file, map, layer);
    const TensorFile back = export_tensors(layer, map);
    EXPECT_TRUE(same_tensors(back, whole));
    EXPECT_TRUE(same_tensors(convert_floats(back, half), file));
    EXPECT_TRUE(same_tensors(to_theirs(to_ours(file, map), map), file)) << "a file of half stays one";
  }
  TensorFile file = good;
  file.tensors[1].dtype = Dtype::other;
  file.tensors[1].other = "F8_E4M3";
  expect_refused(file, map, "tensor bias: wanted a type that is known, given F8_E4M3 (2)");
}

// It says the same of both sides, but the names of theirs are all that theirs may have.
TEST_F(MapTensorsOfALayer, ASelfTestGoesToOurs) {
  TensorFile file = good;
  file.tensors.push_back(tensor_of("__self_test__/input", {3}, Values{1, 0, 0}));
  file.tensors.push_back(tensor_of("__self_test__/output", {2}, Values{1 + 7, 4 + 8}));
  import_tensors(file, map, layer);
  EXPECT_EQ(run_self_test(file, layer).absolute, 0);
  const TensorFile ours = to_ours(file, map);
  EXPECT_EQ(run_self_test(ours, layer).absolute, 0);
  restore(ours, layer);
  EXPECT_TRUE(same_tensors(to_theirs(ours, map), good));
}

TEST_F(MapTensorsOfALayer, EachIsUsedOnceOrNamed) {
  TensorFile file = good;
  file.tensors[1].name = "bais";
  expect_refused(file, map, "missing: bias F32 (2); left over: bais F32 (2)");
  file = good;
  file.tensors.pop_back();
  expect_refused(file, map, "missing: bias F32 (2)");
  file = good;
  file.tensors.push_back(tensor_of("more", {1}, Values{1}));
  file.tensors.push_back(tensor_of("most", {2}, Values{1, 2}));
  expect_refused(file, map, "left over: more F32 (1), most F32 (2)");
  file = good;
  file.tensors.push_back(file.tensors[0]);
  expect_refused(file, map, "tensor weight: wanted one of this name, given two");
  file = good;
  file.tensors.push_back(tensor_of("secret", {1}, Values{1}));
  expect_refused(file, map, "tensor secret: a kind of its own");
  for (int i = 0; i < 30; ++i) file.tensors.push_back(tensor_of("more" + std::to_string(i), {1}, Values{1}));
  file.tensors.erase(file.tensors.begin() + 2);
  EXPECT_TRUE(contains(message_of([&] { import_tensors(file, map, layer); }), " and 10 more"));
}

TEST_F(MapTensorsOfALayer, ShapesAreSaid) {
  TensorFile file = good;
  file.tensors[0].shape = {3, 2};
  expect_refused(file, map, "tensor weight: wanted F32 (2, 3), given F32 (3, 2): transposed");
  file.tensors[0].shape = {6};
  expect_refused(file, map, "tensor weight: wanted F32 (2, 3), given F32 (6)");
  file = good;
  file.tensors[1] = tensor_of<double>("bias", {2}, {7, 8});
  expect_refused(file, map, "tensor bias: wanted F32 (2), given F64 (2)");
  file.tensors[1].bytes.pop_back();
  expect_refused(file, map, "tensor bias: wanted F64 (2), given 15 bytes");
  file = good;
  file.tensors[0] = tensor_of("weight", {std::uint64_t{1} << 40, 0}, Values{});
  expect_refused(file, map, "tensor weight: wanted at least one number, given F32 (1099511627776, 0)");
}

TEST_F(MapTensorsOfALayer, AMapOfAnotherModelIsRefused) {
  NameMap other = map;
  other.entries.pop_back();
  TensorFile file = good;
  file.tensors.pop_back();
  expect_refused(file, other, "the map: tensor b of ours: has no place in it");
  other = map;
  other.entries.push_back({"again", {"b"}});
  expect_refused(good, other, "the map: tensor b of ours: has two places in it");
  other = map.within("", "0");
  expect_refused(good, other, "the map: tensor 0/w of ours: there is none, for weight");
  other = map;
  other.entries[1].ours = {{"b", 0, 3}};
  expect_refused(good, other, "the map: tensor b of ours: wanted 3 equal parts, given F32 (2)");
  other.entries[1].ours = {"b", "w"};
  expect_refused(good, other, "the map: tensor w of ours: does not fit the others of bias, given F32 (2, 3)");
  other.entries[1].value = Value::sum;
  other.entries[1].ours = {"b", {"w", 0, 2}};
  expect_refused(good, other, "the map: tensor w of ours: does not fit the others of bias, given F32 (2, 3)");
  for (const std::uint64_t taps : {0u, 2u}) {
    other = map;
    other.entries[0].taps = taps;
    expect_refused(good, other,
                   "the map: tensor w of ours: wanted columns of " + std::to_string(taps) + " taps, given 3");
  }
  EXPECT_EQ(message_of<std::invalid_argument>([] { Piece("b", 2, 2); }),
            "Piece: b: wanted one of its parts, given 2 of 2");
}

TEST(MapTensors, WhatTheFileCannotBeSplitInto) {
  const auto split = [](const std::vector<Piece>& pieces, const Shape& shape, Form form = Form::same) {
    const NameMap map{.entries = {{"t", pieces, form}}};
    std::size_t size = 1;
    for (const auto n : shape) size *= static_cast<std::size_t>(n);
    return message_of([&] { to_ours(file_of_tensors({tensor_of("t", shape, counting(size))}), map); });
  };
  EXPECT_EQ(split({"a", "b"}, {3, 1}), "there: tensor t: wanted 0 and 2 equal parts of rows, given 3");
  EXPECT_EQ(split({{"a", 4}, "b"}, {3, 1}), "there: tensor t: wanted 4 and 1 equal parts of rows, given 3");
  EXPECT_EQ(split({"a"}, {2, 2, 3}, Form::with_middle_unit),
            "there: tensor t: wanted a vector, or (rows, 1, columns), given F32 (2, 2, 3)");
  EXPECT_EQ(split({"a"}, {2, 1, 3}), "there: tensor t: wanted a vector or a matrix, given F32 (2, 1, 3)");
  EXPECT_EQ(split({"a"}, {2, 2, 3}, Form::with_taps_last),
            "there: tensor t: wanted a vector, or (rows, columns, 1), given F32 (2, 2, 3)");
}

TEST(NameMap, StandsWithinALargerOne) {
  const NameMap map = NameMap{.entries = {{"weight", {"w"}}},
                              .zeros = {{"b", "w"}},
                              .ties = {{"v", "w"}},
                              .refusals = {{"weight_hr", "no"}}}
                          .within("rnn", "0")
                          .within("", "net");
  EXPECT_EQ(map.entries[0].theirs, "rnn.weight");
  EXPECT_EQ(map.entries[0].ours[0].name, "net/0/w");
  EXPECT_EQ(map.zeros[0].ours + " " + map.zeros[0].like, "net/0/b net/0/w");
  EXPECT_EQ(map.ties[0].ours + " " + map.ties[0].of, "net/0/v net/0/w");
  EXPECT_EQ(map.refusals[0].theirs, "rnn.weight_hr");
}

}  // namespace
}  // namespace minrnn::tests
