// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataset.hpp"
#include "support/errors.hpp"
#include "support/file_reader.hpp"

namespace sequence_tool {
namespace {

/// A file of bytes with `dimensions` sizes in front: two zeros, 8 for bytes, the number of sizes, then each in four
/// bytes, the most significant first (Y. LeCun, "The MNIST database").
struct IdxFile {
  std::vector<std::uint32_t> sizes;
  std::vector<std::uint8_t> bytes;

  IdxFile(const std::string& path, std::size_t dimensions, const std::string& what) {
    FileReader file(path);
    const std::string head(file.read(4 + 4 * dimensions));
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(head[i]); };
    const auto refuse = [&](const std::string& reason) { throw InputError(shown(path) + ": " + reason); };
    if (head.starts_with("\x1f\x8b")) refuse("is compressed: run gunzip before");
    const std::string wanted = "is not an idx file of " + what + ": ";
    if (head.size() < 4 || byte(0) != 0 || byte(1) != 0) refuse(wanted + "it does not begin as one");
    if (byte(2) != 8) refuse(wanted + "its numbers are no bytes");
    if (byte(3) != dimensions)
      refuse(wanted + "it has " + std::to_string(byte(3)) + " dimensions, wanted " + std::to_string(dimensions));
    if (head.size() < 4 + 4 * dimensions) refuse("is truncated");
    double count = 1;
    for (std::size_t i = 4; i < head.size(); i += 4) {
      sizes.push_back(static_cast<std::uint32_t>(byte(i)) << 24 | static_cast<std::uint32_t>(byte(i + 1)) << 16 |
                      static_cast<std::uint32_t>(byte(i + 2)) << 8 | byte(i + 3));
      count *= sizes.back();
    }
    if (count == 0) refuse("is empty");
    for (auto piece = file.read(1 << 20); !piece.empty(); piece = file.read(1 << 20)) {
      bytes.insert(bytes.end(), piece.begin(), piece.end());
      if (static_cast<double>(bytes.size()) > count) break;
    }
    if (static_cast<double>(bytes.size()) < count) refuse("is truncated");
    if (static_cast<double>(bytes.size()) > count) refuse("is longer than its header says");
  }
};

}  // namespace

Dataset read_idx(const std::string& images, const std::string& labels, Reading reading) {
  IdxFile pixels(images, 3, "images");
  const auto count = static_cast<std::size_t>(pixels.sizes[0]);
  const auto rows = static_cast<Index>(pixels.sizes[1]), columns = static_cast<Index>(pixels.sizes[2]);
  Dataset data;
  data.name = images;
  data.image_rows = rows;
  data.image_columns = columns;
  const Index width = reading == Reading::rows ? columns : 1, time = reading == Reading::rows ? rows : rows * columns;
  for (Index f = 0; f < width; ++f) data.features.push_back("pixel " + std::to_string(f));
  data.begins.resize(count + 1);
  for (std::size_t i = 0; i < count; ++i) {
    data.begins[i + 1] = data.begins[i] + time;
    data.ids.push_back(std::to_string(i));
  }
  data.values = std::move(pixels.bytes);
  if (labels.empty()) return data;
  const IdxFile classes(labels, 1, "labels");
  if (classes.sizes[0] != count)
    throw InputError(shown(labels) + ": has " + std::to_string(classes.sizes[0]) + " labels for the " +
                     std::to_string(count) + " images of " + shown(images));
  for (const std::uint8_t label : classes.bytes) data.labels.push_back(std::to_string(label));
  return data;
}

}  // namespace sequence_tool
