// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Whatever bytes a file has, it is read or refused as promised. A few seconds as part of the tests; for as long as one
// likes:
//   MINRNN_FUZZ_SECONDS=3600 build/sanitize/tests/minrnn_tests --gtest_filter='Fuzz.*'
#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "io/folder.hpp"
#include "minrnn/core/random.hpp"
#include "minrnn/io/checkpoint.hpp"
#include "minrnn/io/safetensors.hpp"
#include "minrnn/layers/linear.hpp"

namespace minrnn::tests {
namespace {

using namespace std::string_literals;

/// Random choices, the same for the same seed.
class Choice {
 public:
  explicit Choice(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) {
    return std::min<std::size_t>(static_cast<std::size_t>(random_.uniform() * static_cast<double>(n)), n - 1);
  }
  template <class List>
  const auto& of(const List& list) {
    return list[below(std::size(list))];
  }
  std::string bytes(std::size_t count) {
    std::string result(count, '\0');
    for (char& c : result) c = static_cast<char>(below(256));
    return result;
  }

 private:
  Random random_;
};

/// Calls body(choice) with other seeds, `rounds` times or as long as the environment says.
template <class Body>
void for_seeds(std::uint64_t rounds, const Body& body) {
  const char* text = std::getenv("MINRNN_FUZZ_SECONDS");
  const std::chrono::duration<double> most(text == nullptr ? 0.0 : std::atof(text));
  const auto begin = std::chrono::steady_clock::now();
  for (std::uint64_t seed = 0; seed < rounds || std::chrono::steady_clock::now() - begin < most; ++seed) {
    SCOPED_TRACE(seed);
    Choice choice(seed);
    body(choice);
    if (::testing::Test::HasFailure()) return;
  }
}

constexpr std::string_view kTokens[] = {"{",
                                        "}",
                                        "[",
                                        "]",
                                        ":",
                                        ",",
                                        "\"",
                                        "\\",
                                        "\\u0000",
                                        "\\ud800",
                                        "null",
                                        "-1",
                                        "1e0",
                                        "1.5",
                                        "0",
                                        "8",
                                        "16",
                                        "true",
                                        "\"F32\"",
                                        "F16",
                                        "BF16",
                                        "F64",
                                        "I8",
                                        "U16",
                                        "BOOL",
                                        "I64",
                                        "F8_E4M3",
                                        "\"shape\"",
                                        "[0,4]",
                                        "[2,3]",
                                        "[0,0]",
                                        "a",
                                        "w",
                                        "\0",
                                        "//",
                                        "\xff",
                                        "\xc3",
                                        "..",
                                        "../out",
                                        "/",
                                        "one",
                                        "dtype",
                                        "[[[[",
                                        "{\"a\":",
                                        "b",
                                        " ",
                                        "\n",
                                        "\"b\"",
                                        "{}",
                                        "\"a\":null",
                                        "weight_map",
                                        "metadata",
                                        "4294967296",
                                        "18446744073709551615",
                                        "data_offsets",
                                        "18446744073709551616",
                                        "__metadata__",
                                        "__self_test__/input",
                                        "__self_test__/output"};

void change(std::string& bytes, Choice& choice) {
  for (std::size_t n = 1 + choice.below(3); n > 0; --n) {
    const std::size_t at = choice.below(bytes.size() + 1), left = bytes.size() - at;
    const std::size_t count = choice.below(std::min<std::size_t>(left, 40) + 1);
    const std::size_t way = choice.below(7);
    if (way == 0 && left > 0) bytes[at] = static_cast<char>(bytes[at] ^ (1 << choice.below(8)));
    if (way == 1 && left > 0) bytes[at] = static_cast<char>(choice.below(256));
    if (way == 2) bytes.erase(at, count);
    if (way == 3) bytes.insert(at, choice.of(kTokens));
    if (way == 4) bytes.replace(at, count, choice.of(kTokens));
    if (way == 5) bytes.insert(choice.below(bytes.size() + 1), bytes.substr(at, count));
    if (way == 6 && choice.below(8) == 0) bytes.resize(at);
  }
}

/// A safetensors file of a few tensors of any types.
TensorFile random_file(Choice& choice) {
  TensorFile file;
  for (std::size_t n = choice.below(5); n > 0; --n) {
    StoredTensor& tensor = file.tensors.emplace_back();
    tensor.name = std::string(1 + choice.below(3), static_cast<char>('a' + n));
    tensor.dtype = static_cast<Dtype>(choice.below(14));
    std::uint64_t count = tensor.dtype == Dtype::other ? 1 : detail::dtype_entry(tensor.dtype).size;
    for (std::size_t rank = choice.below(4); rank > 0; --rank) count *= tensor.shape.emplace_back(choice.below(4));
    if (tensor.dtype == Dtype::other) tensor.other = "F8_E5M2";
    // Small numbers, zeros among them, so that some of them are floats and some BOOL.
    for (std::uint64_t i = 0; i < count; ++i)
      tensor.bytes.own().push_back(static_cast<std::byte>(choice.below(2) == 0 ? 0 : choice.below(256)));
  }
  for (std::size_t n = choice.below(3); n > 0; --n) file.metadata[std::string(n, 'k')] = "value";
  return file;
}

std::string bytes_of(const TensorFile& file) {
  std::string data;
  for (const StoredTensor& tensor : file.tensors)
    data.append(reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size());
  return file_of(detail::header_of(file), data);
}

bool same(const TensorFile& a, const TensorFile& b) {
  return a.metadata == b.metadata && std::equal(a.tensors.begin(), a.tensors.end(), b.tensors.begin(), b.tensors.end(),
                                                [](const StoredTensor& x, const StoredTensor& y) {
                                                  return x.name == y.name && x.dtype == y.dtype && x.other == y.other &&
                                                         x.shape == y.shape && x.bytes == y.bytes;
                                                });
}

class Fuzz : public ::testing::Test {
 protected:
  /// The message where `body` refuses, as promised: one line that begins with a path. Empty where it does not.
  template <class Body>
  std::string refusal(const Body& body) {
    try {
      body();
      ++accepted;
      return {};
    } catch (const std::runtime_error& error) {
      ++refused;
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with((folder / "").string())) << message;
      EXPECT_EQ(message.find_first_of("\n\r\x1b\b"), std::string::npos) << message;
      EXPECT_LT(message.size(), 2000u) << message;
      return message;
    }
  }
  /// The file in both ways of access, which say the same.
  TensorFile read(const std::filesystem::path& from, bool& is_read) {
    TensorFile file, mapped;
    const std::string message = refusal([&] { file = read_safetensors(from); });
    EXPECT_EQ(refusal([&] { mapped = read_safetensors(from, FileAccess::map); }), message);
    is_read = message.empty();
    EXPECT_TRUE(!is_read || same(file, mapped));
    return mapped;
  }
  template <class S>
  void convert(const TensorFile& file) {
    for (const StoredTensor& tensor : file.tensors)
      for (const Conversion way : {Conversion::half, Conversion::exact, Conversion::nearest}) {
        std::vector<S> read;
        const bool ok = refusal([&] { read = numbers<S>(file, tensor.name, way); }).empty();
        EXPECT_EQ(ok ? read.size() : 0, ok ? detail::number_count(tensor) : 0);
        EXPECT_FALSE(ok && tensor.dtype == Dtype::other);
      }
  }

  Folder folder;
  std::filesystem::path path = folder / "a.safetensors";
  int accepted = 0, refused = 0;
};

TEST_F(Fuzz, Files) {
  for_seeds(1500, [&](Choice& choice) {
    std::string bytes = bytes_of(random_file(choice));
    const std::size_t header_size = static_cast<unsigned char>(bytes[0]) + 256u * static_cast<unsigned char>(bytes[1]);
    std::string header = bytes.substr(8, header_size), data = bytes.substr(8 + header_size);
    const std::size_t way = choice.below(10);
    if (way < 7) {  // the length says how long the header is
      change(way == 0 ? data : header, choice);
      bytes = file_of(header, data);
    } else if (way < 9) {
      change(bytes, choice);
    }
    write_bytes(path, bytes);
    bool is_read = false;
    const TensorFile file = read(path, is_read);
    if (!is_read) return;
    convert<float>(file);
    convert<double>(file);
    convert<std::int16_t>(file);
    convert<std::uint64_t>(file);
    // What is read can be written, and is the same then.
    const auto again = folder / "again.safetensors";  // the first may be mapped
    write_bytes(again, bytes_of(file));
    EXPECT_TRUE(same(read_safetensors(again), file));
  });
  EXPECT_GT(accepted, 500);
  EXPECT_GT(refused, 400);
}

TEST_F(Fuzz, IndexFiles) {
  const auto index = folder / "model" / "a.index.json";
  std::filesystem::create_directories(folder / "model" / "b");
  const auto write_one = [&](const std::filesystem::path& to, const char* name) {
    TensorFile file;
    file.tensors.push_back({name, Dtype::u8, {2}, std::vector<std::byte>(2)});
    write_bytes(to, bytes_of(file));
  };
  write_one(folder / "out", "out");
  write_one(folder / "model" / "one", "a");
  write_one(folder / "model" / "b" / "w", "b");
  for_seeds(1500, [&](Choice& choice) {
    std::string text = R"({"metadata": {"total_size": 4}, "weight_map": {"a": "one", "b": "b/w"}})";
    if (choice.below(20) > 0) change(text, choice);
    write_bytes(index, text);
    bool is_read = false;
    const TensorFile file = read(index, is_read);
    for (const StoredTensor& tensor : file.tensors) EXPECT_TRUE(tensor.name == "a" || tensor.name == "b") << text;
  });
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 400);
}

TEST_F(Fuzz, CheckpointsWithASelfTest) {
  const Linear<float> saved(3, 2, Random(1).stream(0)), fresh(3, 2, Random(2).stream(0));
  Random random(3);
  Matrix<float> x(3, 4);
  fill_normal(x, random, 1);
  TensorFile good = to_tensors(saved);
  add_self_test(good, saved, x);
  const auto bits = [](const Linear<float>& layer) { return bytes_of(to_tensors(layer)); };
  const std::string whole = bytes_of(good), before = bits(fresh);
  for_seeds(1500, [&](Choice& choice) {
    std::string bytes = whole;
    const std::size_t header_size = static_cast<unsigned char>(bytes[0]) + 256u * static_cast<unsigned char>(bytes[1]);
    std::string header = bytes.substr(8, header_size), data = bytes.substr(8 + header_size);
    change(choice.below(2) == 0 ? data : header, choice);
    write_bytes(path, file_of(header, data));
    Linear<float> layer = fresh;
    const Conversion way = choice.of(std::vector{Conversion::half, Conversion::exact, Conversion::nearest});
    const bool loaded = refusal([&] { load_checkpoint(path, layer, way); }).empty();
    EXPECT_EQ(bits(layer) != before, loaded);
  });
  EXPECT_GT(accepted, 20);
  EXPECT_GT(refused, 400);
}

}  // namespace
}  // namespace minrnn::tests
