// Where a ledger is kept. A port: the daemons store it in SQLite, the simulation in memory.
#pragma once

#include <vector>

#include "common/core/result.h"
#include "common/privacy/ledger_row.h"

namespace synod {

class LedgerStore {
 public:
  virtual ~LedgerStore() = default;

  // Returns only when `row` would survive a loss of power, or with an error. After an error the row may or may not be
  // there; the ledger loads again before it goes on.
  virtual Status AppendDurably(const LedgerRow& row) = 0;

  // All rows in order.
  virtual Result<std::vector<LedgerRow>> Load() const = 0;

  // What the ledger was called when it was made. Zeros for one that nobody witnesses.
  virtual LedgerId FirstId() const { return {}; }
};

// Gone with the process: for the simulation, which charges no site's ledger.
class InMemoryLedgerStore final : public LedgerStore {
 public:
  Status AppendDurably(const LedgerRow& row) override {
    rows_.push_back(row);
    return {};
  }
  Result<std::vector<LedgerRow>> Load() const override { return rows_; }

 private:
  std::vector<LedgerRow> rows_;
};

}  // namespace synod
