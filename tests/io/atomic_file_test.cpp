// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
#include "minrnn/io/atomic_file.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#ifndef _WIN32
#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#endif

#include "io/folder.hpp"

namespace minrnn::tests {
namespace {

using Names = std::vector<std::string>;

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  AtomicFile file(path);
  file.write(bytes.data(), bytes.size());
  file.commit();
}

TEST(AtomicFile, AppearsWholeUnderItsNameWhenCommitted) {
  const Folder folder;
  const auto path = folder / "a";
  {
    AtomicFile file(path);
    file.write("one ", 4);
    file.write("two", 3);
    EXPECT_EQ(folder.names(), Names{"a.0.tmp"});
    file.commit();
    EXPECT_EQ(folder.names(), Names{"a"});
    EXPECT_THROW(file.write("x", 1), std::logic_error);
    EXPECT_THROW(file.commit(), std::logic_error);
  }
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(path), "one two");
}

TEST(AtomicFile, LeavesNothingAndTheOldFileWhereItIsNotCommitted) {
  const Folder folder;
  write_bytes(folder / "a", "old");
  {
    AtomicFile file(folder / "a");
    file.write("new", 3);
  }
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), "old");
}

TEST(AtomicFile, NeverTouchesTheTemporaryFileOfAnother) {
  const Folder folder;
  AtomicFile first(folder / "a");
  first.write("first", 5);
  write_file(folder / "a", "second");
  EXPECT_EQ(folder.names(), (Names{"a", "a.0.tmp"}));
  EXPECT_EQ(read_bytes(folder / "a"), "second");
  first.commit();
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(folder / "a"), "first");
}

TEST(AtomicFile, SaysWhyTheFolderCannotBeUsed) {
  const Folder folder;
  const auto path = folder / "none" / "a";
  const std::string message = message_of([&] { AtomicFile file(path); });
  EXPECT_TRUE(contains(message, path.string()));
  EXPECT_TRUE(contains(message, detail::error_text(ENOENT)));
  EXPECT_EQ(folder.names(), Names{});
  EXPECT_TRUE(contains(message_of([] { AtomicFile file(""); }), "not the name of a file"));
}

TEST(AtomicFile, ReplacesRegularFilesOnly) {
  const Folder folder;
  const auto path = folder / "a";
  std::filesystem::create_directory(path);
  EXPECT_TRUE(contains(message_of([&] { write_file(path, "x"); }), path.string() + ": cannot be written"));
  EXPECT_TRUE(std::filesystem::is_directory(path));
  EXPECT_EQ(folder.names(), Names{"a"});
}

TEST(AtomicFile, KeepsTheOldFileWhereARenameFails) {
  const Folder folder;
  const auto path = folder / "a";
  AtomicFile file(path);
  file.write("x", 1);
  std::filesystem::create_directories(path / "inner");
  EXPECT_TRUE(contains(message_of([&] { file.commit(); }), path.string() + ": cannot be given its name"));
  EXPECT_TRUE(std::filesystem::is_directory(path / "inner"));
  EXPECT_EQ(folder.names(), Names{"a"});
}

#ifndef _WIN32
TEST(AtomicFile, DoesNotReplaceADevice) {
  const Folder folder;
  const auto path = folder / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_TRUE(contains(message_of([&] { write_file(path, "x"); }), "not a regular file"));
  EXPECT_TRUE(std::filesystem::is_fifo(path));
  EXPECT_EQ(folder.names(), Names{"pipe"});
}

/// Files cannot grow beyond `size` while it lives: writing fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &kept_);
    const rlimit limit{size, kept_.rlim_max};
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &kept_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit kept_;
};

TEST(AtomicFile, KeepsTheOldFileWhereTheDiskIsFull) {
  const Folder folder;
  const auto path = folder / "a";
  // Small: seen when the buffer is flushed, in commit. Large: seen in write.
  for (const std::size_t size : {std::size_t{2000}, std::size_t{1} << 20}) {
    write_bytes(path, "old");
    std::string message;
    {
      const FileSizeLimit limit(1000);
      message = message_of([&] { write_file(path, std::string(size, 'x')); });
    }
    EXPECT_TRUE(contains(message, path.string()));
    EXPECT_TRUE(contains(message, detail::error_text(EFBIG)));
    EXPECT_EQ(folder.names(), Names{"a"});
    EXPECT_EQ(read_bytes(path), "old");
  }
}

TEST(AtomicFile, IsNeverSeenHalfWritten) {
  const Folder folder;
  const auto path = folder / "a";
  const std::string versions[] = {std::string(100'000, 'a'), std::string(70'000, 'b')};
  write_file(path, versions[0]);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 1; i <= 20; ++i) write_file(path, versions[i % 2]);
    done = true;
  });
  int seen = 0;
  do {
    const std::string bytes = read_bytes(path);
    EXPECT_TRUE(bytes == versions[0] || bytes == versions[1]) << bytes.size() << " bytes";
    ++seen;
  } while (!done);
  writer.join();
  EXPECT_GT(seen, 0);
  EXPECT_EQ(read_bytes(path), versions[0]);
}
#endif

}  // namespace
}  // namespace minrnn::tests
