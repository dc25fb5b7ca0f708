#include "coordinator/sqlite_round_store.h"

#include <fmt/format.h>

#include <limits>

namespace synod {
namespace {

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS round_attempts (id INTEGER PRIMARY KEY, run BLOB NOT NULL, query INTEGER NOT NULL, "
    "attempt INTEGER NOT NULL, entry INTEGER NOT NULL, completed INTEGER NOT NULL, answered BLOB NOT NULL, "
    "UNIQUE (run, query, attempt))",
    "CREATE TABLE IF NOT EXISTS round_sums (id INTEGER PRIMARY KEY, run BLOB NOT NULL, query INTEGER NOT NULL, "
    "words BLOB NOT NULL, UNIQUE (run, query))",
    "CREATE TABLE IF NOT EXISTS round_checkpoints (id INTEGER PRIMARY KEY, run BLOB NOT NULL UNIQUE, "
    "trained_queries INTEGER NOT NULL, content BLOB NOT NULL)",
};

// Sites as little-endian 16-bit indices: a roster has at most 1024.
Bytes EncodeSites(const std::vector<std::uint32_t>& sites) {
  Bytes bytes;
  for (const std::uint32_t site : sites) {
    bytes.push_back(static_cast<std::uint8_t>(site & 0xff));
    bytes.push_back(static_cast<std::uint8_t>(site >> 8));
  }
  return bytes;
}

std::optional<std::vector<std::uint32_t>> DecodeSites(const SqlValue& value) {
  const auto* bytes = std::get_if<Bytes>(&value);
  if (bytes == nullptr || bytes->size() % 2 != 0) return std::nullopt;
  std::vector<std::uint32_t> sites;
  for (std::size_t i = 0; i < bytes->size(); i += 2) {
    sites.push_back(static_cast<std::uint32_t>((*bytes)[i]) | static_cast<std::uint32_t>((*bytes)[i + 1]) << 8);
  }
  return sites;
}

std::optional<std::uint32_t> Number(const SqlValue& value) {
  const auto* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < 0 || *number > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

}  // namespace

Result<SqliteRoundStore> SqliteRoundStore::Open(Database& database, const RunId& run, FailPoints& fail_points) {
  for (const char* table : kTables) SYNOD_RETURN_IF_ERROR(database.Execute(table));
  return SqliteRoundStore(database, run, fail_points);
}

Status SqliteRoundStore::AppendAttempt(const AttemptRecord& attempt, const NoisySum* sum) {
  fail_points_->At(FailPoint::kCoordinatorBeforeSumStored);
  const Status written = database_->Transaction([&]() -> Status {
    SYNOD_RETURN_IF_ERROR(database_->Execute(
        "INSERT INTO round_attempts (run, query, attempt, entry, completed, answered) VALUES (?, ?, ?, ?, ?, ?)",
        {run_blob(), std::int64_t{attempt.name.query}, std::int64_t{attempt.name.attempt}, std::int64_t{attempt.entry},
         std::int64_t{attempt.completed}, EncodeSites(attempt.answered)}));
    if (sum == nullptr) return {};
    return database_->Execute("INSERT INTO round_sums (run, query, words) VALUES (?, ?, ?)",
                              {run_blob(), std::int64_t{attempt.name.query}, sum->words()});
  });
  SYNOD_RETURN_IF_ERROR(written);
  fail_points_->At(FailPoint::kCoordinatorAfterSumStored);
  return {};
}

Result<Bytes> SqliteRoundStore::LoadWords(std::uint32_t query) const {
  SYNOD_ASSIGN_OR_RETURN(
      std::vector<SqlRow> rows,
      database_->Query("SELECT words FROM round_sums WHERE run = ? AND query = ?", {run_blob(), std::int64_t{query}}));
  Bytes* words = rows.size() == 1 ? std::get_if<Bytes>(&rows[0][0]) : nullptr;
  if (words == nullptr) return VerificationFailed(fmt::format("the sum of query {} is not in the store", query));
  return std::move(*words);
}

Result<std::vector<AttemptRecord>> SqliteRoundStore::LoadAttempts() const {
  std::vector<AttemptRecord> attempts;
  SYNOD_RETURN_IF_ERROR(database_->ForEach(
      "SELECT query, attempt, entry, completed, answered FROM round_attempts WHERE run = ? ORDER BY id", {run_blob()},
      [&](const SqlRow& row) -> Status {
        const auto query = Number(row[0]);
        const auto attempt = Number(row[1]);
        const auto entry = Number(row[2]);
        const auto completed = Number(row[3]);
        auto answered = DecodeSites(row[4]);
        if (!query || !attempt || !entry || !completed || !answered) {
          return VerificationFailed(fmt::format("the record of attempt {} of a run cannot be read", attempts.size()));
        }
        attempts.push_back({{run_, *query, *attempt}, *entry, *completed != 0, std::move(*answered)});
        return {};
      }));
  return attempts;
}

Status SqliteRoundStore::SaveCheckpoint(std::uint32_t trained_queries, const Bytes& content) {
  fail_points_->At(FailPoint::kCoordinatorBeforeCheckpointStored);
  const Status written = database_->Transaction([&]() -> Status {
    SYNOD_RETURN_IF_ERROR(
        database_->Execute("INSERT OR REPLACE INTO round_checkpoints (run, trained_queries, content) VALUES (?, ?, ?)",
                           {run_blob(), std::int64_t{trained_queries}, content}));
    return database_->Execute("DELETE FROM round_sums WHERE run = ? AND query < ?",
                              {run_blob(), std::int64_t{trained_queries}});
  });
  SYNOD_RETURN_IF_ERROR(written);
  fail_points_->At(FailPoint::kCoordinatorAfterCheckpointStored);
  return {};
}

Result<std::optional<SqliteRoundStore::Checkpoint>> SqliteRoundStore::LoadCheckpoint() const {
  SYNOD_ASSIGN_OR_RETURN(
      std::vector<SqlRow> rows,
      database_->Query("SELECT trained_queries, content FROM round_checkpoints WHERE run = ?", {run_blob()}));
  if (rows.empty()) return std::optional<Checkpoint>();
  const auto trained_queries = Number(rows[0][0]);
  auto* content = std::get_if<Bytes>(&rows[0][1]);
  if (!trained_queries || content == nullptr) return VerificationFailed("the checkpoint of a run cannot be read");
  return std::optional<Checkpoint>({*trained_queries, std::move(*content)});
}

Status SqliteRoundStore::ForgetSums() {
  return database_->Transaction([&]() -> Status {
    SYNOD_RETURN_IF_ERROR(database_->Execute("DELETE FROM round_sums WHERE run = ?", {run_blob()}));
    return database_->Execute("DELETE FROM round_checkpoints WHERE run = ?", {run_blob()});
  });
}

}  // namespace synod
