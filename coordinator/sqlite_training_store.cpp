#include "coordinator/sqlite_training_store.h"

namespace synod {

Result<std::unique_ptr<TrainingStore>> SqliteTrainingStore::Open(Database& database, const SqliteLedgerStore& ledger,
                                                                 const RunId& run, FailPoints& fail_points) {
  SYNOD_ASSIGN_OR_RETURN(SqliteRoundStore rounds, SqliteRoundStore::Open(database, run, fail_points));
  return std::unique_ptr<TrainingStore>(new SqliteTrainingStore(std::move(rounds), ledger));
}

Result<RoundHistory> SqliteTrainingStore::LoadHistory() const {
  RoundHistory history;
  SYNOD_ASSIGN_OR_RETURN(history.ledger_rows, ledger_->Load());
  SYNOD_ASSIGN_OR_RETURN(history.attempts, rounds_.LoadAttempts());
  return history;
}

Result<std::optional<TrainingCheckpoint>> SqliteTrainingStore::LoadCheckpoint() const {
  SYNOD_ASSIGN_OR_RETURN(std::optional<SqliteRoundStore::Checkpoint> stored, rounds_.LoadCheckpoint());
  if (!stored) return std::optional<TrainingCheckpoint>();
  return std::optional<TrainingCheckpoint>({stored->trained_queries, std::move(stored->content)});
}

Status SqliteTrainingStore::SaveCheckpoint(const TrainingCheckpoint& checkpoint) {
  return rounds_.SaveCheckpoint(checkpoint.trained_queries, checkpoint.state);
}

}  // namespace synod
