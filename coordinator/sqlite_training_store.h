// What the run that trains leaves behind, in the coordinator's database. Threads: one.
#pragma once

#include <memory>

#include "common/store/sqlite_ledger_store.h"
#include "coordinator/sqlite_round_store.h"
#include "coordinator/training_run.h"

namespace synod {

class SqliteTrainingStore final : public TrainingStore {
 public:
  // Database, ledger store and fail points must outlive it.
  static Result<std::unique_ptr<TrainingStore>> Open(Database& database, const SqliteLedgerStore& ledger,
                                                     const RunId& run, FailPoints& fail_points);

  RoundStore& rounds() override { return rounds_; }
  Result<RoundHistory> LoadHistory() const override;
  Result<std::optional<TrainingCheckpoint>> LoadCheckpoint() const override;
  Status SaveCheckpoint(const TrainingCheckpoint& checkpoint) override;
  Status Forget() override { return rounds_.ForgetSums(); }

 private:
  SqliteTrainingStore(SqliteRoundStore rounds, const SqliteLedgerStore& ledger)
      : rounds_(std::move(rounds)), ledger_(&ledger) {}
  SqliteRoundStore rounds_;
  const SqliteLedgerStore* ledger_;
};

}  // namespace synod
