// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "wav.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "support/console.hpp"

const char* const tool::program_name = "amp_tests";

namespace amp {
namespace {

/// A folder that is gone at the end of the test.
class WavFiles : public testing::Test {
 protected:
  WavFiles() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::temp_directory_path() / (std::string("amp_") + info->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directory(folder_);
  }
  ~WavFiles() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string write(const std::string& bytes) const {
    std::ofstream(path("given.wav"), std::ios::binary) << bytes;
    return path("given.wav");
  }
  /// It is refused by one line that begins with its name and has this text in it.
  void expect_refused(const std::string& file, const std::string& text) const {
    try {
      read_wav(file);
      ADD_FAILURE() << "read, wanted: " << text;
    } catch (const InputError& error) {
      const std::string message = error.what();
      EXPECT_TRUE(message.starts_with(file + ": ")) << message;
      EXPECT_NE(message.find(text), std::string::npos) << message << "\nwanted: " << text;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }

  std::filesystem::path folder_;
};

std::string bytes_of(std::uint64_t number, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(number >> 8 * i & 0xff);
  return bytes;
}
std::string chunk(const std::string& name, const std::string& bytes) {
  return name + bytes_of(bytes.size(), 4) + bytes + (bytes.size() % 2 == 1 ? std::string(1, '\0') : "");
}
std::string riff(const std::string& chunks) { return "RIFF" + bytes_of(chunks.size() + 4, 4) + "WAVE" + chunks; }

struct Head {
  int kind = 1, channels = 1, rate = 48000, bits = 16;  // kind 1: PCM, 3: float
};
std::string format_chunk(const Head& h) {
  const int frame = h.channels * h.bits / 8;
  return chunk("fmt ", bytes_of(h.kind, 2) + bytes_of(h.channels, 2) + bytes_of(h.rate, 4) +
                           bytes_of(h.rate * frame, 4) + bytes_of(frame, 2) + bytes_of(h.bits, 2));
}
std::string wav(const Head& head, const std::string& data) { return riff(format_chunk(head) + chunk("data", data)); }

TEST_F(WavFiles, GoThereAndBack) {
  Recording recording{44100, {0, 0.5f, -0.25f, 1, -1, 0.3f, -0.7f}};
  const float half_steps[] = {0, 0x1p-23f, 0x1p-15f};  // of 24 and 16 bits, with the step that full scale is cut by
  int n = 0;
  for (const Format format : {Format::float32, Format::pcm24, Format::pcm16}) {
    write_wav(path("a.wav"), recording, format);
    const Recording again = read_wav(path("a.wav"));
    EXPECT_EQ(again.rate, 44100);
    ASSERT_EQ(again.size(), recording.size());
    for (std::size_t t = 0; t < again.samples.size(); ++t)
      EXPECT_NEAR(again.samples[t], recording.samples[t], half_steps[n]) << t;
    ++n;
  }
}

TEST_F(WavFiles, AreCutAtFullScaleInPcmAlone) {
  const Recording loud{48000, {2, -3}};
  write_wav(path("a.wav"), loud, Format::pcm16);
  EXPECT_EQ(read_wav(path("a.wav")).samples, (std::vector<float>{32767 * 0x1p-15f, -1}));
  write_wav(path("a.wav"), loud);
  EXPECT_EQ(read_wav(path("a.wav")).samples, loud.samples);
}

TEST_F(WavFiles, HaveTheSameBytesForTheSameSamples) {
  const Recording recording{48000, {0.25f, 0.5f}};
  const auto read = [&](const std::string& name) {
    std::ifstream file(path(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  write_wav(path("a.wav"), recording);
  write_wav(path("b.wav"), recording);
  EXPECT_EQ(read("a.wav"), read("b.wav"));
  EXPECT_EQ(read("a.wav").find("PEAK"), std::string::npos);  // a chunk that has the time of day in it
}

TEST_F(WavFiles, AreReadInAllFormats) {
  EXPECT_EQ(read_wav(write(wav({}, bytes_of(0x4000, 2) + bytes_of(0xc000, 2)))).samples,
            (std::vector<float>{0.5f, -0.5f}));
  EXPECT_EQ(read_wav(write(wav({.bits = 24}, bytes_of(0x400000, 3)))).samples, (std::vector<float>{0.5f}));
  EXPECT_EQ(read_wav(write(wav({.bits = 32}, bytes_of(0xe0000000, 4)))).samples, (std::vector<float>{-0.25f}));
  EXPECT_EQ(read_wav(write(wav({.kind = 3, .bits = 32}, bytes_of(0x3f000000, 4)))).samples, (std::vector<float>{0.5f}));
  const std::string others = chunk("LIST", "odd") + chunk("bext", "what a recorder says");
  EXPECT_EQ(
      read_wav(write(riff(others + format_chunk({}) + others + chunk("data", bytes_of(0x2000, 2)) + others))).samples,
      (std::vector<float>{0.25f}));
}

TEST_F(WavFiles, AreReadInBlocks) {
  std::string data;
  for (int n = 0; n < 10; ++n) data += bytes_of(n << 10, 2);
  WavReader reader(write(wav({.rate = 96000}, data)));
  EXPECT_EQ(reader.rate(), 96000);
  EXPECT_EQ(reader.size(), 10);
  std::vector<float> all, block(4);
  for (const Index wanted : {4, 4, 2, 0}) {
    const Index count = reader.read(block.data(), 4);
    EXPECT_EQ(count, wanted);
    all.insert(all.end(), block.begin(), block.begin() + count);
  }
  for (int n = 0; n < 10; ++n) EXPECT_EQ(all[static_cast<std::size_t>(n)], static_cast<float>(n) / 32);
}

TEST_F(WavFiles, AreRefusedWhereTheyAreCutOff) {
  const std::string whole = wav({}, std::string(100, 'x'));
  expect_refused(write(whole.substr(0, whole.size() - 1)), "is cut off: it says that it has 144 bytes, and has 143");
  expect_refused(write(whole.substr(0, 20)), "is cut off");
  for (const std::size_t size : {0, 3, 11}) expect_refused(write(whole.substr(0, size)), "is not a WAV file");
  std::string lies = whole;
  lies.replace(40, 4, bytes_of(102, 4));  // the length of the data
  expect_refused(write(lies), "its chunk \"data\" of 102 bytes goes beyond its end");
  lies.replace(40, 4, bytes_of(0xffffffff, 4));
  expect_refused(write(lies), "goes beyond its end");
  lies = whole;
  lies.replace(16, 4, bytes_of(0x7fffffff, 4));  // of the format
  expect_refused(write(lies), "its chunk \"fmt \" of 2147483647 bytes goes beyond its end");
  lies = whole;
  lies.replace(4, 4, bytes_of(0xffffffff, 4));  // of all, as a recorder writes it that was killed
  expect_refused(write(lies), "is cut off");
}

TEST_F(WavFiles, AreRefusedWhereTheyAreOfAnotherKind) {
  const std::string data(96, 'x');
  expect_refused(write(wav({.channels = 0}, data)), "");
  expect_refused(write(wav({.channels = 2}, data)), "wanted one channel, given 2");
  expect_refused(write(wav({.bits = 8}, data)), "wanted PCM of 16, 24 or 32 bits or floats of 32");
  expect_refused(write(wav({.kind = 3, .bits = 64}, data)), "wanted PCM of 16, 24 or 32 bits or floats of 32");
  expect_refused(write(wav({.kind = 7, .bits = 8}, data)), "wanted PCM");
  expect_refused(write(wav({.kind = 77}, data)), "");
  expect_refused(write(wav({.rate = 0}, data)), "");
  expect_refused(write(wav({}, "")), "has no samples");
  expect_refused(write(riff(format_chunk({}))), "has no samples");
  expect_refused(write(riff(chunk("data", data))), "");
  expect_refused(write(wav({}, std::string(95, 'x'))), "95 bytes of samples are not whole samples of 2");
  expect_refused(write("time,sample\n0,0.5\n"), "is not a WAV file");
  expect_refused(path("nowhere.wav"), "cannot be opened: ");
  expect_refused(folder_.string(), "is a directory");
}

TEST_F(WavFiles, AreRefusedWithSamplesThatAreNoNumbers) {
  for (const std::uint32_t bits : {0x7fc00000u, 0x7f800000u, 0xff800000u})
    expect_refused(write(wav({.kind = 3, .bits = 32}, bytes_of(0, 4) + bytes_of(bits, 4))),
                   "sample 1 is not a finite number");
}

TEST_F(WavFiles, SurviveWhereTheyCannotBeReplaced) {
  const Recording recording{48000, {0.25f}};
  EXPECT_THROW(write_wav(path("nowhere/a.wav"), recording), std::runtime_error);
}

}  // namespace
}  // namespace amp
