// Which survivor set this site signed in each attempt, in site.db: kept whatever happens to the process, until the run
// has ended here and no message of it is answered any more. Threads: one.
#pragma once

#include "common/core/fail_points.h"
#include "common/store/database.h"
#include "secure_agg/promise_store.h"

namespace synod {

class SqlitePromiseStore final : public secure_agg::PromiseStore {
 public:
  // Makes its table where it is missing. The database must outlive it.
  static Result<SqlitePromiseStore> Open(Database& database, FailPoints& fail_points);

  Result<bool> Has(const QueryName& name) const override;
  Status Keep(const QueryName& name, const Digest& promise) override;

  // Runs of which promises are kept.
  Result<std::vector<RunId>> Runs() const;
  // Of a run that ended at this site (our own duty).
  Status Forget(const RunId& run);

 private:
  SqlitePromiseStore(Database& database, FailPoints& fail_points) : database_(&database), fail_points_(&fail_points) {}

  Database* database_;
  FailPoints* fail_points_;
};

}  // namespace synod
