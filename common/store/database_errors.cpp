#include "common/store/database_errors.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cerrno>

namespace synod {
namespace {

// SQLite names only ENOSPC a full disk; quotas and file-size limits are full for whoever has them.
bool IsFull(sqlite3* handle, int code) {
  if ((code & 0xff) == SQLITE_FULL) return true;
  if ((code & 0xff) != SQLITE_IOERR || handle == nullptr) return false;
  const int system = sqlite3_system_errno(handle);
  return system == ENOSPC || system == EDQUOT || system == EFBIG;
}

}  // namespace

Error DatabaseError(sqlite3* handle, int code, const std::string& path, std::string_view doing) {
  if (IsFull(handle, code)) {
    return Failed(fmt::format("{}: the disk is full", path), "free some space: nothing was lost, nothing is charged");
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Failed(fmt::format("{}: another process has it open", path), "stop the other process first");
    case SQLITE_NOTADB:
      return VerificationFailed(fmt::format("{}: the file is not a database", path), "restore it from a backup");
    case SQLITE_CORRUPT:
      return VerificationFailed(fmt::format("{}: the database is damaged", path), "restore it from a backup");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return Failed(fmt::format("{}: it cannot be opened for writing", path),
                    "the folder and the file must belong to the user of this process");
    case SQLITE_IOERR:
      return Failed(fmt::format("{}: could not {}: the disk fails or is full ({})", path, doing, sqlite3_errstr(code)));
    case SQLITE_TOOBIG:
      return Failed(fmt::format("{}: a value is too large to be stored", path));
    default:
      return Failed(fmt::format("{}: could not {}: {}", path, doing, sqlite3_errstr(code)));
  }
}

}  // namespace synod
