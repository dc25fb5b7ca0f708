#include "site_agent/sqlite_promise_store.h"

#include <fmt/format.h>

#include <algorithm>

namespace synod {
namespace {

// One promise under a name: the database holds that, too, whatever its users do.
constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS promises (run BLOB NOT NULL, query INTEGER NOT NULL, attempt INTEGER NOT NULL, "
    "promise BLOB NOT NULL, UNIQUE (run, query, attempt))";

Bytes BlobOf(const RunId& run) {
  return Bytes(run.bytes.begin(), run.bytes.end());
}

SqlRow KeyOf(const QueryName& name) {
  return {BlobOf(name.run), std::int64_t{name.query}, std::int64_t{name.attempt}};
}

}  // namespace

Result<SqlitePromiseStore> SqlitePromiseStore::Open(Database& database, FailPoints& fail_points) {
  SYNOD_RETURN_IF_ERROR(database.Execute(kTable));
  return SqlitePromiseStore(database, fail_points);
}

Result<bool> SqlitePromiseStore::Has(const QueryName& name) const {
  SYNOD_ASSIGN_OR_RETURN(
      const std::vector<SqlRow> rows,
      database_->Query("SELECT 1 FROM promises WHERE run = ? AND query = ? AND attempt = ?", KeyOf(name)));
  return !rows.empty();
}

Status SqlitePromiseStore::Keep(const QueryName& name, const Digest& promise) {
  SYNOD_ASSIGN_OR_RETURN(const bool kept, Has(name));
  if (kept) {
    return Refused(fmt::format("a survivor set of query {} attempt {} was signed before", name.query, name.attempt));
  }
  SqlRow row = KeyOf(name);
  row.emplace_back(Bytes(promise.begin(), promise.end()));
  fail_points_->At(FailPoint::kSiteBeforePromise);
  SYNOD_RETURN_IF_ERROR(
      database_->Transaction([&] { return database_->Execute("INSERT INTO promises VALUES (?, ?, ?, ?)", row); }));
  fail_points_->At(FailPoint::kSiteAfterPromise);
  return {};
}

Result<std::vector<RunId>> SqlitePromiseStore::Runs() const {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> rows, database_->Query("SELECT DISTINCT run FROM promises"));
  std::vector<RunId> runs;
  for (const SqlRow& row : rows) {
    const auto* bytes = std::get_if<Bytes>(&row[0]);
    RunId run;
    if (bytes == nullptr || bytes->size() != run.bytes.size()) {
      return VerificationFailed("a promise in the site's database names no run");
    }
    std::copy(bytes->begin(), bytes->end(), run.bytes.begin());
    runs.push_back(run);
  }
  return runs;
}

Status SqlitePromiseStore::Forget(const RunId& run) {
  return database_->Execute("DELETE FROM promises WHERE run = ?", {BlobOf(run)});
}

}  // namespace synod
