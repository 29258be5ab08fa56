// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/sharded_index.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "io/folder.hpp"
#include "minrnn/io/safetensors.hpp"

namespace minrnn::tests {
namespace {

using namespace std::string_literals;

class ShardedIndex : public ::testing::Test {
 protected:
  /// A file of tensors with one byte each, the first letter of the name.
  void write_shard(const std::string& file, const std::vector<std::string>& names) {
    TensorFile shard;
    shard.metadata["format"] = "pt";
    for (const std::string& name : names)
      shard.tensors.push_back({name, Dtype::u8, {1}, std::vector{static_cast<std::byte>(name[0])}});
    write_safetensors(folder / file, shard);
  }
  void write_index(const std::string& weight_map, const std::string& more = "") {
    write_bytes(path, "{" + more + "\"weight_map\": {" + weight_map + "}}\n");
  }
  void expect_rejected(const std::string& reason) {
    const std::string message = message_of([&] { read_safetensors(path); });
    EXPECT_TRUE(message.starts_with((folder / "").string())) << message;
    EXPECT_TRUE(contains(message, reason));
  }

  Folder folder;
  std::filesystem::path path = folder / "model.safetensors.index.json";
};

TEST_F(ShardedIndex, ReadsAllFilesAsOne) {
  write_shard("model-00001-of-00002.safetensors", {"a", "b"});
  write_shard("model-00002-of-00002.safetensors", {"c"});
  write_index(R"("c": "model-00002-of-00002.safetensors", "a": "model-00001-of-00002.safetensors",
                 "b": "./model-00001-of-00002.safetensors")",
              R"("metadata": {"total_size": 3, "kind": "test", "more": {"deep": [1]}, "no": null}, "unknown": [{}], )");
  for (const FileAccess access : {FileAccess::copy, FileAccess::map}) {
    const TensorFile file = read_safetensors(path, access);
    EXPECT_EQ(file.path, path);
    EXPECT_EQ(file.metadata, (std::map<std::string, std::string>{{"total_size", "3"}, {"kind", "test"}}));
    ASSERT_EQ(file.tensors.size(), 3u);
    for (const StoredTensor& tensor : file.tensors) {
      EXPECT_EQ(tensor.bytes, TensorBytes(std::vector{static_cast<std::byte>(tensor.name[0])})) << tensor.name;
      EXPECT_EQ(tensor.bytes.is_view(), access == FileAccess::map);
    }
  }
}

TEST_F(ShardedIndex, ReadsFilesInFoldersBelowAndThroughLinks) {
  std::filesystem::create_directories(folder / "model" / "below");
  write_shard("blob", {"a"});
  path = folder / "model" / "a.index.json";
  std::filesystem::rename(folder / "blob", folder / "model" / "below" / "one");
  write_index(R"("a": "below/one")");
  EXPECT_EQ(read_safetensors(path).tensors.size(), 1u);
#ifndef _WIN32
  write_shard("blob", {"b"});
  std::filesystem::create_symlink("../blob", folder / "model" / "two");  // as Hugging Face's cache does
  write_index(R"("a": "below/one", "b": "two")");
  EXPECT_EQ(read_safetensors(path).tensors.size(), 2u);
#endif
}

TEST_F(ShardedIndex, RefusesFilesThatAreNotThereOrHoldOtherTensors) {
  write_shard("one", {"a", "b"});
  write_shard("two", {"b", "c"});
  write_index(R"("a": "one", "b": "one", "c": "three")");
  expect_rejected("three: cannot be read: No such file");
  write_index(R"("a": "one", "b": "one", "c": "two")");
  expect_rejected("index: tensor b is in two, the index says in one");
  write_index(R"("a": "one", "b": "two", "c": "two")");
  expect_rejected("index: tensor b is in one, the index says in two");
  write_index(R"("a": "one", "b": "one", "b": "two", "c": "two")");
  expect_rejected("index: tensor b is there twice");
  write_index(R"("a": "one")");
  expect_rejected("index: tensor b is in one, the index lacks it");
  write_index(R"("a": "one", "b": "one", "c": "one")");
  expect_rejected("index: tensor c is not in one");
  write_bytes(folder / "one", "not a file of tensors");
  expect_rejected("one: header: ");
}

TEST_F(ShardedIndex, RefusesPathsThatLeaveTheFolder) {
  write_shard("out", {"a"});
  std::filesystem::create_directories(folder / "model" / "below");
  const std::string absolute = (folder / "out").generic_string();  // JSON would want its backslashes doubled
  path = folder / "model" / "a.index.json";
  for (const std::string& name : {"../out"s, "below/../../out"s, "./../out"s, absolute, "/"s, ".."s}) {
    write_index("\"a\": \"" + name + "\"");
    expect_rejected("it leaves the folder of the index");
  }
  write_index(R"("a": "")");
  expect_rejected("not the name of a file");
  write_index(R"("a": "one\u0000")");
  expect_rejected("not the name of a file");
  write_index(R"("a": "below")");
  expect_rejected("not a regular file");
}

TEST_F(ShardedIndex, RefusesWhatIsNoIndex) {
  const auto rejected = [&](const std::string& text, const std::string& reason) {
    write_bytes(path, text);
    expect_rejected(reason);
  };
  for (const char* text : {"", "{", "{}}", "{\"weight_map\": {\"a\": \"b\"}} x", "{'a': 1}"})
    rejected(text, "not JSON");
  for (const char* text : {"null", "1", "\"a\"", "[]", "true"}) rejected(text, "no object: not expected");
  for (const char* text :
       {"{}", "{\"weight_map\": {}}", "{\"metadata\": {}}", "{\"x\": {\"weight_map\": {\"a\": \"b\"}}}"})
    rejected(text, "no weight_map, or an empty one");
  for (const char* value : {"null", "1", "-1", "1.5", "\"a\"", "[]", "true"})
    rejected("{\"weight_map\": "s + value + "}", "weight_map: not expected");
  for (const char* value : {"null", "1", "-1", "1.5", "{}", "[]", "true"})
    rejected("{\"weight_map\": {\"a\": "s + value + "}}", "a: not expected");
  rejected("{\"metadata\": 1}", "metadata: not expected");
  rejected("{\"weight_map\": {}, \"weight_map\": {}}", "weight_map: duplicate key");
  rejected("{\"weight_map\": {\"a\": \"b\"}}\0"s, "a zero byte");
  rejected(std::string(100'000, '['), "no object: not expected");
  rejected("{\"x\": " + std::string(100'000, '['), "not JSON");
  std::filesystem::resize_file(path, 100'000'001);
  expect_rejected("100000001 bytes, above the limit");
  std::filesystem::remove(path);
  expect_rejected("No such file");
}

}  // namespace
}  // namespace minrnn::tests
