// The hash chain of a ledger: an altered, dropped, inserted or reordered row breaks it, and the break is named.
//
// A chain cannot see that rows are missing at its end; for that compare its head with one that was signed or seen
// elsewhere (`expected_head`).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "common/core/result.h"
#include "common/privacy/ledger_row.h"

namespace synod {

class LedgerChain {
 public:
  LedgerChain();  // of no rows

  // The row that would come next; the chain itself does not change.
  LedgerRow Next(const LedgerCharge& charge) const;

  // Takes `row` as the next one. Fails and changes nothing if it is not: wrong position, wrong link, wrong hash.
  Status Extend(const LedgerRow& row);

  const Digest& head() const { return head_; }  // hash of the last row; LedgerGenesis() without rows
  std::uint64_t rows() const { return rows_; }

 private:
  Digest head_;
  std::uint64_t rows_ = 0;
};

// VerificationFailed naming the first row that does not fit, or the head if that is not the expected one.
Result<LedgerChain> VerifyChain(std::span<const LedgerRow> rows, const std::optional<Digest>& expected_head = {});

}  // namespace synod
