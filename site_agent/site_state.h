// What a site keeps in KIT/state/site.db: registered data sets, runs and decisions, the ledger with the answers that it
// paid for, promises of secure aggregation, heads of other sites' ledgers, and each data set's account over its life,
// which is computed from the others.
//
// A head of the own ledger that contradicts it (common/privacy/ledger_witness.h) proves that this folder was put back
// to an earlier state. From then on, after every start too, nothing is approved and no answer is charged until the
// administrator has the loss counted (Restore). One process at a time has it
// open: the daemon, or for a moment a command while the daemon is stopped; whoever comes second waits for the first
// one, kWaitSeconds at most. Threads: one.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/core/clock.h"
#include "common/core/descriptor.h"
#include "common/core/fail_points.h"
#include "common/privacy/ledger.h"
#include "common/privacy/ledger_witness.h"
#include "common/privacy/lifetime_filter.h"
#include "common/store/database.h"
#include "common/store/head_book.h"
#include "common/store/sqlite_ledger_store.h"
#include "site_agent/dataset_register.h"
#include "site_agent/site_run_book.h"
#include "site_agent/sqlite_promise_store.h"

namespace synod {

// Held while a process has a site's state open.
class StateLock {
 public:
  // Refused where another process holds it for `wait_seconds`.
  static Result<StateLock> Take(const std::string& folder, double wait_seconds);

 private:
  explicit StateLock(Descriptor folder) : folder_(std::move(folder)) {}
  Descriptor folder_;
};

class SiteState {
 public:
  static constexpr double kWaitSeconds = 3.0;

  // Makes KIT/state (0700) where it is missing; refuses one that others may enter. The ledger's chain is verified, and
  // every row of it must belong to a known run and its plan.
  static Result<std::unique_ptr<SiteState>> Open(const std::string& kit, const Clock& clock, FailPoints& fail_points);

  DatasetRegister& datasets() { return *datasets_; }
  const DatasetRegister& datasets() const { return *datasets_; }
  SiteRunBook& runs() { return *runs_; }
  const SiteRunBook& runs() const { return *runs_; }
  SqliteLedgerStore& ledger_store() { return *ledger_store_; }
  const SqliteLedgerStore& ledger_store() const { return *ledger_store_; }
  Ledger& ledger() { return *ledger_; }
  SqlitePromiseStore& promises() { return *promises_; }
  const Ledger& ledger() const { return *ledger_; }
  HeadBook& peer_heads() { return *peer_heads_; }
  const HeadBook& peer_heads() const { return *peer_heads_; }
  Database& database() { return *database_; }

  // Rows of one run, from the ledger.
  Result<std::vector<LedgerRow>> RowsOf(const RunId& run) const;

  // Registers what is new and opens its account.
  Result<std::vector<std::string>> Reconcile(const SiteConfiguration& configuration, const SitePolicy& policy,
                                             DatasetRegister::NewOnes new_ones = DatasetRegister::NewOnes::kRegister);
  // Nothing for a name that is not registered.
  const LifetimeFilter* Account(const std::string& dataset) const;
  // Whether the account has room for the whole plan. Changes nothing.
  Status CheckRoom(const std::string& dataset, const Plan& plan) const;
  // Holds the whole plan. To be undone by Settle where the approval cannot be made durable.
  Status Reserve(const std::string& dataset, const RunId& run, const Plan& plan);
  // The run will give no further answer: the account keeps what its ledger rows say.
  Status Settle(const RunId& run);
  // Promises of runs that have ended here are not needed again; those of others stay.
  Status ForgetPromises();
  // All accounts, in the form of a ledger's head.
  std::vector<HeldAccount> Held() const;

  // Why nothing is approved or charged; nothing: the ledger was not rolled back.
  bool rolled_back() const { return ledger_->frozen().has_value(); }
  // Heads that JudgeWitnesses found. They count at once; an error says that they are not durable yet.
  Status NoteRollback(const std::vector<Contradiction>& found, std::int64_t now_unix);
  // Writes what could not be written before.
  Status FlushHeads();
  // What Restore would write. Refused where the ledger was not rolled back.
  Result<LedgerRestoration> PlanRestoration(std::int64_t now_unix) const;
  // Writes the row that counts the loss, and ends the runs that were open. After an error the ledger stays frozen.
  Result<LedgerRestoration> Restore(std::int64_t now_unix);

 private:
  explicit SiteState(StateLock lock) : lock_(std::move(lock)) {}
  Status OpenLedger(FailPoints& fail_points);
  Status OpenAccounts();
  void OpenAccount(const RegisteredDataset& dataset);
  void JudgeKeptHeads();
  void AddLost(const Contradiction& found);
  Status EndRunsOf(const LedgerRestoration& restoration);
  std::vector<RestoredDataset> RestoredDatasets() const;

  StateLock lock_;
  std::unique_ptr<Database> database_;
  std::optional<DatasetRegister> datasets_;
  std::optional<SiteRunBook> runs_;
  std::unique_ptr<SqliteLedgerStore> ledger_store_;
  std::optional<Ledger> ledger_;
  std::optional<SqlitePromiseStore> promises_;
  std::optional<HeadBook> peer_heads_;
  std::optional<HeadBook> own_heads_;  // those that contradicted the own ledger
  // Of each lost ledger the head with the most rows; several where equally many rows end differently, since those were
  // lost by different copies.
  std::vector<LedgerHead> lost_;
  std::map<std::string, LifetimeFilter> accounts_;
};

}  // namespace synod
