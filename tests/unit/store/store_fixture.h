// Databases in folders of their own, children that die, disks that fill up.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "common/core/fail_points.h"
#include "common/store/database.h"
#include "tests/support/shared_data.h"

namespace synod::testing {

inline std::string FreshDatabasePath() {
  return TemporaryFolder() + "/state.db";
}

inline std::unique_ptr<Database> MustOpen(const std::string& path) {
  Result<std::unique_ptr<Database>> opened = Database::Open(path);
  EXPECT_TRUE(opened.ok()) << (opened.ok() ? "" : opened.error().message);
  return opened.ok() ? std::move(*opened) : nullptr;
}

// Runs `body` in a child process that never returns from it; gives the child's exit code. A body that returns is 0.
inline int InChild(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

// Ends the process the n-th time that a point is reached.
class DieAt final : public FailPoints {
 public:
  static constexpr int kExitCode = 42;
  explicit DieAt(FailPoint point, int times = 1) : point_(point), times_(times) {}
  void At(FailPoint point) override {
    if (point == point_ && --times_ == 0) ::_exit(kExitCode);
  }

 private:
  FailPoint point_;
  int times_;
};

inline std::string ContentOf(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void WriteContent(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

// A limit on the size of files for this process, while it lives: writes beyond it fail.
class FileLimit {
 public:
  explicit FileLimit(std::uint64_t bytes);
  ~FileLimit();
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  std::uint64_t previous_;
};

// Puts a file system of `bytes` at `folder`, seen by this process alone (a child: it cannot go back). False where the
// machine does not allow that.
bool MountTinyDisk(const std::string& folder, std::size_t bytes);

}  // namespace synod::testing
