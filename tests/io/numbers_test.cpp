// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/numbers.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/safetensors.hpp"

namespace minrnn::tests {
namespace {

using namespace std::string_literals;

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

StoredTensor tensor_of(Dtype dtype, const std::string& bytes) {
  return {"w", dtype, {bytes.size() / detail::dtype_entry(dtype).size}, bytes_of(bytes)};
}

template <class S>
StoredTensor tensor_of(const std::vector<S>& values) {
  StoredTensor tensor{"w", detail::dtype_of<S>(), {values.size()}, {}};
  tensor.bytes.resize(values.size() * sizeof(S));
  for (std::size_t i = 0; i < values.size(); ++i)
    detail::copy_little_endian(tensor.bytes.data() + i * sizeof(S), &values[i], sizeof(S));
  return tensor;
}

template <class S>
std::string refusal(const StoredTensor& tensor, Conversion conversion) {
  return message_of([&] { numbers<S>(tensor, conversion); });
}

// Bytes as the format has them: least first.
TEST(Numbers, EveryTypeHasTheseBytes) {
  const auto as_double = [](Dtype dtype, const std::string& bytes) { return numbers<double>(tensor_of(dtype, bytes)); };
  using List = std::vector<double>;
  EXPECT_EQ(as_double(Dtype::f64, "\0\0\0\0\0\0\xf8\xbf"s), List{-1.5});
  EXPECT_EQ(as_double(Dtype::f32, "\0\0\x80\x3f\0\0\0\xc0"s), (List{1, -2}));
  EXPECT_EQ(as_double(Dtype::f16, "\0\x3c\xff\x7b\1\0\0\x80"s), (List{1, 65504, 0x1p-24, 0}));
  EXPECT_EQ(as_double(Dtype::bf16, "\x80\x3f\x7f\x7f\1\0\x49\xc0"s), (List{1, 0x1.fep127, 0x1p-133, -3.140625}));
  EXPECT_EQ(as_double(Dtype::i8, "\x80\xff\x7f"s), (List{-128, -1, 127}));
  EXPECT_EQ(as_double(Dtype::u8, "\x80\xff\0"s), (List{128, 255, 0}));
  EXPECT_EQ(as_double(Dtype::i16, "\0\x80\1\2"s), (List{-32768, 513}));
  EXPECT_EQ(as_double(Dtype::u16, "\0\x80\1\2"s), (List{32768, 513}));
  EXPECT_EQ(as_double(Dtype::i32, "\0\0\0\x80\1\2\3\4"s), (List{-2147483648.0, 67305985}));
  EXPECT_EQ(as_double(Dtype::u32, "\0\0\0\x80\1\2\3\4"s), (List{2147483648.0, 67305985}));
  EXPECT_EQ(as_double(Dtype::i64, "\0\0\0\0\0\0\0\x80\1\2\0\0\0\0\0\0"s), (List{-0x1p63, 513}));
  EXPECT_EQ(as_double(Dtype::u64, "\0\0\0\0\0\0\0\x80\1\2\0\0\0\0\0\0"s), (List{0x1p63, 513}));
  EXPECT_EQ(as_double(Dtype::boolean, "\0\1"s), (List{0, 1}));
  EXPECT_EQ(numbers<std::uint8_t>(tensor_of(Dtype::boolean, "\0\1"s)), (std::vector<std::uint8_t>{0, 1}));
  EXPECT_TRUE(std::signbit(as_double(Dtype::f16, "\0\x80"s)[0]));
  EXPECT_TRUE(std::signbit(as_double(Dtype::bf16, "\0\x80"s)[0]));
}

TEST(Numbers, HalfIsWidenedAndNothingElseWhereNothingElseIsAskedFor) {
  const StoredTensor f16 = tensor_of(Dtype::f16, "\0\x3c\0\x7c\1\x7e"s);
  const auto wide = numbers<float>(f16, Conversion::half);
  EXPECT_EQ(wide[0], 1.f);
  EXPECT_EQ(wide[1], std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(wide[2]));
  EXPECT_EQ(numbers<double>(f16, Conversion::half)[0], 1.0);
  EXPECT_EQ(refusal<float>(tensor_of<double>({0.5}), Conversion::half),
            "(memory): tensor w: wanted F32 (1), given F64 (1)");
  EXPECT_EQ(refusal<double>(tensor_of<float>({0.5f}), Conversion::half),
            "(memory): tensor w: wanted F64 (1), given F32 (1)");
  EXPECT_EQ(refusal<std::int64_t>(tensor_of<std::int32_t>({1}), Conversion::half),
            "(memory): tensor w: wanted I64 (1), given I32 (1)");
  EXPECT_EQ(refusal<std::int64_t>(f16, Conversion::half), "(memory): tensor w: wanted I64 (3), given F16 (3)");
}

TEST(Numbers, ExactTakesWhatTheOtherTypeHas) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto narrow = numbers<float>(tensor_of<double>(
      {0.5, -0.0, 0x1p-149, 0x1.fffffep127, kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}));
  EXPECT_EQ(narrow[0], 0.5f);
  EXPECT_TRUE(std::signbit(narrow[1]));
  EXPECT_EQ(narrow[2], 0x1p-149f);
  EXPECT_EQ(narrow[3], std::numeric_limits<float>::max());
  EXPECT_EQ(narrow[4], std::numeric_limits<float>::infinity());
  EXPECT_EQ(narrow[5], -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(narrow[6]));
  EXPECT_EQ(numbers<std::int8_t>(tensor_of<float>({-128, 127, -0.f})), (std::vector<std::int8_t>{-128, 127, 0}));
  EXPECT_EQ(numbers<float>(tensor_of<std::int64_t>({1 << 24, (std::int64_t{1} << 62) + (std::int64_t{1} << 39),
                                                    std::numeric_limits<std::int64_t>::min()})),
            (std::vector<float>{0x1p24f, 0x1.000002p62f, -0x1p63f}));
  EXPECT_EQ(numbers<std::uint64_t>(tensor_of<double>({0x1.fffffffffffffp63})),
            std::vector<std::uint64_t>{0xfffffffffffff800});
  EXPECT_EQ(numbers<std::uint16_t>(tensor_of<std::int64_t>({0, 65535})), (std::vector<std::uint16_t>{0, 65535}));
}

TEST(Numbers, ExactRefusesEverythingElseByNameAndPlace) {
  EXPECT_EQ(
      refusal<float>(tensor_of<double>({0.5, 0.1}), Conversion::exact),
      "(memory): tensor w: wanted F32 (2), given F64 (2), whose number 1, 0.10000000000000001, has to be rounded, "
      "as Conversion::nearest does");
  for (const double x : {1e-46, -1e300, 0x1.ffffffp127, 0x1.fffffefffffffp127, 1 + 0x1p-30})
    EXPECT_TRUE(contains(refusal<float>(tensor_of<double>({x}), Conversion::exact), "whose number 0, ")) << x;
  EXPECT_TRUE(contains(refusal<float>(tensor_of<std::int32_t>({0, (1 << 24) + 1}), Conversion::exact),
                       "whose number 1, 16777217, has to be rounded"));
  EXPECT_TRUE(contains(refusal<double>(tensor_of<std::uint64_t>({~std::uint64_t{0}}), Conversion::exact),
                       "whose number 0, 18446744073709551615, has to be rounded"));
}

TEST(Numbers, NearestRoundsAndRefusesWhatIsBeyond) {
  EXPECT_EQ(numbers<float>(tensor_of<double>({0.1, 1e-46, 1 + 0x1p-24, 1 + 0x3p-24}), Conversion::nearest),
            (std::vector<float>{0.1f, 0.f, 1.f, 1 + 0x1p-22f}));
  EXPECT_EQ(numbers<float>(tensor_of<std::int32_t>({(1 << 24) + 1}), Conversion::nearest), std::vector<float>{0x1p24f});
  EXPECT_EQ(numbers<float>(tensor_of<double>({0x1.fffffefffffffp127}), Conversion::nearest),
            std::vector<float>{std::numeric_limits<float>::max()});
  for (const double x : {0x1.ffffffp127, -1e300})
    EXPECT_TRUE(contains(refusal<float>(tensor_of<double>({1, x}), Conversion::nearest), ", is none")) << x;
  EXPECT_EQ(refusal<float>(tensor_of<double>({1, 1e300}), Conversion::nearest),
            "(memory): tensor w: wanted F32 (2), given F64 (2), whose number 1, 1.0000000000000001e+300, is none");
  const auto expect_none = [](const std::string& message) { EXPECT_TRUE(contains(message, ", is none")); };
  expect_none(refusal<std::int32_t>(tensor_of<double>({0.5}), Conversion::nearest));
  expect_none(refusal<std::int32_t>(tensor_of<double>({std::nan("")}), Conversion::nearest));
  expect_none(refusal<std::int32_t>(tensor_of<double>({0x1p31}), Conversion::nearest));
  expect_none(refusal<std::uint64_t>(tensor_of<float>({-1}), Conversion::nearest));
  expect_none(refusal<std::uint64_t>(tensor_of<float>({0x1p64f}), Conversion::nearest));
  expect_none(refusal<std::int64_t>(tensor_of<double>({0x1p63}), Conversion::nearest));
  expect_none(refusal<std::int8_t>(tensor_of<std::uint8_t>({128}), Conversion::nearest));
  expect_none(refusal<std::uint8_t>(tensor_of<std::int8_t>({-1}), Conversion::nearest));
  expect_none(refusal<std::int64_t>(tensor_of<std::uint64_t>({std::uint64_t{1} << 63}), Conversion::nearest));
  expect_none(refusal<float>(tensor_of(Dtype::boolean, "\1\2"), Conversion::nearest));
}

TEST(Numbers, ATypeThatNothingComputesWithIsNamed) {
  const StoredTensor tensor{"scale", Dtype::other, {2}, bytes_of("12"), "F8_E4M3"};
  for (const Conversion conversion : {Conversion::half, Conversion::exact, Conversion::nearest})
    EXPECT_EQ(refusal<float>(tensor, conversion), "(memory): tensor scale: wanted F32 (2), given F8_E4M3 (2)");
  StoredTensor cut = tensor_of<float>({1, 2});
  cut.bytes.pop_back();
  EXPECT_EQ(refusal<float>(cut, Conversion::exact), "(memory): tensor w: wanted F32 (2), given 7 bytes");
}

TEST(Numbers, ByNameOrWithTheNamesNearestToIt) {
  TensorFile file;
  file.path = "net.safetensors";
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "fc.weight"}) {
    file.tensors.push_back(tensor_of<float>({1}));
    file.tensors.back().name = name;
  }
  EXPECT_EQ(numbers<float>(file, "fc.weight"), std::vector<float>{1});
  EXPECT_EQ(&find_tensor(file, "bias_hh_l0"), &file.tensors[3]);
  EXPECT_EQ(message_of([&] { numbers<float>(file, "weight_hh"); }),
            "net.safetensors: no tensor weight_hh; nearest to it in the file: weight_hh_l0, weight_ih_l0, fc.weight");
  EXPECT_EQ(message_of([&] { find_tensor(TensorFile{}, "w"); }), "(memory): no tensor w");
}

TEST(NearestNames, CountsEdits) {
  const auto distance = [](std::string_view a, std::string_view b) { return detail::edit_distance(a, b, 100); };
  EXPECT_EQ(distance("", ""), 0u);
  EXPECT_EQ(distance("abc", ""), 3u);
  EXPECT_EQ(distance("", "abc"), 3u);
  EXPECT_EQ(distance("kitten", "sitting"), 3u);
  EXPECT_EQ(distance("flaw", "lawn"), 2u);
  EXPECT_EQ(distance("weight_ih_l0", "weight_hh_l0"), 1u);
  EXPECT_EQ(distance("0/w_z", "0.w_z"), 1u);
  EXPECT_EQ(detail::edit_distance("kitten", "sitting", 3), 3u);
  EXPECT_EQ(detail::edit_distance("kitten", "sitting", 2), 2u);
  EXPECT_EQ(detail::edit_distance("a", std::string(1000, 'b'), 10), 10u);
}

TEST(NearestNames, KeepsThreeInTheOrderOfTheirDistanceAndLeavesOutWhatNobodyMeant) {
  const std::string monster(5000, 'g');
  const std::string names[] = {"norm.weight", monster, "gains", "x", "main", "grain"};
  EXPECT_EQ(detail::NearestNames("w").text(), "");
  detail::NearestNames nearest("gain");
  for (const std::string& name : names) nearest.add(name);
  EXPECT_EQ(nearest.text(), "; nearest to it in the file: gains, grain, main");
}

TEST(ConvertFloats, RoundsOnceToTheNearest) {
  TensorFile file;
  file.tensors.push_back(tensor_of<float>({1, -2, 1 + 0x1p-8f, 1 + 0x3p-8f, 65504, 0x1p-24f}));
  file.tensors.push_back(tensor_of<double>({1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-11 + 0x1p-40}));
  file.tensors.push_back(tensor_of<std::int64_t>({7}));
  file.metadata["kind"] = "test";
  const TensorFile bf16 = convert_floats(file, Dtype::bf16);
  EXPECT_EQ(bf16.tensors[0].dtype, Dtype::bf16);
  EXPECT_EQ(bf16.tensors[0].bytes, TensorBytes(bytes_of("\x80\x3f\0\xc0\x80\x3f\x82\x3f\x80\x47\x80\x33"s)));
  EXPECT_EQ(bf16.tensors[1].bytes, TensorBytes(bytes_of("\x81\x3f\x80\x3f"s)));
  EXPECT_EQ(bf16.tensors[2].bytes, file.tensors[2].bytes);
  EXPECT_EQ(bf16.metadata, file.metadata);
  const TensorFile f16 = convert_floats(file, Dtype::f16);
  EXPECT_EQ(f16.tensors[0].bytes, TensorBytes(bytes_of("\0\x3c\0\xc0\4\x3c\x0c\x3c\xff\x7b\1\0"s)));
  EXPECT_EQ(f16.tensors[1].bytes, TensorBytes(bytes_of("\4\x3c\1\x3c"s)));
  EXPECT_EQ(numbers<double>(convert_floats(f16, Dtype::f64).tensors[0]),
            (std::vector<double>{1, -2, 1 + 0x1p-8, 1 + 0x3p-8, 65504, 0x1p-24}));
  EXPECT_EQ(numbers<float>(convert_floats(file, Dtype::f32).tensors[1]),
            (std::vector<float>{1 + 0x1p-8f, 1 + 0x1p-11f}));
}

TEST(ConvertFloats, KeepsNanAndInfinityAndRefusesWhatWouldBecomeInfinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  TensorFile file;
  file.tensors.push_back(tensor_of<float>({kInfinity, -kInfinity, std::nanf(""), 65519}));
  for (const Dtype to : {Dtype::f16, Dtype::bf16, Dtype::f64}) {
    const auto back = numbers<float>(convert_floats(file, to).tensors[0]);
    EXPECT_EQ(back[0], kInfinity);
    EXPECT_EQ(back[1], -kInfinity);
    EXPECT_TRUE(std::isnan(back[2]));
  }
  const auto refused = [](const StoredTensor& tensor, Dtype to) {
    TensorFile one;
    one.tensors.push_back(tensor);
    return message_of<std::invalid_argument>([&] { convert_floats(one, to); });
  };
  EXPECT_EQ(refused(tensor_of<float>({1, -65520}), Dtype::f16),
            "convert_floats: w: wanted numbers that do not become infinite, given -65520 as number 1");
  EXPECT_TRUE(contains(refused(tensor_of<float>({3.4e38f}), Dtype::bf16), "as number 0"));
  EXPECT_TRUE(contains(refused(tensor_of<double>({1e39}), Dtype::f32), "as number 0"));
  EXPECT_TRUE(contains(refused(tensor_of<double>({1}), Dtype::i64), "wanted F16, BF16, F32 or F64, given I64"));
  StoredTensor cut = tensor_of<float>({1, 2});
  cut.bytes.pop_back();
  EXPECT_TRUE(contains(refused(cut, Dtype::f16), "the bytes of F32 (2), given 7 bytes"));
}

}  // namespace
}  // namespace minrnn::tests
