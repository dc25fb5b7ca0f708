#include "site_agent/site_run_book.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr std::string_view kTable =
    "CREATE TABLE IF NOT EXISTS runs (run BLOB PRIMARY KEY, plan_hash BLOB NOT NULL, offer TEXT NOT NULL, "
    "coordinator TEXT NOT NULL, submitter TEXT NOT NULL, state INTEGER NOT NULL, reason INTEGER NOT NULL, dataset TEXT "
    "NOT NULL, "
    "decided_by TEXT NOT NULL, note TEXT NOT NULL, findings TEXT NOT NULL, review TEXT NOT NULL, "
    "ended_as INTEGER NOT NULL, proposed_unix INTEGER NOT NULL, decided_unix INTEGER NOT NULL)";
constexpr std::string_view kColumns =
    "run, plan_hash, offer, coordinator, submitter, state, reason, dataset, decided_by, note, findings, review, "
    "ended_as, "
    "proposed_unix, decided_unix";

bool IsUndecided(const SiteRunRecord& record) {
  return record.state == SiteRunState::kReviewing || record.state == SiteRunState::kWaiting;
}

}  // namespace

Result<SiteRunBook> SiteRunBook::Open(Database& database, FailPoints& fail_points) {
  SiteRunBook book(database, fail_points);
  SYNOD_RETURN_IF_ERROR(database.Execute(kTable));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<SqlRow> rows, database.Query(fmt::format("SELECT {} FROM runs", kColumns)));
  for (const SqlRow& row : rows) {
    SYNOD_ASSIGN_OR_RETURN(SiteRunRecord record, SiteRunRecord::FromRow(row));
    book.runs_.emplace(record.run, std::move(record));
  }
  return book;
}

Status SiteRunBook::Store(const SiteRunRecord& record, bool is_decision) {
  if (is_decision) fail_points_->At(FailPoint::kSiteBeforeDecisionStored);
  SYNOD_RETURN_IF_ERROR(database_->Execute(
      fmt::format("INSERT OR REPLACE INTO runs ({}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", kColumns),
      record.ToRow()));
  if (is_decision) fail_points_->At(FailPoint::kSiteAfterDecisionStored);
  return {};
}

Status SiteRunBook::Add(SiteRunRecord record) {
  if (runs_.contains(record.run)) return Refused("the run is known already");
  const auto undecided =
      std::count_if(runs_.begin(), runs_.end(), [](const auto& run) { return IsUndecided(run.second); });
  if (static_cast<std::size_t>(undecided) >= kMaxUndecided) {
    return Refused(fmt::format("{} runs wait for a decision already", kMaxUndecided));
  }
  SYNOD_RETURN_IF_ERROR(Store(record, false));
  runs_.emplace(record.run, std::move(record));
  return {};
}

Status SiteRunBook::Change(const RunId& run, const std::function<void(SiteRunRecord&)>& change) {
  const auto found = runs_.find(run);
  SYNOD_CHECK(found != runs_.end(), "a run that changes is known");
  SiteRunRecord changed = found->second;
  change(changed);
  SYNOD_CHECK(changed.state == found->second.state || MayFollow(found->second.state, changed.state),
              "a run's state follows the table");
  const bool is_decision = changed.state != found->second.state &&
                           (changed.state == SiteRunState::kApproved || changed.state == SiteRunState::kDenied);
  SYNOD_RETURN_IF_ERROR(Store(changed, is_decision));
  found->second = std::move(changed);
  return {};
}

const SiteRunRecord* SiteRunBook::Find(const RunId& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : &found->second;
}

Result<RunId> SiteRunBook::FindByPrefix(std::string_view prefix) const {
  const RunId* match = nullptr;
  for (const auto& [run, record] : runs_) {
    if (!RunText(run).starts_with(prefix)) continue;
    if (match != nullptr) return BadInput(fmt::format("several runs begin with \"{}\"", prefix), "give more digits");
    match = &run;
  }
  if (match == nullptr || prefix.empty()) {
    return BadInput(fmt::format("no run begins with \"{}\"", prefix), "synod-site requests lists them");
  }
  return *match;
}

}  // namespace synod
