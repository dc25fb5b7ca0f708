// The attempts, noisy sums and the trainer's checkpoint of one run in a SQLite database: what a restarted coordinator
// goes on from. Other runs of the same database are untouched.
//
// Sums that a checkpoint has absorbed are deleted with its writing: at most those since the last checkpoint are kept.
// Threads: one.
#pragma once

#include <optional>

#include "common/core/fail_points.h"
#include "common/store/database.h"
#include "coordinator/round_store.h"

namespace synod {

class SqliteRoundStore final : public RoundStore {
 public:
  // What a trainer wrote when it had absorbed the queries before `trained_queries`.
  struct Checkpoint {
    std::uint32_t trained_queries = 0;
    Bytes content;
    bool operator==(const Checkpoint&) const = default;
  };

  // Makes its tables where they are missing. Database and fail points must outlive it.
  static Result<SqliteRoundStore> Open(Database& database, const RunId& run, FailPoints& fail_points);

  Status AppendAttempt(const AttemptRecord& attempt, const NoisySum* sum) override;
  // VerificationFailed where there is none: it was never stored, or a checkpoint has absorbed it.
  Result<Bytes> LoadWords(std::uint32_t query) const override;

  // All attempts of the run, in order.
  Result<std::vector<AttemptRecord>> LoadAttempts() const;

  // In one transaction: replaces the run's checkpoint and deletes the sums that it has absorbed.
  Status SaveCheckpoint(std::uint32_t trained_queries, const Bytes& content);
  Result<std::optional<Checkpoint>> LoadCheckpoint() const;

  // The run is over: deletes its sums and checkpoint. The attempts stay.
  Status ForgetSums();

 private:
  SqliteRoundStore(Database& database, const RunId& run, FailPoints& fail_points)
      : database_(&database), fail_points_(&fail_points), run_(run) {}
  SqlValue run_blob() const { return Bytes(run_.bytes.begin(), run_.bytes.end()); }

  Database* database_;
  FailPoints* fail_points_;
  RunId run_;
};

}  // namespace synod
