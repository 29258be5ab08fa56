// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Files from PyTorch to the reader and back. tests/math/half_test.cpp and numbers_test.cpp have the same conversions
// beside their definitions, where there is no PyTorch.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/folder.hpp"
#include "io/python.hpp"
#include "minrnn/io/convert_floats.hpp"
#include "minrnn/io/numbers.hpp"
#include "minrnn/io/safetensors.hpp"

namespace minrnn::tests {
namespace {

int run_script(const std::string& command, const std::filesystem::path& path) {
  return run_python("torch_tensors.py", command, path.string());
}

TEST(Torch, ReadsAndWritesTheSameNumbers) {
  const Folder folder;
  const auto path = folder / "torch.safetensors";
  const int written = run_script("write", path);
  if (written == 77) GTEST_SKIP() << MINRNN_TEST_PYTHON " has no torch (Debian: python3-torch)";
  ASSERT_EQ(written, 0);
  const TensorFile file = read_safetensors(path, FileAccess::map);
  EXPECT_EQ(file.metadata.at("format"), "pt");

  const auto f32 = numbers<float>(file, "f32");
  EXPECT_GT(f32.size(), 50'000u);
  for (const std::string name : {"f16", "bf16"}) {
    EXPECT_EQ(numbers<float>(file, name, Conversion::half), numbers<float>(file, name + ".as_f32")) << name;
    const auto special = numbers<float>(file, "special." + name);
    EXPECT_EQ(special[0], HUGE_VALF);
    EXPECT_EQ(special[1], -HUGE_VALF);
    EXPECT_TRUE(std::isnan(special[2]));
    EXPECT_TRUE(std::signbit(special[3]));
  }
  EXPECT_EQ(numbers<float>(file, "f64"), f32);
  for (const char* name : {"I64", "I32", "I16", "I8", "U8", "BOOL"}) {
    EXPECT_EQ(numbers<std::uint8_t>(file, name), (std::vector<std::uint8_t>{0, 1, 1, 0, 1, 1})) << name;
    EXPECT_EQ(find_tensor(file, name).shape, (std::vector<std::uint64_t>{3, 2})) << name;
  }

  TensorFile ours;
  ours.tensors.push_back(find_tensor(file, "f32"));
  for (const Dtype to : {Dtype::f16, Dtype::bf16, Dtype::f64}) {
    TensorFile one;
    one.tensors.push_back(ours.tensors[0]);
    one = convert_floats(one, to);
    one.tensors[0].name = to == Dtype::f16 ? "f16" : to == Dtype::bf16 ? "bf16" : "f64";
    EXPECT_EQ(one.tensors[0].bytes, find_tensor(file, one.tensors[0].name).bytes) << one.tensors[0].name;
    ours.tensors.push_back(one.tensors[0]);
  }
  write_safetensors(folder / "ours.safetensors", ours);
  EXPECT_EQ(run_script("check", folder / "ours.safetensors"), 0);
}

}  // namespace
}  // namespace minrnn::tests
