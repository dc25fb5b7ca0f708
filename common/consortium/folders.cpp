#include "common/consortium/folders.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace synod {
namespace fs = std::filesystem;

std::string PathIn(const std::string& folder, std::string_view name) {
  return (fs::path(folder) / name).string();
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

Status MakeFolder(const std::string& path, unsigned mode) {
  std::error_code error;
  const bool made = fs::create_directories(path, error);
  if (error) return Failed(fmt::format("cannot make the folder {}: {}", path, error.message()));
  // A folder that was there keeps what its owner gave it.
  if (!made || chmod(path.c_str(), mode) == 0) return {};
  return Failed(fmt::format("cannot set the permissions of {}: {}", path, std::strerror(errno)));
}

Status RemoveFolder(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) return Failed(fmt::format("cannot remove {}: {}", path, error.message()));
  return {};
}

Status RenameFolder(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) return Failed(fmt::format("cannot rename {} to {}: {}", from, to, error.message()));
  return {};
}

Result<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string path = PathIn(folder, "lock");
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Failed(fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  FolderLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) return lock;
  return Failed(fmt::format("another command is at work in {}", folder), "wait until it has ended");
}

FolderLock::~FolderLock() {
  if (fd_ >= 0) close(fd_);
}

}  // namespace synod
