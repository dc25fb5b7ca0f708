// One SQLite database: opened with WAL and synchronous=FULL, one process at a time, errors as values that say "disk
// full" where the disk is full. SQLite's types stay in the .cpp. Threads: one.
//
// Errors: Failed where the disk is full, cannot be written or another process has the file; VerificationFailed where
// the content is damaged or is no database of ours. No text holds a value of a row. While it is open no other code of
// the same process may open and close the file: POSIX would drop the lock.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

// A value of a row. Blobs and texts are bounded by Database::kMaxValueBytes.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string, Bytes>;
using SqlRow = std::vector<SqlValue>;

class Database {
 public:
  static constexpr std::int64_t kMaxValueBytes = 1'000'000'000;
  // Up to this size the whole file is checked when it is opened; larger ones page by page as they are read.
  static constexpr std::uintmax_t kMaxCheckedBytes = 64u << 20;

  // Creates the file (0600) where it is missing, whole or not at all: an empty file is one that lost its content, and
  // an error, and so is one that cannot be looked at, or a link to nothing: neither is replaced. Fails if another
  // process has it open, or if it is no database.
  static Result<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // One statement with its parameters; rows of a query are limited by `max_rows`.
  Status Execute(std::string_view sql, const SqlRow& parameters = {});
  Result<std::vector<SqlRow>> Query(std::string_view sql, const SqlRow& parameters = {},
                                    std::size_t max_rows = 10'000'000) const;
  // Row by row, without holding all of them: stops at the first error that `take` returns.
  Status ForEach(std::string_view sql, const SqlRow& parameters,
                 const std::function<Status(const SqlRow&)>& take) const;
  // Begins, runs `body`, commits; rolls back if either fails. Not within another one. Returns only when a commit would
  // survive a loss of power.
  Status Transaction(const std::function<Status()>& body);
  const std::string& path() const { return path_; }

 private:
  struct State;
  Database(std::unique_ptr<State> state, std::string path);
  Status CheckContent(bool every_page) const;
  std::unique_ptr<State> state_;
  std::string path_;
};

}  // namespace synod
