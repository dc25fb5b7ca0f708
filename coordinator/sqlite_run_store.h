// The runs of a coordinator in its database (KIT/state/coordinator.db). Threads: one.
#pragma once

#include "common/store/database.h"
#include "coordinator/run_store.h"

namespace synod {

class SqliteRunStore final : public RunStore {
 public:
  // Makes its tables where they are missing.
  static Result<SqliteRunStore> Open(Database& database);

  Status Save(const RunRecord& record) override;
  Status SaveWithDraft(const RunRecord& record, const Bytes& draft) override;
  Result<Bytes> LoadDraft(const RunId& run) const override;
  // VerificationFailed naming the run where a row is damaged.
  Result<std::vector<RunRecord>> LoadAll() const override;

 private:
  explicit SqliteRunStore(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace synod
