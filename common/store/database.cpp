#include "common/store/database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/core/check.h"
#include "common/store/database_errors.h"

namespace synod {
namespace {

namespace fs = std::filesystem;

// "SYND": so that a database of another program is not taken for ours.
constexpr std::int64_t kApplicationId = 0x53594e44;

// Exclusive: the lock is kept until the end, and no shared memory file is needed. Full: a commit waits for the disk.
// What is deleted are noised answers that were sent and noisy sums: overwriting them would protect nobody.
constexpr const char* kSettings[] = {
    "PRAGMA locking_mode = EXCLUSIVE",      "PRAGMA journal_mode = WAL",  "PRAGMA synchronous = FULL",
    "PRAGMA journal_size_limit = 67108864", "PRAGMA temp_store = MEMORY", "PRAGMA trusted_schema = OFF",
    "PRAGMA cell_size_check = ON",          "PRAGMA secure_delete = OFF",
};

struct CloseHandle {
  void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
};
using Handle = std::unique_ptr<sqlite3, CloseHandle>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

int Bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, index, *integer);
  if (const auto* real = std::get_if<double>(&value)) return sqlite3_bind_double(statement, index, *real);
  if (const auto* text = std::get_if<std::string>(&value)) {
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8);
  }
  if (const auto* bytes = std::get_if<Bytes>(&value)) {
    // A null pointer would bind NULL: an empty blob is one of zero bytes.
    const void* data = bytes->empty() ? static_cast<const void*>("") : bytes->data();
    return sqlite3_bind_blob64(statement, index, data, bytes->size(), SQLITE_STATIC);
  }
  return sqlite3_bind_null(statement, index);
}

SqlValue ColumnOf(sqlite3_stmt* statement, int index) {
  switch (sqlite3_column_type(statement, index)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, index)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, index);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, index));
      return std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, index)));
    }
    case SQLITE_BLOB: {
      const auto* bytes = static_cast<const std::uint8_t*>(sqlite3_column_blob(statement, index));
      return Bytes(bytes, bytes + sqlite3_column_bytes(statement, index));
    }
    default:
      return std::monostate{};
  }
}

Result<Handle> OpenHandle(const std::string& path, int flags) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Handle handle(opened);
  if (code != SQLITE_OK) return DatabaseError(handle.get(), code, path, "open");
  sqlite3_extended_result_codes(handle.get(), 1);
  return handle;
}

Status Run(sqlite3* handle, const std::string& path, const std::string& sql) {
  const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return DatabaseError(handle, code, path, "set up the database");
  return {};
}

// Makes the directory entries durable.
Status SyncFolderOf(const std::string& path) {
  const std::string folder = fs::absolute(path).parent_path().string();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Failed(fmt::format("{}: {}", folder, std::strerror(errno)));
  const bool synced = ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!synced) return Failed(fmt::format("{}: cannot be synced: {}", folder, std::strerror(errno)));
  return {};
}

// A database without tables, first under another name: what has the right name was finished. What has that name already
// is never replaced: it may be a ledger that could not be seen a moment ago.
Status CreateDatabase(const std::string& path) {
  const std::string fresh = path + ".new";
  std::error_code ignored;
  fs::remove(fresh, ignored);
  const int descriptor = ::open(fresh.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return Failed(fmt::format("{}: cannot be made: {}", path, std::strerror(errno)));
  ::close(descriptor);
  {
    SYNOD_ASSIGN_OR_RETURN(const Handle handle, OpenHandle(fresh, 0));
    SYNOD_RETURN_IF_ERROR(Run(handle.get(), fresh, "PRAGMA synchronous = FULL"));
    SYNOD_RETURN_IF_ERROR(Run(handle.get(), fresh, fmt::format("PRAGMA application_id = {}", kApplicationId)));
  }
  const int published = ::link(fresh.c_str(), path.c_str()) == 0 ? 0 : errno;
  fs::remove(fresh, ignored);  // a second name of the same file does no harm, and the next one that is made removes it
  if (published != 0) return Failed(fmt::format("{}: cannot be made: {}", path, std::strerror(published)));
  return SyncFolderOf(path);
}

// Whether nothing at all has this name. A link to nothing is something: its volume may be away. Any other trouble is an
// error, never an absence.
Result<bool> IsMissing(const std::string& path) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(path, error).type();
  if (type == fs::file_type::not_found) return true;
  if (type == fs::file_type::none) return Failed(fmt::format("{}: {}", path, error.message()));
  return false;
}

}  // namespace

struct Database::State {
  Handle handle;
  bool in_transaction = false;
};

Database::Database(std::unique_ptr<State> state, std::string path) : state_(std::move(state)), path_(std::move(path)) {}
Database::~Database() = default;

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const bool missing, IsMissing(path));
  if (missing) SYNOD_RETURN_IF_ERROR(CreateDatabase(path));
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return Failed(fmt::format("{}: {}", path, error.message()));
  if (size == 0) {
    return VerificationFailed(fmt::format("{}: the file is empty: it lost its content", path),
                              "restore it from a backup");
  }
  auto state = std::make_unique<State>();
  SYNOD_ASSIGN_OR_RETURN(state->handle, OpenHandle(path, 0));
  for (const char* setting : kSettings) SYNOD_RETURN_IF_ERROR(Run(state->handle.get(), path, setting));
  std::unique_ptr<Database> database(new Database(std::move(state), path));
  SYNOD_RETURN_IF_ERROR(database->CheckContent(size <= kMaxCheckedBytes));
  return database;
}

Status Database::CheckContent(bool every_page) const {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> mode, Query("PRAGMA journal_mode"));
  if (mode.size() != 1 || mode[0][0] != SqlValue(std::string("wal"))) {
    return Failed(fmt::format("{}: this file system cannot hold a write-ahead log", path_));
  }
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> id, Query("PRAGMA application_id"));
  if (id.size() != 1 || id[0][0] != SqlValue(kApplicationId)) {
    return VerificationFailed(fmt::format("{}: the file is a database of another program", path_));
  }
  if (!every_page) return {};
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> check, Query("PRAGMA quick_check(1)"));
  if (check.size() == 1 && check[0][0] == SqlValue(std::string("ok"))) return {};
  return DatabaseError(nullptr, SQLITE_CORRUPT, path_, "check");
}

Status Database::ForEach(std::string_view sql, const SqlRow& parameters,
                         const std::function<Status(const SqlRow&)>& take) const {
  sqlite3* handle = state_->handle.get();
  sqlite3_stmt* prepared = nullptr;
  int code = sqlite3_prepare_v2(handle, sql.data(), static_cast<int>(sql.size()), &prepared, nullptr);
  const Statement statement(prepared);
  if (code != SQLITE_OK) return DatabaseError(handle, code, path_, "prepare a statement");
  SYNOD_CHECK(sqlite3_bind_parameter_count(prepared) == static_cast<int>(parameters.size()),
              "a statement gets all of its parameters");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    code = Bind(prepared, static_cast<int>(i) + 1, parameters[i]);
    if (code != SQLITE_OK) return DatabaseError(handle, code, path_, "bind a value");
  }
  SqlRow row(static_cast<std::size_t>(sqlite3_column_count(prepared)));
  while ((code = sqlite3_step(prepared)) == SQLITE_ROW) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = ColumnOf(prepared, static_cast<int>(i));
    SYNOD_RETURN_IF_ERROR(take(row));
  }
  if (code != SQLITE_DONE) return DatabaseError(handle, code, path_, "read or write");
  return {};
}

Status Database::Execute(std::string_view sql, const SqlRow& parameters) {
  return ForEach(sql, parameters, [](const SqlRow&) { return Status(); });
}

Result<std::vector<SqlRow>> Database::Query(std::string_view sql, const SqlRow& parameters,
                                            std::size_t max_rows) const {
  std::vector<SqlRow> rows;
  SYNOD_RETURN_IF_ERROR(ForEach(sql, parameters, [&](const SqlRow& row) -> Status {
    if (rows.size() == max_rows) return Failed(fmt::format("{}: more than {} rows", path_, max_rows));
    rows.push_back(row);
    return {};
  }));
  return rows;
}

Status Database::Transaction(const std::function<Status()>& body) {
  SYNOD_CHECK(!state_->in_transaction, "transactions do not nest");
  SYNOD_RETURN_IF_ERROR(Execute("BEGIN IMMEDIATE"));
  state_->in_transaction = true;
  Status done = body();
  if (done.ok()) done = Execute("COMMIT");
  state_->in_transaction = false;
  if (done.ok()) return {};
  // Some errors have rolled back by themselves.
  if (sqlite3_get_autocommit(state_->handle.get()) != 0) return done;
  if (const Status undone = Execute("ROLLBACK"); !undone.ok()) return undone.error().Within(done.error().message);
  return done;
}

}  // namespace synod
