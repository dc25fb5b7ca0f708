#include "common/core/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace synod {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  // Closes and reports what close said: on network file systems a full disk shows up here.
  int Close() {
    const int result = close(fd_);
    fd_ = -1;
    return result;
  }

 private:
  int fd_;
};

Error SystemError(const char* doing, const std::string& path) {
  const int code = errno;
  const char* hint = "";
  if (code == ENOSPC || code == EDQUOT) hint = "the disk is full: free some space or write to another folder";
  if (code == ENOENT) hint = "check the path";
  if (code == EACCES || code == EPERM) hint = "check who owns the file and its permissions";
  return Failed(fmt::format("{} {}: {}", doing, path, std::strerror(code)), hint);
}

Status WriteAll(int fd, ByteView bytes, const std::string& path) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = write(fd, bytes.data() + done, bytes.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot write", path);
    done += static_cast<std::size_t>(n);
  }
  return {};
}

bool IsDevice(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode);
}

Status WriteThrough(const std::string& path, int flags, ByteView bytes, bool sync) {
  Descriptor file(open(path.c_str(), flags | O_CLOEXEC, 0644));
  if (file.get() < 0) return SystemError("cannot create", path);
  SYNOD_RETURN_IF_ERROR(WriteAll(file.get(), bytes, path));
  if (sync && fsync(file.get()) != 0) return SystemError("cannot write", path);
  if (file.Close() != 0) return SystemError("cannot write", path);
  return {};
}

}  // namespace

Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes) {
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError("cannot open", path);
  struct stat info {};
  if (fstat(file.get(), &info) != 0) return SystemError("cannot read", path);
  if (!S_ISREG(info.st_mode)) return BadInput(fmt::format("{} is not a regular file", path));
  if (static_cast<std::size_t>(info.st_size) > max_bytes) {
    return BadInput(fmt::format("{} has {} bytes; at most {} are accepted here", path, info.st_size, max_bytes));
  }
  std::string text(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = read(file.get(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot read", path);
    if (n == 0) break;  // the file shrank while we read it
    done += static_cast<std::size_t>(n);
  }
  text.resize(done);
  return text;
}

Status WriteFileAtomically(const std::string& path, ByteView bytes) {
  if (IsDevice(path)) return WriteThrough(path, O_WRONLY, bytes, false);
  const std::string temporary = path + ".tmp";
  const Status written = WriteThrough(temporary, O_WRONLY | O_CREAT | O_TRUNC, bytes, true);
  if (!written.ok()) {
    unlink(temporary.c_str());
    return written;
  }
  if (rename(temporary.c_str(), path.c_str()) != 0) {
    const Error error = SystemError("cannot create", path);
    unlink(temporary.c_str());
    return error;
  }
  return {};
}

}  // namespace synod
