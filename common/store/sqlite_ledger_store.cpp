#include "common/store/sqlite_ledger_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/crypto/secret_random.h"

namespace synod {
namespace {

constexpr std::size_t kMaxRowBytes = 512u << 10;  // of a restoration; that of an answer is a few hundred

// A name is charged once and has one answer: the database holds that, too, whatever its users do.
constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS ledger_rows (position INTEGER PRIMARY KEY, dataset BLOB NOT NULL, run BLOB NOT NULL, "
    "query INTEGER NOT NULL, attempt INTEGER NOT NULL, content TEXT NOT NULL, UNIQUE (dataset, run, query, attempt))",
    "CREATE TABLE IF NOT EXISTS ledger_answers (id INTEGER PRIMARY KEY, dataset BLOB NOT NULL, run BLOB NOT NULL, "
    "query INTEGER NOT NULL, attempt INTEGER NOT NULL, answer BLOB NOT NULL, UNIQUE (dataset, run, query, attempt))",
    "CREATE TABLE IF NOT EXISTS ledger_identity (one INTEGER PRIMARY KEY CHECK (one = 1), id BLOB NOT NULL)",
};

constexpr const char* kDeleteAnswers = "DELETE FROM ledger_answers WHERE dataset = ? AND run = ? AND query <= ?";

template <typename Id>
SqlValue BlobOf(const Id& id) {
  return Bytes(id.bytes.begin(), id.bytes.end());
}

SqlRow NameOf(const DatasetId& dataset, const QueryName& name) {
  return {BlobOf(dataset), BlobOf(name.run), std::int64_t{name.query}, std::int64_t{name.attempt}};
}

// The columns of a row. One that charges no answer has a name that no answer has: the run of all zeros.
SqlRow ColumnsOf(const LedgerRow& row) {
  SqlRow columns{static_cast<std::int64_t>(row.index)};
  SqlRow name = row.is_answer() ? NameOf(row.charge.dataset, row.charge.name) : NameOf({}, {});
  if (!row.is_answer()) name[2] = static_cast<std::int64_t>(row.index);
  columns.insert(columns.end(), name.begin(), name.end());
  columns.emplace_back(row.ToJson().dump());
  return columns;
}

SqlRow UpTo(const DatasetId& dataset, const RunId& run, std::uint32_t query) {
  return {BlobOf(dataset), BlobOf(run), std::int64_t{query}};
}

}  // namespace

Result<SqliteLedgerStore> SqliteLedgerStore::Open(Database& database, FailPoints& fail_points, FailPoint before,
                                                  FailPoint after) {
  for (const char* table : kTables) SYNOD_RETURN_IF_ERROR(database.Execute(table));
  SqliteLedgerStore store(database, fail_points, before, after);
  SYNOD_RETURN_IF_ERROR(store.ReadFirstId());
  return store;
}

Status SqliteLedgerStore::ReadFirstId() {
  Bytes drawn(first_id_.bytes.size());
  SecretRandom::FromOperatingSystem().Fill(drawn);
  SYNOD_RETURN_IF_ERROR(database_->Execute("INSERT OR IGNORE INTO ledger_identity VALUES (1, ?)", {drawn}));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> rows, database_->Query("SELECT id FROM ledger_identity"));
  const Bytes* id = rows.size() == 1 ? std::get_if<Bytes>(&rows[0][0]) : nullptr;
  if (id == nullptr || id->size() != first_id_.bytes.size()) return VerificationFailed("the ledger has no proper id");
  std::copy(id->begin(), id->end(), first_id_.bytes.begin());
  return {};
}

void SqliteLedgerStore::Stage(const DatasetId& dataset, const QueryName& name, Bytes answer) {
  staged_ = Staged{dataset, name, std::move(answer)};
}

Status SqliteLedgerStore::AppendDurably(const LedgerRow& row) {
  const LedgerCharge& charge = row.charge;
  std::optional<Staged> staged = std::exchange(staged_, std::nullopt);
  const bool pays = row.is_answer() && staged && staged->dataset == charge.dataset && staged->name == charge.name;
  fail_points_->At(before_);
  const Status written = database_->Transaction([&]() -> Status {
    SYNOD_RETURN_IF_ERROR(database_->Execute("INSERT INTO ledger_rows VALUES (?, ?, ?, ?, ?, ?)", ColumnsOf(row)));
    for (const auto& [run, query] : forgotten_) {
      SYNOD_RETURN_IF_ERROR(database_->Execute(kDeleteAnswers, UpTo(run.first, run.second, query)));
    }
    if (!pays) return {};
    SqlRow values = NameOf(charge.dataset, charge.name);
    values.emplace_back(std::move(staged->answer));
    return database_->Execute(
        "INSERT INTO ledger_answers (dataset, run, query, attempt, answer) VALUES (?, ?, ?, ?, ?)", values);
  });
  SYNOD_RETURN_IF_ERROR(written);
  forgotten_.clear();
  fail_points_->At(after_);
  return {};
}

Result<std::vector<LedgerRow>> SqliteLedgerStore::Load() const {
  std::vector<LedgerRow> rows;
  SYNOD_RETURN_IF_ERROR(
      database_->ForEach("SELECT content FROM ledger_rows ORDER BY position", {}, [&](const SqlRow& row) -> Status {
        const auto* content = std::get_if<std::string>(&row[0]);
        if (content == nullptr) return VerificationFailed(fmt::format("ledger row {}: it is no text", rows.size()));
        const Result<Json> json = ParseJson(*content, kMaxRowBytes);
        if (!json.ok()) return json.error().Within(fmt::format("ledger row {}", rows.size()));
        Result<LedgerRow> read = LedgerRow::FromJson(*json);
        if (!read.ok()) return read.error().Within(fmt::format("ledger row {}", rows.size()));
        rows.push_back(std::move(*read));
        return {};
      }));
  return rows;
}

Result<std::optional<Bytes>> SqliteLedgerStore::StoredAnswer(const DatasetId& dataset, const QueryName& name) const {
  const auto forgotten = forgotten_.find({dataset, name.run});
  if (forgotten != forgotten_.end() && name.query <= forgotten->second) return std::optional<Bytes>();
  SYNOD_ASSIGN_OR_RETURN(
      std::vector<SqlRow> rows,
      database_->Query("SELECT answer FROM ledger_answers WHERE dataset = ? AND run = ? AND query = ? AND attempt = ?",
                       NameOf(dataset, name)));
  if (rows.empty()) return std::optional<Bytes>();
  auto* answer = std::get_if<Bytes>(&rows[0][0]);
  if (answer == nullptr) return VerificationFailed("a stored answer is no bytes");
  return std::optional<Bytes>(std::move(*answer));
}

Status SqliteLedgerStore::ForgetAnswers(const DatasetId& dataset, const RunId& run, std::uint32_t query) {
  return database_->Execute(kDeleteAnswers, UpTo(dataset, run, query));
}

void SqliteLedgerStore::ForgetAnswersLater(const DatasetId& dataset, const RunId& run, std::uint32_t query) {
  std::uint32_t& last = forgotten_[{dataset, run}];
  last = std::max(last, query);
}

}  // namespace synod
