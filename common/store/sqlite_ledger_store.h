// A ledger in a SQLite database (WAL, synchronous=FULL), and with each row the answer that it pays for, in the same
// transaction: spend before send, and never two answers under one name.
//
// Threads: one.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "common/core/fail_points.h"
#include "common/privacy/ledger_store.h"
#include "common/store/database.h"

namespace synod {

class SqliteLedgerStore final : public LedgerStore {
 public:
  // Makes its tables where they are missing, and with them the ledger's first id. `before` and `after` are reached
  // around the transaction of each row.
  static Result<SqliteLedgerStore> Open(Database& database, FailPoints& fail_points, FailPoint before, FailPoint after);

  // The answer that the next row with this name pays for; kept in memory until AppendDurably writes both.
  void Stage(const DatasetId& dataset, const QueryName& name, Bytes answer);

  Status AppendDurably(const LedgerRow& row) override;
  Result<std::vector<LedgerRow>> Load() const override;
  LedgerId FirstId() const override { return first_id_; }

  // The answer that was written with the row of this name, if it is still kept.
  Result<std::optional<Bytes>> StoredAnswer(const DatasetId& dataset, const QueryName& name) const;
  // Forgets answers of `run` up to and including `query` (the rows stay). All of the run: query = 2^32 - 1.
  Status ForgetAnswers(const DatasetId& dataset, const RunId& run, std::uint32_t query);
  // The same, written in the transaction of the next row: a commit waits for the disk, and an answer that is deleted
  // later takes room and does no harm. StoredAnswer knows it no more from now on, or until the program ends.
  void ForgetAnswersLater(const DatasetId& dataset, const RunId& run, std::uint32_t query);

 private:
  struct Staged {
    DatasetId dataset;
    QueryName name;
    Bytes answer;
  };
  Status ReadFirstId();
  using RunOfDataset = std::pair<DatasetId, RunId>;
  SqliteLedgerStore(Database& database, FailPoints& fail_points, FailPoint before, FailPoint after)
      : database_(&database), fail_points_(&fail_points), before_(before), after_(after) {}

  Database* database_;
  FailPoints* fail_points_;
  FailPoint before_;
  FailPoint after_;
  LedgerId first_id_;
  std::optional<Staged> staged_;
  std::map<RunOfDataset, std::uint32_t> forgotten_;  // answers up to this query, to be deleted with the next row
};

}  // namespace synod
