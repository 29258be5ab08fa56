// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/safetensors.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#ifndef _WIN32
#include <sys/stat.h>
#endif

#include "io/folder.hpp"

namespace minrnn::tests {
namespace {

using namespace std::string_literals;

std::vector<std::byte> bytes_of(const std::string& text) {
  std::vector<std::byte> bytes;
  for (const char c : text) bytes.push_back(static_cast<std::byte>(c));
  return bytes;
}

/// Two tensors and a text; floats 1, -2 and the integer 3.
TensorFile tiny() {
  TensorFile file;
  file.tensors.push_back({"b/w", Dtype::f32, {1, 2}, bytes_of("\0\0\x80\x3f\0\0\0\xc0"s)});
  file.tensors.push_back({"a", Dtype::i64, {}, bytes_of("\3\0\0\0\0\0\0\0"s)});
  file.metadata["kind"] = "\"t\303\244st\"\n";
  return file;
}

const std::string kTinyHeader = R"({"__metadata__":{"kind":"\"t)"
                                "\303\244"
                                R"(st\"\n"},"b/w":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                                R"("a":{"dtype":"I64","shape":[],"data_offsets":[8,16]}})";
const std::string kTinyData = "\0\0\x80\x3f\0\0\0\xc0\3\0\0\0\0\0\0\0"s;

void expect_equal(const TensorFile& a, const TensorFile& b) {
  EXPECT_EQ(a.metadata, b.metadata);
  ASSERT_EQ(a.tensors.size(), b.tensors.size());
  for (std::size_t i = 0; i < a.tensors.size(); ++i) {
    EXPECT_EQ(a.tensors[i].name, b.tensors[i].name);
    EXPECT_EQ(a.tensors[i].dtype, b.tensors[i].dtype);
    EXPECT_EQ(a.tensors[i].other, b.tensors[i].other);
    EXPECT_EQ(a.tensors[i].shape, b.tensors[i].shape);
    EXPECT_EQ(a.tensors[i].bytes, b.tensors[i].bytes);
  }
}

class Safetensors : public ::testing::Test {
 protected:
  /// Reading these bytes throws, and says where and why.
  void expect_rejected(const std::string& bytes, const std::string& reason) {
    write_bytes(path, bytes);
    const std::string message = message_of([&] { read_safetensors(path); });
    EXPECT_TRUE(message.starts_with(path.string() + ": ")) << message;
    EXPECT_TRUE(contains(message, reason)) << bytes.substr(0, 300);
  }
  void expect_accepted(const std::string& bytes) {
    write_bytes(path, bytes);
    EXPECT_NO_THROW(read_safetensors(path)) << bytes;
  }
  static std::string entry(const std::string& name, const std::string& shape, const std::string& offsets,
                           const std::string& dtype = "F32") {
    return '"' + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
  }

  Folder folder;
  std::filesystem::path path = folder / "a.safetensors";
};

TEST_F(Safetensors, WritesTheseBytes) {
  write_safetensors(path, tiny());
  const std::string bytes = read_bytes(path);
  EXPECT_EQ(bytes.size() % 8, 0u);
  EXPECT_EQ(bytes, file_of(kTinyHeader + std::string((8 - kTinyHeader.size() % 8) % 8, ' '), kTinyData));
  EXPECT_NE(kTinyHeader.size() % 8, 0u) << "the header must be one that needs padding";
  EXPECT_EQ(folder.names(), std::vector<std::string>{"a.safetensors"});
}

TEST_F(Safetensors, ReadsWhatItWrote) {
  TensorFile file = tiny();
  file.tensors.push_back({"u", Dtype::u64, {2}, bytes_of("0123456789abcdef")});
  file.tensors.push_back({"nothing", Dtype::f64, {3, 0}, {}});
  file.tensors.push_back({"", Dtype::f64, {1, 1, 1}, bytes_of("01234567")});
  file.tensors.push_back({"zero\0\"quote\\"s, Dtype::f32, {0}, {}});
  file.metadata[""] = "";
  write_safetensors(path, file);
  const TensorFile read = read_safetensors(path);
  expect_equal(read, file);
  EXPECT_EQ(read.path, path);

  write_safetensors(path, TensorFile{});
  EXPECT_EQ(read_bytes(path), file_of("{}      "));
  expect_equal(read_safetensors(path), TensorFile{});
}

TEST_F(Safetensors, ReadsAnyOrderOfKeysAndOfData) {
  write_bytes(path, file_of("{ \"a\" : {\"data_offsets\":[4,8], \"shape\":[1],\n\"dtype\":\"F32\"},"
                            "\"e\":{\"dtype\":\"F32\",\"shape\":[5,0],\"data_offsets\":[4,4]},"
                            "\"b\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}, \"__metadata__\":{} } ",
                            "bbbbaaaa"));
  const TensorFile file = read_safetensors(path);
  ASSERT_EQ(file.tensors.size(), 3u);
  EXPECT_EQ(file.tensors[0].bytes, TensorBytes(bytes_of("aaaa")));
  EXPECT_EQ(file.tensors[1].bytes, TensorBytes());
  EXPECT_EQ(file.tensors[2].bytes, TensorBytes(bytes_of("bbbb")));
}

TEST_F(Safetensors, RejectsAFileCutAnywhere) {
  const std::string whole = file_of(kTinyHeader, kTinyData);
  expect_accepted(whole);
  for (std::size_t size = 0; size < whole.size(); ++size)
    expect_rejected(whole.substr(0, size), size < 8                        ? "no header"
                                           : size < 8 + kTinyHeader.size() ? "truncated"
                                                                           : "beyond the end of the data");
  expect_rejected(whole + '\0', "1 bytes after the last tensor");
  expect_rejected(file_of("{}", "x"), "1 bytes after the last tensor");
}

// Whatever a byte is changed to, the file is read or refused as promised.
TEST_F(Safetensors, SurvivesAnyChangedByte) {
  const std::string whole = file_of(kTinyHeader, kTinyData);
  int rejected = 0;
  for (std::size_t i = 0; i < whole.size(); ++i)
    for (const char c : "\0\x01\x7f\xff\"{}[],:09-.e \\"s) {
      std::string changed = whole;
      changed[i] = c;
      write_bytes(path, changed);
      try {
        read_safetensors(path);
      } catch (const std::runtime_error& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with(path.string())) << error.what();
        ++rejected;
      }
    }
  EXPECT_GT(rejected, 1000);
}

TEST_F(Safetensors, RejectsALengthThatIsNotTheHeaders) {
  const std::string good = entry("a", "[1]", "[0,4]");
  expect_rejected("\xff\xff\xff\xff\xff\xff\xff\xff{}"s, "above the limit");
  expect_rejected("\0\0\0\0\0\0\0\x80{}"s, "above the limit");
  expect_rejected("\3\0\0\0\0\0\0\0{}"s, "truncated");
  expect_rejected("\0\0\0\0\0\0\0\0"s, "no object");
  std::string shorter = file_of("{" + good + "}", "1234");
  --shorter[0];
  expect_rejected(shorter, "not JSON");
  std::string longer = file_of("{" + good + "}", "1234");
  ++longer[0];
  expect_rejected(longer, "not JSON");
}

TEST_F(Safetensors, RejectsAHeaderAboveTheLimitThoughTheFileHasIt) {
  write_bytes(path, "\1\xe1\xf5\5\0\0\0\0{}"s);  // 100 000 001
  std::filesystem::resize_file(path, 100'000'100);
  EXPECT_TRUE(contains(message_of([&] { read_safetensors(path); }), "100000001 bytes, above the limit of 100000000"));
}

TEST_F(Safetensors, RejectsAHeaderThatIsNotAnObject) {
  for (const char* header : {"", " {}", "[]", "null", "7", "\"a\"", "\xef\xbb\xbf{}"})
    expect_rejected(file_of(header), "no object");
  for (const char* header : {"{", "{}}", "{} {}", "{\"a\"}", "{\"a\":}", "{,}", "{\"a\":{},}", "{'a':{}}", "{}//",
                             "{\"\xff\":{}}", "{\"\\ud800\":{}}", "{\"\n\":{}}"})
    expect_rejected(file_of(header), "header: ");
  expect_rejected(file_of("{}\0{}"s), "a zero byte");
  expect_rejected(file_of("{}\0"s), "a zero byte");
}

TEST_F(Safetensors, RejectsEntriesThatAreNotTensors) {
  for (const char* value : {"null", "true", "-1", "1", "1.5", "1e999", "\"text\"", "[]", "[[[[[[["})
    expect_rejected(file_of("{\"a\":"s + value + "}"), "header: ");
  expect_rejected(file_of("{\"a\":" + std::string(100'000, '[') + "}"), "a: not expected: an array");
  expect_rejected(file_of("{\"a\":{}}"), "given 0 of these");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","shape":[]}})"), "given 2 of these");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","data_offsets":[0,4]}})", "1234"), "given 2 of these");
  expect_rejected(file_of(R"({"a":{"shape":[],"data_offsets":[0,4]}})", "1234"), "given 2 of these");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"more":1}})", "1234"),
                  "a.more: unknown key");
  expect_rejected(file_of(R"({"a":{"dtype":{},"shape":[],"data_offsets":[0,4]}})", "1234"), "a.dtype: not expected");
  expect_rejected(file_of(R"({"a":{"dtype":32,"shape":[],"data_offsets":[0,4]}})", "1234"), "a.dtype: not expected");
  expect_rejected(file_of(R"({"a":{"dtype":["F32"],"shape":[],"data_offsets":[0,4]}})", "1234"), "a.dtype: not");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","shape":"[]","data_offsets":[0,4]}})", "1234"), "a.shape: not");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", "1234"), "a.shape: not");
}

TEST_F(Safetensors, RejectsWhatIsTheNameOfNoType) {
  for (const std::string& dtype : {""s, "f32"s, "F32 "s, "F8-E4M3"s, "\u00c4"s, std::string(33, 'F')})
    expect_rejected(file_of("{" + entry("a", "[0]", "[0,0]", dtype) + "}"), "a.dtype: wanted a type as F32, given ");
}

TEST_F(Safetensors, ReadsEveryTypeAndSkipsTheOthers) {
  const std::string data = "0123456789abcdefghijklmnopqrstuvwxyz";
  const std::string types[] = {"F64", "F32", "F16", "BF16", "I64", "I32", "I16",
                               "I8",  "U64", "U32", "U16",  "U8",  "BOOL"};
  const std::size_t sizes[] = {8, 4, 2, 2, 8, 4, 2, 1, 8, 4, 2, 1, 1};
  std::string header, bytes;
  const auto add = [&](const std::string& type, std::size_t size) {
    header +=
        (header.empty() ? "{" : ",") +
        entry(type, "[1]", "[" + std::to_string(bytes.size()) + "," + std::to_string(bytes.size() + size) + "]", type);
    bytes += data.substr(0, size);
  };
  for (std::size_t i = 0; i < 13; ++i) add(types[i], sizes[i]);
  add("F8_E4M3", 5);  // five bytes of one number: nobody knows better
  add("NEW_TYPE", 0);
  write_bytes(path, file_of(header + "}", bytes));
  const TensorFile file = read_safetensors(path);
  ASSERT_EQ(file.tensors.size(), 15u);
  for (std::size_t i = 0; i < 13; ++i) {
    EXPECT_EQ(detail::dtype_text(file.tensors[i]), types[i]);
    EXPECT_EQ(file.tensors[i].bytes, TensorBytes(bytes_of(data.substr(0, sizes[i]))));
    const std::string size = std::to_string(sizes[i] + 1);
    expect_rejected(file_of("{" + entry("a", "[1]", "[0," + size + "]", types[i]) + "}", data.substr(0, sizes[i] + 1)),
                    "wanted " + std::to_string(sizes[i]) + " bytes for " + types[i] + " (1)");
  }
  EXPECT_EQ(file.tensors[13].dtype, Dtype::other);
  EXPECT_EQ(file.tensors[13].other, "F8_E4M3");
  EXPECT_EQ(file.tensors[13].bytes, TensorBytes(bytes_of("01234")));

  // What is skipped must have its place all the same, and is written as it was.
  expect_rejected(file_of("{" + entry("a", "[1]", "[1,2]", "F8_E5M2") + "}", "12"), "a hole before");
  expect_rejected(file_of("{" + entry("a", "[1]", "[0,3]", "F8_E5M2") + "}", "12"), "beyond the end");
  write_safetensors(path, file);
  expect_equal(read_safetensors(path), file);
}

TEST_F(Safetensors, RejectsShapesThatAreNotCounts) {
  for (const char* shape :
       {"[-1]", "[1.0]", "[1e0]", "[-0]", "[null]", "[\"1\"]", "[[1]]", "[{}]", "[true]", "[18446744073709551616]"})
    expect_rejected(file_of("{" + entry("a", shape, "[0,4]") + "}", "1234"), "a.shape: not expected");
  expect_rejected(file_of("{" + entry("a", "[1.0]", "[0,4]") + "}", "1234"),
                  "a number with a fraction or an exponent: 1.0");
  expect_rejected(file_of("{" + entry("a", "[1e0]", "[0,4]") + "}", "1234"),
                  "a number with a fraction or an exponent: 1e0");
  expect_rejected(file_of("{" + entry("a", "[18446744073709551616]", "[0,4]") + "}", "1234"),
                  "a number beyond 64 bits: 18446744073709551616");
}

TEST_F(Safetensors, RejectsShapesThatOverflow) {
  // In 64 bits the third comes to 4 bytes, the others to none.
  for (const char* shape :
       {"[4611686018427387904]", "[4294967296,4294967296]", "[18446744073709551615,18446744073709551615]",
        "[2147483648,2147483648,0]", "[0,4611686018427387904]"}) {
    expect_rejected(file_of("{" + entry("a", shape, "[0,0]") + "}"), "more than 2^64 bytes");
    expect_rejected(file_of("{" + entry("a", shape, "[0,4]") + "}", "1234"), "more than 2^64 bytes");
  }
  // Sizes that fit into 64 bits and into no memory.
  expect_rejected(file_of("{" + entry("a", "[1152921504606846976]", "[0,4611686018427387904]") + "}"),
                  "beyond the end of the data");
}

TEST_F(Safetensors, RejectsOffsetsThatDoNotFit) {
  for (const char* offsets : {"[]", "[0]", "[0,4,8]"})
    expect_rejected(file_of("{" + entry("a", "[1]", offsets) + "}", "1234"), "a.data_offsets: wanted 2 numbers");
  for (const char* offsets : {"[-4,0]", "[0,4.0]", "[0,1e1]", "[0,\"4\"]", "4", "{}", "[0,18446744073709551616]"})
    expect_rejected(file_of("{" + entry("a", "[1]", offsets) + "}", "1234"), "a.data_offsets: not expected");
  expect_rejected(file_of("{" + entry("a", "[1]", "[4,0]") + "}", "1234"), "end before begin");
  expect_rejected(file_of("{" + entry("a", "[1]", "[18446744073709551612,0]") + "}", "1234"), "end before begin");
  expect_rejected(file_of("{" + entry("a", "[1]", "[0,18446744073709551615]") + "}", "1234"), "beyond the end");
  expect_rejected(file_of("{" + entry("a", "[1]", "[4,8]") + "}", "1234"), "beyond the end");
  expect_rejected(file_of("{" + entry("a", "[2]", "[0,4]") + "}", "1234"), "wanted 8 bytes for F32 (2)");
  expect_rejected(file_of("{" + entry("a", "[1]", "[0,8]") + "}", "12341234"), "wanted 4 bytes for F32 (1)");
  expect_rejected(file_of("{" + entry("a", "[1]", "[0,4]", "F64") + "}", "1234"), "wanted 8 bytes for F64 (1)");
  expect_rejected(file_of("{" + entry("a", "[0]", "[0,4]") + "}", "1234"), "wanted 0 bytes");
}

TEST_F(Safetensors, RejectsOverlapsAndHoles) {
  const std::string one = "{" + entry("a", "[1]", "[0,4]") + ",";
  expect_accepted(file_of(one + entry("b", "[1]", "[4,8]") + "}", "12345678"));
  expect_rejected(file_of(one + entry("b", "[1]", "[0,4]") + "}", "1234"), "overlap");
  expect_rejected(file_of(one + entry("b", "[1]", "[2,6]") + "}", "123456"), "overlap");
  expect_rejected(file_of(one + entry("b", "[0]", "[2,2]") + "}", "1234"), "overlap");
  expect_rejected(file_of(one + entry("b", "[1]", "[8,12]") + "}", "123412341234"), "a hole before, from 4");
  expect_rejected(file_of("{" + entry("b", "[1]", "[4,8]") + "}", "12345678"), "a hole before, from 0");
  expect_rejected(file_of("{" + entry("b", "[0]", "[4,4]") + "}", "1234"), "a hole before, from 0");
  expect_rejected(file_of(one + entry("b", "[0]", "[4,4]") + "}", "12345678"), "4 bytes after the last tensor");
}

TEST_F(Safetensors, RejectsDuplicates) {
  const std::string a = entry("a", "[1]", "[0,4]"), again = entry("a", "[1]", "[4,8]");
  expect_rejected(file_of("{" + a + "," + a + "}", "1234"), "a: duplicate name");
  expect_rejected(file_of("{" + a + "," + again + "}", "12345678"), "a: duplicate name");
  expect_rejected(file_of("{" + a + "," + entry("\\u0061", "[1]", "[4,8]") + "}", "12345678"), "a: duplicate name");
  expect_rejected(file_of(R"({"__metadata__":{},"__metadata__":{}})"), "__metadata__: duplicate name");
  expect_rejected(file_of(R"({"__metadata__":{"k":"1","k":"1"}})"), "__metadata__.k: duplicate key");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", "1234"),
                  "a.dtype: duplicate key");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","shape":[],"shape":[],"data_offsets":[0,4]}})", "1234"),
                  "a.shape: duplicate key");
  expect_rejected(file_of(R"({"a":{"dtype":"F32","dtype":"F32","dtype":"F32"}})"), "duplicate key");
}

TEST_F(Safetensors, RejectsMetadataThatAreNotText) {
  for (const char* value : {"null", "true", "1", "-1", "1.5", "[]", "{}"})
    expect_rejected(file_of("{\"__metadata__\":{\"k\":"s + value + "}}"), "__metadata__.k: not expected");
  for (const char* value : {"true", "\"text\"", "[]", "1"})
    expect_rejected(file_of("{\"__metadata__\":"s + value + "}"), "__metadata__: not expected");
}

TEST_F(Safetensors, TakesNullForNoMetadata) {
  write_bytes(path, file_of("{\"__metadata__\":null," + entry("a", "[1]", "[0,4]") + "}", "1234"));
  const TensorFile file = read_safetensors(path);
  EXPECT_TRUE(file.metadata.empty());
  ASSERT_EQ(file.tensors.size(), 1u);
  expect_rejected(file_of(R"({"__metadata__":null,"__metadata__":{}})"), "__metadata__: duplicate name");
}

TEST_F(Safetensors, ShowsAFileInMemoryWithoutACopy) {
  TensorFile file = tiny();
  write_safetensors(path, file);
  TensorFile mapped = read_safetensors(path, FileAccess::map);
  expect_equal(mapped, file);
  const TensorFile copy = mapped;
  ASSERT_TRUE(mapped.tensors[0].bytes.is_view());
  EXPECT_EQ(std::as_const(copy).tensors[0].bytes.data(), std::as_const(mapped).tensors[0].bytes.data());
  // Who changes bytes gets memory of his own.
  mapped.tensors[0].bytes[0] = std::byte{7};
  EXPECT_FALSE(mapped.tensors[0].bytes.is_view());
  EXPECT_EQ(mapped.tensors[0].bytes.size(), 8u);
  EXPECT_EQ(std::as_const(copy).tensors[0].bytes[0], std::byte{0});
  mapped.tensors[1].bytes.pop_back();
  EXPECT_EQ(mapped.tensors[1].bytes.size(), 7u);
#ifndef _WIN32
  // The tensors stay what they were when the file is replaced, and when all else is gone.
  write_safetensors(path, TensorFile{});
  std::filesystem::remove(path);
  mapped = {};
  expect_equal(copy, file);
#endif
}

TEST_F(Safetensors, ReadsNothingThatIsNotThereBecauseAFileIsShown) {
  const std::string whole = file_of(kTinyHeader, kTinyData);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    write_bytes(path, whole.substr(0, size));
    const std::string message = message_of([&] { read_safetensors(path); });
    EXPECT_EQ(message_of([&] { read_safetensors(path, FileAccess::map); }), message);
  }
}

// Whatever text a file brings, a message about it is one short line that a terminal may be given.
TEST_F(Safetensors, QuotesTextFromAFileInOneShortLine) {
  const auto expect_fit = [&](const std::string& text) {
    const std::string quoted = nlohmann::json(text).dump();
    std::string many = "[0";
    for (std::size_t i = 0; i < std::min<std::size_t>(text.size(), 100'000); ++i) many += ",0";
    const std::string name = "{" + quoted, tensor = R"("shape":[1],"data_offsets":[0,4]})";
    for (const std::string& header :
         {name + ":1}", name + ":{\"dtype\":\"F16\"}}", "{\"a\":{\"dtype\":" + quoted + "}}",
          "{\"a\":{" + quoted + ":1}}", "{\"__metadata__\":{" + quoted + ":1}}",
          name + ":{\"dtype\":\"F64\"," + tensor + "}", name + ":{\"dtype\":\"F32\"," + tensor + ",a}",
          "{\"a\":" + quoted + "]}", "{\"a\":" + text + "}",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":" + many + "],\"data_offsets\":[0,4]}}",
          "{\"a\":{\"dtype\":\"F32\",\"shape\":[1." + std::string(text.size(), '0') + "]}}"}) {
      write_bytes(path, file_of(header, "1234"));
      const std::string message = message_of([&] { read_safetensors(path); });
      EXPECT_LT(message.size(), 1500u) << header.substr(0, 100);
      EXPECT_EQ(message.find_first_of("\n\r\x1b\x7f\b"), std::string::npos) << header.substr(0, 100);
    }
  };
  expect_fit("\x1b]0;title\x07\x1b[2J\n\r\b\x7f");
  expect_fit(std::string(3'000'000, 'x'));
}

TEST_F(Safetensors, SaysThatThereIsNoFile) {
  EXPECT_TRUE(contains(message_of([&] { read_safetensors(path); }), path.string() + ": cannot be read: "));
  EXPECT_TRUE(contains(message_of([&] { read_safetensors(folder / ""); }), "not a regular file"));
#ifndef _WIN32
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);  // opening it would wait for a writer
  EXPECT_TRUE(contains(message_of([&] { read_safetensors(path); }), "not a regular file"));
#endif
}

TEST_F(Safetensors, DoesNotWriteWhatItWouldNotRead) {
  const auto message_for = [&](auto&& change) {
    TensorFile file = tiny();
    change(file);
    return message_of<std::invalid_argument>([&] { write_safetensors(path, file); });
  };
  EXPECT_TRUE(contains(message_for([](TensorFile& file) { file.tensors[1].name = "b/w"; }), "b/w twice"));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) { file.tensors[1].name = "__metadata__"; }), "reserved"));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) { file.tensors[1].name = "\xff"; }), "UTF-8"));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) { file.metadata["kind"] = "caf\xe9"; }), "UTF-8"));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) { file.metadata["\x80"] = ""; }), "UTF-8"));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) {
                         file.tensors[0].shape = {2, 2};
                       }),
                       "b/w: wanted the bytes of F32 (2, 2), given 8 bytes"));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) {
                         file.tensors[0].shape = {std::uint64_t{1} << 62, 4};
                       }),
                       "given 8 bytes"));
  for (const char* other : {"", "F32", "f8"})
    EXPECT_TRUE(contains(message_for([&](TensorFile& file) {
                           file.tensors[0].dtype = Dtype::other;
                           file.tensors[0].other = other;
                         }),
                         "b/w: wanted the name of another type, as F8_E4M3, given "s + other));
  EXPECT_TRUE(contains(message_for([](TensorFile& file) { file.metadata["long"] = std::string(100'000'000, 'x'); }),
                       "at most 100 MB"));
  EXPECT_EQ(folder.names(), std::vector<std::string>{});
}

}  // namespace
}  // namespace minrnn::tests
