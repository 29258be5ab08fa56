// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/self_test.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "minrnn/compose/bidirectional.hpp"
#include "minrnn/compose/sequential.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/layers/linear.hpp"
#include "minrnn/layers/min_gru.hpp"
#include "minrnn/models/sequence_model.hpp"
#include "minrnn/models/token_model.hpp"
#include "support/run.hpp"

namespace minrnn::tests {
namespace {

template <class S>
auto make_net(std::uint64_t seed) {
  Random random(seed);
  return Sequential{MinGru<S>(3, 5, random.stream(0)), Linear<S>(5, 2, random.stream(1))};
}

template <class M>
std::vector<Matrix<typename M::Scalar>> values_of(const M& model) {
  std::vector<Matrix<typename M::Scalar>> values;
  visit_parameters(model, [&](const Name&, const auto& p) { values.push_back(p.value); });
  return values;
}

StoredTensor& tensor(TensorFile& file, std::string_view name) {
  return const_cast<StoredTensor&>(find_tensor(file, name));
}

class SelfTestFile : public ::testing::Test {
 protected:
  /// A model loads from its file with an input, and not where a weight of it has changed; its bits stay then.
  template <class M, class X>
  void expect_tested(const M& saved, M fresh, const X& x) {
    TensorFile file = to_tensors(saved);
    EXPECT_FALSE(has_self_test(file));
    add_self_test(file, saved, x);
    EXPECT_TRUE(has_self_test(file));
    EXPECT_EQ(file.tensors.size(), to_tensors(saved).tensors.size() + 2);
    write_safetensors(path, file);
    const M before = fresh;
    load_checkpoint(path, fresh);
    EXPECT_EQ(values_of(fresh), values_of(saved));
    const SelfTest result = run_self_test(file, fresh);
    EXPECT_EQ(result.absolute, 0) << "the same machine, the same bits";
    EXPECT_TRUE(result.passed());

    const SelfTest other = run_self_test(file, before);
    EXPECT_FALSE(other.passed());
    EXPECT_GT(other.relative, 10 * other.allowed);
    TensorFile changed = to_tensors(before);
    changed.tensors.insert(changed.tensors.end(), file.tensors.end() - 2, file.tensors.end());
    write_safetensors(path, changed);
    M third = saved;
    EXPECT_TRUE(contains(message_of([&] { load_checkpoint(path, third); }), ": self-test: the output is off by "));
    EXPECT_EQ(values_of(third), values_of(saved));
    restore(changed, third);  // which tests nothing
    EXPECT_EQ(values_of(third), values_of(before));
  }

  Folder folder;
  std::filesystem::path path = folder / "a.safetensors";
  Random random = Random(7);
};

TEST_F(SelfTestFile, OfALayer) {
  expect_tested(make_net<float>(1), make_net<float>(2), random_sequence<float>(3, 6, 2, random));
  expect_tested(make_net<double>(1), make_net<double>(2), random_sequence<double>(3, 6, 2, random));
}

TEST_F(SelfTestFile, OfALayerThatIsNotCausal) {
  const auto make = [](std::uint64_t seed) {
    return Bidirectional(MinGru<float>(3, 2, Random(seed).stream(0)), MinGru<float>(3, 2, Random(seed).stream(1)));
  };
  expect_tested(make(1), make(2), random_matrix<float>(3, 6, random));
}

TEST_F(SelfTestFile, OfAModelOfTokens) {
  const auto make = [](std::uint64_t seed) {
    return TokenModel(7, 4, 1.0, Random(seed).stream(0), MinGru<float>(4, 4, Random(seed).stream(1)));
  };
  const std::int32_t tokens[] = {0, 6, 2, 3, 5, 1};
  expect_tested(make(1), make(2), SequenceView<const std::int32_t>(tokens, 1, 3, 2));

  // As Python writes them: I64, without a size of 1.
  TensorFile file = to_tensors(make(1));
  add_self_test(file, make(1), SequenceView<const std::int32_t>(tokens, 1, 3, 2));
  StoredTensor& input = tensor(file, "__self_test__/input");
  EXPECT_EQ(input.shape, (std::vector<std::uint64_t>{2, 3, 1}));
  const std::vector<std::int64_t> wide(std::begin(tokens), std::end(tokens));
  input = minrnn::detail::tensor_of_numbers(input.name, {2, 3}, wide);
  EXPECT_EQ(run_self_test(file, make(1)).absolute, 0);
  input = minrnn::detail::tensor_of_numbers(input.name, {2, 3}, std::vector<std::int64_t>{0, 1, 2, 3, 4, 7});
  EXPECT_TRUE(contains(message_of([&] { run_self_test(file, make(1)); }), "self-test: the model refuses the input: "));
  input = minrnn::detail::tensor_of_numbers(input.name, {2, 3}, std::vector<std::int64_t>{0, 1, 2, 3, 4, 1LL << 40});
  EXPECT_TRUE(contains(message_of([&] { run_self_test(file, make(1)); }), "1099511627776, is none"));
}

TEST_F(SelfTestFile, OfAModelWithOneAnswerForASequence) {
  const auto make = [](std::uint64_t seed) {
    return SequenceModel({.inputs = 3, .outputs = 2, .pooling = Pooling::mean}, Random(seed).stream(0),
                         MinGru<float>(4, 4, Random(seed).stream(1)));
  };
  expect_tested(make(1), make(2), random_sequence<float>(3, 6, 4, random));
  TensorFile file = to_tensors(make(1));
  add_self_test(file, make(1), random_sequence<float>(3, 6, 4, random));
  StoredTensor& output = tensor(file, "__self_test__/output");
  EXPECT_EQ(output.shape, (std::vector<std::uint64_t>{1, 4, 2}));
  output.shape = {4, 2};
  EXPECT_EQ(run_self_test(file, make(1)).absolute, 0);
}

TEST_F(SelfTestFile, IsThatOfTheWeightsAsTheFileHasThem) {
  const auto saved = make_net<float>(1);
  const auto x = random_sequence<float>(3, 6, 2, random);
  TensorFile file = convert_floats(to_tensors(saved), Dtype::bf16);
  add_self_test(file, saved, x);
  write_safetensors(path, file);
  auto layer = make_net<float>(2);
  load_checkpoint(path, layer);
  EXPECT_EQ(run_self_test(file, layer).absolute, 0);
  EXPECT_GT(run_self_test(file, saved).relative, 0x1p-13) << "which were rounded";
  EXPECT_TRUE(contains(message_of<std::invalid_argument>([&] { convert_floats(file, Dtype::f16); }), "a self-test"));
}

TEST_F(SelfTestFile, AllowsWhatTheTypeOfTheOutputAllows) {
  const auto net = make_net<double>(1);
  TensorFile file = to_tensors(net);
  add_self_test(file, net, random_sequence<double>(3, 6, 2, random));
  StoredTensor& output = tensor(file, "__self_test__/output");
  const StoredTensor exact = output;
  const auto values = numbers<double>(exact);
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  for (const auto& [dtype, allowed] : {std::pair(Dtype::f64, 0x1p-42), std::pair(Dtype::f32, 0x1p-13),
                                       std::pair(Dtype::f16, 0x1p-6), std::pair(Dtype::bf16, 0x1p-3)})
    for (const double error : {0.0, 0.5, 2.0}) {
      auto moved = values;
      moved[3] += error * allowed * largest;
      TensorFile other;
      other.tensors.push_back(minrnn::detail::tensor_of_numbers("output", exact.shape, moved));
      output = convert_floats(other, dtype).tensors[0];
      output.name = exact.name;
      const SelfTest result = run_self_test(file, net);
      EXPECT_EQ(result.allowed, allowed);
      EXPECT_EQ(result.passed(), error < 1) << allowed << " " << error;
      // The output itself was rounded to its type: by less than a hundredth of what is allowed, or by 2^-4 of it.
      EXPECT_NEAR(result.relative, error * allowed, allowed / 8);
      EXPECT_NEAR(result.absolute, result.relative * largest, allowed * largest / 8);
    }
  EXPECT_EQ(run_self_test(file, make_net<double>(1)).allowed, 0x1p-3);
}

TEST_F(SelfTestFile, RefusesWhatIsNoneOfThisModel) {
  const auto net = make_net<float>(1);
  TensorFile good = to_tensors(net);
  EXPECT_TRUE(contains(message_of([&] { run_self_test(good, net); }), "no tensor __self_test__/input"));
  add_self_test(good, net, random_sequence<float>(3, 6, 2, random));
  const auto refused = [&](auto&& change_it) {
    TensorFile file = good;
    change_it(file);
    write_safetensors(path, file);
    auto layer = make_net<float>(2);
    const std::string message = message_of([&] { load_checkpoint(path, layer); });
    EXPECT_EQ(values_of(layer), values_of(make_net<float>(2)));
    return message;
  };
  const auto drop = [](TensorFile& file, std::string_view name) {
    std::erase_if(file.tensors, [&](const StoredTensor& t) { return t.name == name; });
  };
  EXPECT_TRUE(
      contains(refused([&](TensorFile& file) { drop(file, "__self_test__/output"); }), "no tensor __self_test__"));
  EXPECT_TRUE(
      contains(refused([&](TensorFile& file) { drop(file, "__self_test__/input"); }), "no tensor __self_test__"));
  EXPECT_TRUE(contains(refused([&](TensorFile& file) {
                         tensor(file, "__self_test__/input").shape = {2, 3, 6};
                       }),
                       "the model refuses the input: "));
  EXPECT_TRUE(contains(refused([&](TensorFile& file) {
                         tensor(file, "__self_test__/input").shape = {1, 2, 6, 3};
                       }),
                       "wanted an input (B, T, F) of at least one frame, given F32 (1, 2, 6, 3)"));
  EXPECT_TRUE(contains(refused([&](TensorFile& file) {
                         tensor(file, "__self_test__/input") = {"__self_test__/input", Dtype::f32, {2, 0, 3}, {}};
                       }),
                       "of at least one frame"));
  EXPECT_TRUE(contains(refused([&](TensorFile& file) {
                         tensor(file, "__self_test__/output").shape = {2, 2, 6};
                       }),
                       "wanted an output F32 (2, 6, 2), given F32 (2, 2, 6)"));
  EXPECT_TRUE(contains(refused([&](TensorFile& file) {
                         TensorBytes& bytes = tensor(file, "__self_test__/output").bytes;
                         bytes[2] = bytes[3] = std::byte{0xff};  // NaN
                       }),
                       "off by nan"));
  EXPECT_TRUE(contains(refused([&](TensorFile& file) {
                         file.tensors.push_back({"__self_test__/more", Dtype::u8, {0}, {}});
                       }),
                       "__self_test__/more: wanted none"));
}

TEST_F(SelfTestFile, IsNotMadeOfWhatCannotBeCompared) {
  const auto net = make_net<float>(1);
  TensorFile file = to_tensors(net);
  const auto message = [&](const auto& x) {
    return message_of<std::invalid_argument>([&] { add_self_test(file, net, x); });
  };
  EXPECT_TRUE(contains(message(Sequence<float>(3, 0, 2)), "at least one frame"));
  auto x = random_sequence<float>(3, 6, 2, random);
  const auto flags = starts_at(6, 2, {{2, 1}});
  EXPECT_TRUE(contains(message(x.view().with_starts(flags.data())), "starts"));
  EXPECT_TRUE(contains(message(Sequence<float>(random_sequence<float>(2, 6, 2, random))), "wanted (F, T, B) = (3"));
  x.data()[0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_TRUE(contains(message(x), "finite numbers"));
  EXPECT_FALSE(has_self_test(file));

  // A second one takes the place of the first.
  for (int i = 0; i < 2; ++i) add_self_test(file, net, random_sequence<float>(3, 2, 1, random));
  EXPECT_EQ(file.tensors.size(), to_tensors(net).tensors.size() + 2);
}

// What is not a model, or is one of several parts, loads from a file with a self-test as from another.
TEST_F(SelfTestFile, IsPassedOverByWhatIsNoModel) {
  auto net = make_net<float>(1);
  TensorFile file = to_tensors(net);
  add_self_test(file, net, random_sequence<float>(3, 6, 2, random));
  std::int64_t step = 3;
  for (StoredTensor& t : file.tensors)
    if (!minrnn::detail::is_self_test(t.name)) t.name = "net/" + t.name;
  file.tensors.push_back(to_tensors(Parts(Part{"step", step})).tensors[0]);
  write_safetensors(path, file);
  step = 0;
  auto fresh = make_net<float>(2);
  load_checkpoint(path, Parts(Part{"step", step}, Part{"net", fresh}));
  EXPECT_EQ(step, 3);
  EXPECT_EQ(run_self_test(file, fresh).absolute, 0);
}

}  // namespace
}  // namespace minrnn::tests
