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
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
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
    EXPECT_EQ(folder.names(), Names{"a.0.minrnn.tmp"});
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
  EXPECT_EQ(folder.names(), (Names{"a", "a.0.minrnn.tmp"}));
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

TEST(AtomicFile, KnowsItsTemporaryFilesFromOthers) {
  for (const int number : {0, 7, 10, 1000})
    EXPECT_EQ(detail::temporary_number("a." + std::to_string(number) + ".minrnn.tmp", "a"), number);
  for (const char* name :
       {"a", "a.tmp", "a.1.tmp", "a.minrnn.tmp", "a..minrnn.tmp", "a.x.minrnn.tmp", "a.01.minrnn.tmp",
        "a.-1.minrnn.tmp", "a.+1.minrnn.tmp", "a. 1.minrnn.tmp", "a.1.minrnn.tmp2", "a.1.minrnn.TMP", "b.1.minrnn.tmp",
        "ab.1.minrnn.tmp", "a1.minrnn.tmp", "a.b.1.minrnn.tmp", "a.99999999999.minrnn.tmp", ".1.minrnn.tmp"})
    EXPECT_EQ(detail::temporary_number(name, "a"), -1) << name;
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

/// Runs `body` in a process of its own and gives the status that waitpid says of it.
template <class Body>
int run_in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}

/// Begins to write a file in a process that is then killed.
void begin_and_die(const std::filesystem::path& path) {
  const int status = run_in_child([&] {
    AtomicFile file(path);
    file.write("half", 4);
    ::raise(SIGKILL);
  });
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
}

TEST(AtomicFile, RemovesWhatAKilledWriterHasLeft) {
  const Folder folder;
  const auto path = folder / "a";
  begin_and_die(path);
  EXPECT_EQ(folder.names(), Names{"a.0.minrnn.tmp"});
  {
    AtomicFile alive(path);  // removes a.0.minrnn.tmp and has the name itself
    alive.write("alive", 5);
    begin_and_die(path);
    EXPECT_EQ(folder.names(), (Names{"a.0.minrnn.tmp", "a.1.minrnn.tmp"}));
    for (int number = 2; number <= 1001; ++number)
      write_bytes(folder / ("a." + std::to_string(number) + ".minrnn.tmp"), "half");
    write_file(path, "new");
    EXPECT_EQ(folder.names(), (Names{"a", "a.0.minrnn.tmp"}));
    alive.commit();
  }
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(path), "alive");
}

TEST(AtomicFile, RemovesNothingElse) {
  const Folder folder;
  Names names = {"a.tmp",   "a.01.minrnn.tmp", "a.x.minrnn.tmp", "a.1.minrnn.tmp.old",
                 "a.1.tmp", "b.0.minrnn.tmp",  "ab.0.minrnn.tmp"};
  for (const auto& name : names) write_bytes(folder / name, "mine");
  std::filesystem::create_directory(folder / "a.2.minrnn.tmp");
  ASSERT_EQ(::mkfifo((folder / "a.3.minrnn.tmp").c_str(), 0600), 0);
  std::filesystem::create_symlink("a.tmp", folder / "a.4.minrnn.tmp");
  names.insert(names.end(), {"a", "a.2.minrnn.tmp", "a.3.minrnn.tmp", "a.4.minrnn.tmp"});
  std::sort(names.begin(), names.end());
  write_file(folder / "a", "new");
  EXPECT_EQ(folder.names(), names);
}

TEST(AtomicFile, ManyWritersAtOnceKeepOutOfEachOthersWay) {
  const Folder folder;
  const auto path = folder / "a";
  const auto write_many = [&](char c) {
    for (int i = 0; i < 60; ++i) {
      AtomicFile file(path);
      const std::string bytes(1000, c);
      file.write(bytes.data(), 500);
      file.write(bytes.data() + 500, 500);
      if (i % 7 != 6) file.commit();
    }
  };
  // Processes, which have nothing in common but the file system, and of which some die; and threads. No process is
  // forked while there are threads: a lock that one of them holds at that moment, of an allocator say, would never be
  // released in the child.
  std::vector<pid_t> children;
  const auto start_child = [&](auto&& body) {
    children.push_back(::fork());
    if (children.back() != 0) return;
    try {
      body();
    } catch (const std::exception&) {
      ::_exit(1);
    }
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  };
  for (const char c : {'a', 'b', 'c'}) start_child([&, c] { write_many(c); });
  start_child([&] {
    for (int i = 0; i < 10; ++i) begin_and_die(path);
  });
  std::vector<std::thread> threads;
  for (const char c : {'d', 'e'})
    threads.emplace_back([&, c] {
      try {
        write_many(c);
      } catch (const std::exception& error) {
        ADD_FAILURE() << error.what();
      }
    });
  for (auto& thread : threads) thread.join();
  for (const pid_t child : children) {
    int status = -1;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  write_file(path, std::string(1000, 'z'));
  EXPECT_EQ(folder.names(), Names{"a"});
  EXPECT_EQ(read_bytes(path), std::string(1000, 'z'));
}

mode_t mode_of(const std::filesystem::path& path) {
  struct stat status {};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 07777;
}

TEST(AtomicFile, KeepsThePermissionsOfWhatItReplaces) {
  const Folder folder;
  const auto path = folder / "a";
  const mode_t mask = ::umask(022);
  write_file(path, "new");
  EXPECT_EQ(mode_of(path), 0644u);
  for (const mode_t mode : {0600u, 0640u, 0664u, 0444u, 0755u}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    AtomicFile file(path);
    EXPECT_EQ(mode_of(folder / "a.0.minrnn.tmp"), mode) << "what is secret must be so while it is written";
    file.commit();
    EXPECT_EQ(mode_of(path), mode);
  }
  ::umask(mask);
}

TEST(AtomicFile, KeepsTheOwnerWhereItMay) {
  if (::geteuid() != 0) GTEST_SKIP() << "only the system's administrator can give files away";
  const Folder folder;
  const auto path = folder / "a";
  write_file(path, "old");
  ASSERT_EQ(::chown(path.c_str(), 12345, 23456), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  write_file(path, "new");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_uid, 12345u);
  EXPECT_EQ(status.st_gid, 23456u);
  EXPECT_EQ(mode_of(path), 0640u);

  // Without that right the file is the writer's, and nobody sees it who did not before.
  std::filesystem::permissions(folder / "", std::filesystem::perms::all);
  EXPECT_EQ(run_in_child([&] {
              if (::setgid(34567) != 0 || ::setuid(34567) != 0) ::_exit(1);
              write_file(path, "newer");
            }),
            0);
  EXPECT_EQ(read_bytes(path), "newer");
  EXPECT_EQ(mode_of(path), 0600u);
}

TEST(AtomicFile, FollowsSymbolicLinks) {
  const Folder folder;
  std::filesystem::create_directory(folder / "there");
  write_bytes(folder / "there" / "b", "old");
  std::filesystem::create_symlink("there/b", folder / "a");
  std::filesystem::create_symlink(folder / "a", folder / "twice");
  {
    AtomicFile file(folder / "twice");
    EXPECT_TRUE(std::filesystem::exists(folder / "there" / "b.0.minrnn.tmp"));
    file.write("new", 3);
    file.commit();
  }
  EXPECT_EQ(read_bytes(folder / "there" / "b"), "new");
  std::filesystem::create_symlink("there/c", folder / "to nothing yet");
  write_file(folder / "to nothing yet", "first");
  EXPECT_EQ(read_bytes(folder / "there" / "c"), "first");
  for (const char* link : {"a", "twice", "to nothing yet"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder / link)) << link;
  EXPECT_EQ(folder.names(), (Names{"a", "there", "to nothing yet", "twice"}));

  std::filesystem::create_symlink("round", folder / "round");
  EXPECT_TRUE(contains(message_of([&] { write_file(folder / "round", "x"); }), detail::error_text(ELOOP)));
}

TEST(AtomicFile, ReplacesNothingBelowDevAndProc) {
  const Folder folder;
  const auto path = folder / "a";
  write_bytes(path, "old");
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  ASSERT_GE(descriptor, 0);
  std::filesystem::create_symlink("/dev/null", folder / "link");
  const std::string number = std::to_string(descriptor);
  // The last three lead to a regular file, in the end.
  const std::vector<std::filesystem::path> names = {
      "/dev/null",         "/dev/minrnn_new_file",    folder / "link",
      "/dev/fd/" + number, "/proc/self/fd/" + number, "/tmp/../proc/self/fd/" + number};
  for (const auto& name : names) {
    if (!std::filesystem::is_directory(name.parent_path())) continue;
    const std::string message = message_of([&] { write_file(name, "x"); });
    EXPECT_TRUE(message.starts_with(name.string() + ": cannot be written: it is below /")) << message;
  }
  ::close(descriptor);
  EXPECT_EQ(read_bytes(path), "old");
  EXPECT_EQ(folder.names(), (Names{"a", "link"}));
}

TEST(AtomicFile, IsWrittenThoughItsDirectoryCannotBeFlushed) {
  const Folder folder;
  const auto path = folder / "a";
  write_bytes(path, "old");
  AtomicFile file(path);
  file.write("new", 3);
  const int next = ::dup(0);  // the first free descriptor, which the directory would get
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit kept;
  ::getrlimit(RLIMIT_NOFILE, &kept);
  const rlimit limit{static_cast<rlim_t>(next), kept.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  EXPECT_LT(::open("/", O_RDONLY), 0) << "the directory must be one that cannot be opened";
  EXPECT_NO_THROW(file.commit());
  ::setrlimit(RLIMIT_NOFILE, &kept);
  EXPECT_EQ(read_bytes(path), "new");
  EXPECT_EQ(folder.names(), Names{"a"});
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
