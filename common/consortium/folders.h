// The few things that this module does with folders, with errors that name the path.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/core/result.h"

namespace synod {

std::string PathIn(const std::string& folder, std::string_view name);
bool Exists(const std::string& path);

// Makes the folder and its parents where they are missing; a new folder gets `mode`.
Status MakeFolder(const std::string& path, unsigned mode = 0755);
// Removes `path` and all in it, if it is there.
Status RemoveFolder(const std::string& path);
Status RenameFolder(const std::string& from, const std::string& to);

// Held by one command at a time: a second one is told that another is at work.
class FolderLock {
 public:
  static Result<FolderLock> Take(const std::string& folder);
  FolderLock(FolderLock&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  FolderLock& operator=(FolderLock&&) = delete;
  FolderLock(const FolderLock&) = delete;
  ~FolderLock();

 private:
  explicit FolderLock(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace synod
