#include "site_agent/site_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <set>

namespace synod {
namespace {

Status PrepareFolder(const std::string& folder) {
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Failed(fmt::format("cannot make {}: {}", folder, std::strerror(errno)));
  }
  struct stat facts {};
  if (stat(folder.c_str(), &facts) != 0) return Failed(fmt::format("cannot look at {}", folder));
  if (!S_ISDIR(facts.st_mode)) return BadInput(fmt::format("{} is not a folder", folder));
  if ((facts.st_mode & 077) != 0) {
    return Refused(fmt::format("others may enter {}, which holds the site's ledger", folder),
                   fmt::format("chmod 700 {}", folder));
  }
  return {};
}

}  // namespace

Result<StateLock> StateLock::Take(const std::string& folder, double wait_seconds) {
  Descriptor opened(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.number() < 0) return Failed(fmt::format("cannot open {}: {}", folder, std::strerror(errno)));
  constexpr double kPauseSeconds = 0.05;
  for (double waited = 0.0; flock(opened.number(), LOCK_EX | LOCK_NB) != 0; waited += kPauseSeconds) {
    if (waited >= wait_seconds) {
      return Refused(fmt::format("another process has the state in {} open", folder), "stop the other process first");
    }
    usleep(static_cast<useconds_t>(kPauseSeconds * 1e6));
  }
  return StateLock(std::move(opened));
}

Result<std::unique_ptr<SiteState>> SiteState::Open(const std::string& kit, const Clock& clock,
                                                   FailPoints& fail_points) {
  const std::string folder = kit + "/state";
  SYNOD_RETURN_IF_ERROR(PrepareFolder(folder));
  SYNOD_ASSIGN_OR_RETURN(StateLock lock, StateLock::Take(folder, kWaitSeconds));
  std::unique_ptr<SiteState> state(new SiteState(std::move(lock)));
  SYNOD_ASSIGN_OR_RETURN(state->database_, Database::Open(folder + "/site.db"));
  SYNOD_ASSIGN_OR_RETURN(DatasetRegister datasets, DatasetRegister::Open(*state->database_, clock));
  state->datasets_.emplace(std::move(datasets));
  SYNOD_ASSIGN_OR_RETURN(SiteRunBook runs, SiteRunBook::Open(*state->database_, fail_points));
  state->runs_.emplace(std::move(runs));
  SYNOD_RETURN_IF_ERROR(state->OpenLedger(fail_points));
  SYNOD_ASSIGN_OR_RETURN(SqlitePromiseStore promises, SqlitePromiseStore::Open(*state->database_, fail_points));
  state->promises_.emplace(std::move(promises));
  // A process that ended within a restoration may have left runs open.
  for (const Ledger::Restored& restored : state->ledger_->restorations()) {
    SYNOD_RETURN_IF_ERROR(state->EndRunsOf(restored.restoration));
  }
  SYNOD_RETURN_IF_ERROR(state->OpenAccounts());
  return state;
}

Status SiteState::OpenLedger(FailPoints& fail_points) {
  SYNOD_ASSIGN_OR_RETURN(
      SqliteLedgerStore store,
      SqliteLedgerStore::Open(*database_, fail_points, FailPoint::kSiteBeforeCharge, FailPoint::kSiteAfterCharge));
  ledger_store_ = std::make_unique<SqliteLedgerStore>(std::move(store));
  Result<Ledger> ledger = Ledger::Open(*ledger_store_);
  if (!ledger.ok()) return ledger.error().Within("the site's ledger");
  ledger_.emplace(std::move(ledger).value());
  const auto open_book = [&](const char* shelf) {
    return HeadBook::Open(*database_, shelf, fail_points, FailPoint::kSiteBeforeHeadStored,
                          FailPoint::kSiteAfterHeadStored);
  };
  SYNOD_ASSIGN_OR_RETURN(HeadBook peers, open_book("peers"));
  peer_heads_.emplace(std::move(peers));
  SYNOD_ASSIGN_OR_RETURN(HeadBook own, open_book("own"));
  own_heads_.emplace(std::move(own));
  JudgeKeptHeads();
  return {};
}

Status SiteState::OpenAccounts() {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, ledger_store_->Load());
  std::map<std::pair<DatasetId, RunId>, std::vector<LedgerRow>> rows_of;
  for (const LedgerRow& row : rows) {
    if (row.is_answer()) rows_of[{row.charge.dataset, row.charge.name.run}].push_back(row);
  }
  for (const auto& [name, dataset] : datasets_->registered()) OpenAccount(dataset);
  for (const auto& [run, record] : runs_->runs()) {
    const RegisteredDataset* dataset = datasets_->Find(record.dataset);
    if (dataset == nullptr) continue;
    LifetimeFilter& account = accounts_.at(dataset->name);
    const auto own = rows_of.extract({dataset->id, run});
    if (own.empty() && record.state != SiteRunState::kApproved) continue;
    SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record.offer.plan));
    if (record.state == SiteRunState::kApproved) {
      SYNOD_ASSIGN_OR_RETURN(const LifetimeCost cost, CostOfPlan(plan, dataset->budget.order));
      account.Restore(run, cost);
    } else {
      SYNOD_ASSIGN_OR_RETURN(const LifetimeCost cost, CostOfRows(own.mapped(), plan, dataset->budget.order));
      account.Settle(run, cost);
    }
  }
  if (rows_of.empty()) return {};
  return VerificationFailed(
      fmt::format("ledger row {} belongs to no run that this site knows", rows_of.begin()->second.front().index));
}

void SiteState::OpenAccount(const RegisteredDataset& dataset) {
  LifetimeFilter account(dataset.budget);
  for (const Ledger::Restored& restored : ledger_->restorations()) {
    const RestoredCharge charge =
        ChargeOf(restored.restoration, {dataset.id, dataset.budget.order, dataset.budget.rdp});
    account.Charge({charge.rdp, charge.answers});
  }
  accounts_.insert_or_assign(dataset.name, std::move(account));
}

Result<std::vector<LedgerRow>> SiteState::RowsOf(const RunId& run) const {
  SYNOD_ASSIGN_OR_RETURN(std::vector<LedgerRow> rows, ledger_store_->Load());
  std::erase_if(rows, [&](const LedgerRow& row) { return !row.is_answer() || row.charge.name.run != run; });
  return rows;
}

Result<std::vector<std::string>> SiteState::Reconcile(const SiteConfiguration& configuration, const SitePolicy& policy,
                                                      DatasetRegister::NewOnes new_ones) {
  SYNOD_ASSIGN_OR_RETURN(std::vector<std::string> added, datasets_->Reconcile(configuration, policy, new_ones));
  for (const std::string& name : added) OpenAccount(*datasets_->Find(name));
  return added;
}

const LifetimeFilter* SiteState::Account(const std::string& dataset) const {
  const auto found = accounts_.find(dataset);
  return found == accounts_.end() ? nullptr : &found->second;
}

Status SiteState::CheckRoom(const std::string& dataset, const Plan& plan) const {
  const LifetimeFilter* account = Account(dataset);
  if (account == nullptr) return Refused(fmt::format("data set \"{}\" has no account", dataset));
  SYNOD_ASSIGN_OR_RETURN(const LifetimeCost cost, CostOfPlan(plan, account->budget().order));
  return account->Check(cost);
}

Status SiteState::Reserve(const std::string& dataset, const RunId& run, const Plan& plan) {
  if (ledger_->frozen()) return *ledger_->frozen();
  const auto found = accounts_.find(dataset);
  if (found == accounts_.end()) return Refused(fmt::format("data set \"{}\" has no account", dataset));
  SYNOD_ASSIGN_OR_RETURN(const LifetimeCost cost, CostOfPlan(plan, found->second.budget().order));
  return found->second.Reserve(run, cost);
}

Status SiteState::Settle(const RunId& run) {
  const SiteRunRecord* record = runs_->Find(run);
  if (record == nullptr) return {};
  const auto account = accounts_.find(record->dataset);
  if (account == accounts_.end()) return {};
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, RowsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record->offer.plan));
  SYNOD_ASSIGN_OR_RETURN(const LifetimeCost cost, CostOfRows(rows, plan, account->second.budget().order));
  account->second.Settle(run, cost);
  return {};
}

Status SiteState::ForgetPromises() {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<RunId> kept, promises_->Runs());
  for (const RunId& run : kept) {
    const SiteRunRecord* record = runs_->Find(run);
    if (record != nullptr && record->state == SiteRunState::kEnded) SYNOD_RETURN_IF_ERROR(promises_->Forget(run));
  }
  return {};
}

}  // namespace synod
