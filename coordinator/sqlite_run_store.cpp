#include "coordinator/sqlite_run_store.h"

#include <fmt/format.h>

namespace synod {
namespace {

constexpr std::size_t kMaxRecordBytes = 64u << 20;

Bytes KeyOf(const RunId& run) {
  return {run.bytes.begin(), run.bytes.end()};
}

// run, specification, schema, plan, explanation, record
Result<RunRecord> RecordFromRow(const SqlRow& row) {
  const auto text = [&](std::size_t column) { return std::get_if<std::string>(&row.at(column)); };
  if (row.size() != 5 || !text(0) || !text(1) || !text(2) || !text(3) || !text(4)) {
    return VerificationFailed("a stored run is damaged");
  }
  RunRecord record;
  record.submission.specification = *text(0);
  record.submission.schema = *text(1);
  record.plan_text = *text(2);
  record.explanation = *text(3);
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(*text(4), kMaxRecordBytes));
  SYNOD_RETURN_IF_ERROR(FillFromJson(json, record));
  return record;
}

}  // namespace

Result<SqliteRunStore> SqliteRunStore::Open(Database& database) {
  SYNOD_RETURN_IF_ERROR(database.Execute(
      "CREATE TABLE IF NOT EXISTS runs (position INTEGER PRIMARY KEY AUTOINCREMENT, run BLOB UNIQUE NOT NULL, "
      "specification TEXT NOT NULL, schema TEXT NOT NULL, plan TEXT NOT NULL, explanation TEXT NOT NULL, "
      "record TEXT NOT NULL)"));
  SYNOD_RETURN_IF_ERROR(
      database.Execute("CREATE TABLE IF NOT EXISTS drafts (run BLOB PRIMARY KEY NOT NULL, draft BLOB NOT NULL)"));
  return SqliteRunStore(database);
}

Status SqliteRunStore::Save(const RunRecord& record) {
  return database_->Transaction([&] {
    return database_->Execute(
        "INSERT INTO runs (run, specification, schema, plan, explanation, record) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (run) DO UPDATE SET plan = excluded.plan, explanation = excluded.explanation, "
        "record = excluded.record",
        {KeyOf(record.run()), record.submission.specification, record.submission.schema, record.plan_text,
         record.explanation, RecordToJson(record).dump(-1, ' ', false, Json::error_handler_t::replace)});
  });
}

Status SqliteRunStore::SaveWithDraft(const RunRecord& record, const Bytes& draft) {
  return database_->Transaction([&]() -> Status {
    SYNOD_RETURN_IF_ERROR(database_->Execute(
        "UPDATE runs SET record = ? WHERE run = ?",
        {RecordToJson(record).dump(-1, ' ', false, Json::error_handler_t::replace), KeyOf(record.run())}));
    return database_->Execute("INSERT OR REPLACE INTO drafts (run, draft) VALUES (?, ?)", {KeyOf(record.run()), draft});
  });
}

Result<Bytes> SqliteRunStore::LoadDraft(const RunId& run) const {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> rows,
                         database_->Query("SELECT draft FROM drafts WHERE run = ?", {KeyOf(run)}));
  const Bytes* draft = rows.size() == 1 && rows[0].size() == 1 ? std::get_if<Bytes>(&rows[0][0]) : nullptr;
  if (draft == nullptr) return VerificationFailed(fmt::format("run {} has no stored draft", RunIdText(run)));
  return *draft;
}

Result<std::vector<RunRecord>> SqliteRunStore::LoadAll() const {
  std::vector<RunRecord> records;
  SYNOD_RETURN_IF_ERROR(database_->ForEach(
      "SELECT specification, schema, plan, explanation, record FROM runs ORDER BY position", {},
      [&](const SqlRow& row) -> Status {
        Result<RunRecord> record = RecordFromRow(row);
        if (!record.ok())
          return record.error().Within(fmt::format("run number {} of the database", records.size() + 1));
        records.push_back(std::move(*record));
        return {};
      }));
  return records;
}

}  // namespace synod
