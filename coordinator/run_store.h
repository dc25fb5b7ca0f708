// Where a coordinator keeps its runs and the drafts of their files. A port: the daemon's is SQLite.
#pragma once

#include <vector>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "coordinator/run_record.h"

namespace synod {

class RunStore {
 public:
  virtual ~RunStore() = default;
  // Returns only when the record would survive a loss of power; replaces the record of the same run.
  virtual Status Save(const RunRecord& record) = 0;
  // The record and the bytes that its digest covers, both or neither.
  virtual Status SaveWithDraft(const RunRecord& record, const Bytes& draft) = 0;
  virtual Result<Bytes> LoadDraft(const RunId& run) const = 0;
  // In the order in which they were first saved.
  virtual Result<std::vector<RunRecord>> LoadAll() const = 0;
};

}  // namespace synod
