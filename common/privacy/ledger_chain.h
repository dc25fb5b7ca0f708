// The hash chain of a ledger: an altered, dropped, inserted or reordered row breaks it, and the break is named.
//
// A chain cannot see that rows are missing at its end; for that compare its head with one that was signed or seen
// elsewhere (`expected_head`).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/ledger_row.h"

namespace synod {

class LedgerChain {
 public:
  LedgerChain();  // of no rows

  // The row that would come next; the chain itself does not change.
  LedgerRow Next(const LedgerCharge& charge) const;
  LedgerRow Next(const LedgerRestoration& restoration) const;

  // Takes `row` as the next one. Fails and changes nothing if it is not: wrong position, wrong link, wrong hash.
  Status Extend(const LedgerRow& row);

  const Digest& head() const { return digests_.back(); }  // hash of the last row; LedgerGenesis() without rows
  std::uint64_t rows() const { return digests_.size() - 1; }
  // What the head was when the chain had `rows` rows, of rows() at most.
  const Digest& DigestAt(std::uint64_t rows) const { return digests_[rows]; }

 private:
  LedgerRow Linked(LedgerRow row) const;

  std::vector<Digest> digests_;  // by number of rows; 32 bytes a row, beside what a ledger keeps of each anyway
};

// VerificationFailed naming the first row that does not fit, or the head if that is not the expected one.
Result<LedgerChain> VerifyChain(std::span<const LedgerRow> rows, const std::optional<Digest>& expected_head = {});

}  // namespace synod
