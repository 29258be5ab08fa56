// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "wav.hpp"

#include <sndfile.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

#include "minrnn/io/atomic_file.hpp"

namespace amp {
namespace {

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, Close>;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw InputError(shown(path) + ": " + reason);
}

/// The name and the length of a chunk of a RIFF file.
struct ChunkHead {
  std::string name;
  std::uint64_t size;
};
ChunkHead read_head(std::ifstream& file) {
  std::array<char, 8> head{};
  file.read(head.data(), head.size());
  std::uint64_t size = 0;
  for (std::size_t i = 8; i-- > 4;) size = size << 8 | static_cast<unsigned char>(head[i]);
  return {{head.data(), 4}, size};
}

/// The bytes of samples that a WAV file says it has. libsndfile plays what is there of a file that has been cut off,
/// without a word; so its chunks are followed here.
std::uint64_t check_chunks(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path_of(path), error)) refuse(path, "is a directory");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, std::string("cannot be opened: ") + std::strerror(errno));
  const std::uint64_t length = std::filesystem::file_size(path_of(path), error);
  const ChunkHead riff = read_head(file);
  std::array<char, 4> form{};
  file.read(form.data(), form.size());
  if (!file || riff.name != "RIFF" || std::string_view(form.data(), 4) != "WAVE") refuse(path, "is not a WAV file");
  const std::uint64_t end = riff.size + 8;
  if (end > length)
    refuse(path,
           "is cut off: it says that it has " + std::to_string(end) + " bytes, and has " + std::to_string(length));
  for (std::uint64_t place = 12; place + 8 <= end;) {
    file.seekg(static_cast<std::streamoff>(place));
    const ChunkHead chunk = read_head(file);
    if (!file) break;
    if (chunk.size > end - place - 8)
      refuse(path, "its chunk \"" + minrnn::printable(chunk.name) + "\" of " + std::to_string(chunk.size) +
                       " bytes goes beyond its end");
    if (chunk.name == "data") return chunk.size;
    place += 8 + chunk.size + chunk.size % 2;  // a byte fills up what is odd
  }
  refuse(path, "has no samples");
}

/// The bytes of a sample; 0 for a format that is not read.
std::uint64_t width_of(int format) {
  switch (format & SF_FORMAT_SUBMASK) {
    case SF_FORMAT_PCM_16:
      return 2;
    case SF_FORMAT_PCM_24:
      return 3;
    case SF_FORMAT_PCM_32:
    case SF_FORMAT_FLOAT:
      return 4;
    default:
      return 0;
  }
}

}  // namespace

struct WavReader::File {
  std::string path;
  SF_INFO info{};
  SoundFile sound;
  Index place = 0;
};

WavReader::WavReader(const std::string& path) : file_(std::make_unique<File>()) {
  file_->path = path;
  const std::uint64_t bytes = check_chunks(path);
  SF_INFO& info = file_->info;
  file_->sound.reset(sf_open(path.c_str(), SFM_READ, &info));
  if (file_->sound == nullptr) {
    std::string reason = sf_strerror(nullptr);
    while (!reason.empty() && (reason.back() == '.' || reason.back() == '\n')) reason.pop_back();
    refuse(path, "cannot be read as a WAV file: " + reason);
  }
  const std::uint64_t width = width_of(info.format);
  if (width == 0) refuse(path, "wanted PCM of 16, 24 or 32 bits or floats of 32, given samples of another kind");
  if (info.channels != 1) refuse(path, "wanted one channel, given " + std::to_string(info.channels));
  if (info.samplerate < 1) refuse(path, "wanted a sample rate, given " + std::to_string(info.samplerate));
  if (bytes == 0) refuse(path, "has no samples");
  if (static_cast<std::uint64_t>(info.frames) * width != bytes)
    refuse(path,
           "its " + std::to_string(bytes) + " bytes of samples are not whole samples of " + std::to_string(width));
}
WavReader::~WavReader() = default;

Index WavReader::rate() const { return file_->info.samplerate; }
Index WavReader::size() const { return static_cast<Index>(file_->info.frames); }

Index WavReader::read(float* samples, Index most) {
  const Index wanted = std::min(most, size() - file_->place);
  const auto count = static_cast<Index>(sf_readf_float(file_->sound.get(), samples, wanted));
  if (count != wanted) refuse(file_->path, std::string("cannot be read: ") + sf_strerror(file_->sound.get()));
  const float* wrong = std::find_if(samples, samples + count, [](float x) { return !std::isfinite(x); });
  if (wrong != samples + count)
    refuse(file_->path, "sample " + std::to_string(file_->place + (wrong - samples)) + " is not a finite number");
  file_->place += count;
  return count;
}

Recording read_wav(const std::string& path) {
  WavReader reader(path);
  Recording recording{reader.rate(), {}};
  recording.samples.resize(static_cast<std::size_t>(reader.size()));
  reader.read(recording.samples.data(), reader.size());
  return recording;
}

namespace {

/// What libsndfile writes: it goes back to the head at the end, which no stream of bytes to an AtomicFile can.
struct Memory {
  std::string bytes;
  std::size_t place = 0;
};
Memory& memory_of(void* user) { return *static_cast<Memory*>(user); }

SF_VIRTUAL_IO memory_functions() {
  SF_VIRTUAL_IO functions{};
  functions.get_filelen = [](void* user) { return static_cast<sf_count_t>(memory_of(user).bytes.size()); };
  functions.tell = [](void* user) { return static_cast<sf_count_t>(memory_of(user).place); };
  functions.seek = [](sf_count_t offset, int whence, void* user) {
    Memory& memory = memory_of(user);
    const std::size_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? memory.place : memory.bytes.size();
    memory.place = static_cast<std::size_t>(static_cast<sf_count_t>(from) + offset);
    return static_cast<sf_count_t>(memory.place);
  };
  functions.read = [](void* to, sf_count_t count, void* user) {
    Memory& memory = memory_of(user);
    const std::size_t n = memory.bytes.copy(static_cast<char*>(to), static_cast<std::size_t>(count), memory.place);
    memory.place += n;
    return static_cast<sf_count_t>(n);
  };
  functions.write = [](const void* from, sf_count_t count, void* user) {
    Memory& memory = memory_of(user);
    const auto n = static_cast<std::size_t>(count);
    memory.bytes.resize(std::max(memory.bytes.size(), memory.place + n));
    memory.bytes.replace(memory.place, n, static_cast<const char*>(from), n);
    memory.place += n;
    return count;
  };
  return functions;
}

}  // namespace

void write_wav(const std::string& path, const Recording& recording, Format format) {
  SF_INFO info{};
  info.samplerate = static_cast<int>(recording.rate);
  info.channels = 1;
  info.format = SF_FORMAT_WAV | (format == Format::pcm16   ? SF_FORMAT_PCM_16
                                 : format == Format::pcm24 ? SF_FORMAT_PCM_24
                                                           : SF_FORMAT_FLOAT);
  Memory memory;
  SF_VIRTUAL_IO functions = memory_functions();
  const SoundFile sound(sf_open_virtual(&functions, SFM_WRITE, &info, &memory));
  const auto fail = [&](SNDFILE* of) {
    throw std::runtime_error(shown(path) + ": cannot be written: " + sf_strerror(of));
  };
  if (sound == nullptr) fail(nullptr);
  sf_command(sound.get(), SFC_SET_ADD_PEAK_CHUNK, nullptr, SF_FALSE);  // it has the time in it
  sf_command(sound.get(), SFC_SET_CLIPPING, nullptr, SF_TRUE);
  const auto count = static_cast<sf_count_t>(recording.size());
  if (sf_writef_float(sound.get(), recording.samples.data(), count) != count) fail(sound.get());
  sf_write_sync(sound.get());
  sf_command(sound.get(), SFC_UPDATE_HEADER_NOW, nullptr, 0);
  minrnn::AtomicFile file(path_of(path));
  file.write(memory.bytes.data(), memory.bytes.size());
  file.commit();
}

}  // namespace amp
