// One row of a ledger, chained to the row before it: one answer, charged before it is given; or a restoration, after
// the ledger had lost rows.
#pragma once

#include <cstdint>
#include <optional>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/ledger_restoration.h"
#include "common/privacy/privacy_event.h"

namespace synod {

// What is charged: the answer with this name, of this entry of this plan, on this data set.
struct LedgerCharge {
  DatasetId dataset;
  QueryName name;
  Digest plan_hash{};
  std::uint32_t entry = 0;  // index of the plan's entry
  PrivacyEvent event;       // of this one answer, under the coordinator reading
  bool operator==(const LedgerCharge&) const = default;
};

struct LedgerRow {
  std::uint64_t index = 0;                    // position in the ledger, from 0
  LedgerCharge charge;                        // of an answer; as it was made where `restored` is there
  std::optional<LedgerRestoration> restored;  // this row charges no answer but what was lost
  Digest previous{};                          // hash of the row before; LedgerGenesis() for the first
  Digest hash{};  // HashOfRow: SHA-256 of CanonicalJson("synod.ledger_row", 1, all other fields)
  bool operator==(const LedgerRow&) const = default;

  bool is_answer() const { return !restored.has_value(); }
  Json ToJson() const;
  // Strict in form. Whether the hashes are right is for VerifyChain.
  static Result<LedgerRow> FromJson(const Json& json);
};

// What the first row names as the one before it.
Digest LedgerGenesis();

// The hash that `row` must have, from its other fields.
Digest HashOfRow(const LedgerRow& row);

}  // namespace synod
