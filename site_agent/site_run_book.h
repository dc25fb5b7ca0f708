// All runs that were proposed to a site, durable: a change counts only once it would survive a loss of power.
// Threads: one.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "common/core/fail_points.h"
#include "common/core/result.h"
#include "site_agent/site_run_record.h"

namespace synod {

class SiteRunBook {
 public:
  // Undecided runs that are kept; more are turned away, so that nobody fills the disk with proposals.
  static constexpr std::size_t kMaxUndecided = 32;

  static Result<SiteRunBook> Open(Database& database, FailPoints& fail_points);

  // A run that was not known. Fails where it is, and beyond kMaxUndecided.
  Status Add(SiteRunRecord record);
  // Takes `change` to a copy of the record and stores it; nothing changes where that fails. The change of state must be
  // one that the table allows (our own duty).
  Status Change(const RunId& run, const std::function<void(SiteRunRecord&)>& change);

  const SiteRunRecord* Find(const RunId& run) const;
  // By a prefix of its hexadecimal digits. BadInput where none or several begin like it.
  Result<RunId> FindByPrefix(std::string_view prefix) const;
  const std::map<RunId, SiteRunRecord>& runs() const { return runs_; }

 private:
  SiteRunBook(Database& database, FailPoints& fail_points) : database_(&database), fail_points_(&fail_points) {}
  Status Store(const SiteRunRecord& record, bool is_decision);

  Database* database_;
  FailPoints* fail_points_;
  std::map<RunId, SiteRunRecord> runs_;
};

}  // namespace synod
