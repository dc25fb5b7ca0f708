// What a `restored` row of a ledger says: this copy had lost rows that a witness remembers, and from here on it counts
// what they may have charged.
//
// The rule. The rows that were lost are not known, nor which rows the lost copy and this one have in common, so both
// are counted whole:
//   - every run that was open here ends, and its whole remaining plan is charged;
//   - for each lost ledger, what the newest witnessed head of it says that the data set's account held is charged on
//     top. An account holds a whole plan before the plan's first answer, so it bounds what the lost rows charged, those
//     after the witnessed head included, unless they belong to a run whose approval no witness remembers;
//   - a data set that a head does not list may be any of those that it lists and this site does not know (a database
//     that was begun anew gives new ids): it is charged the most of them, also when it is registered later.
// Two lost copies of one and the same ledger that never met a witness in between cannot be told apart; they count once.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/privacy/ledger_head.h"

namespace synod {

// The end of a lost copy, as a witness remembers it.
struct LostHead {
  LedgerId ledger;
  std::uint64_t rows = 0;
  Digest digest{};
  bool operator==(const LostHead&) const = default;
};

// Beyond what rows of answers charge.
struct RestoredCharge {
  DatasetId dataset;
  double rdp = 0.0;  // at the order of the data set's budget
  std::uint64_t answers = 0;
  bool operator==(const RestoredCharge&) const = default;
};

struct LedgerRestoration {
  static constexpr std::size_t kMaxItems = 1024;  // of each list

  LedgerId replaced;  // what this ledger was called until now
  LedgerId ledger;    // what it is called from here on
  std::int64_t restored_unix = 0;
  std::vector<LostHead> lost;
  std::vector<RestoredCharge> charges;  // of every data set that is registered, ascending
  std::optional<HeldAccount> others;    // for data sets that are registered later; dataset: zeros
  std::vector<RunId> ended;             // runs that were open here
  bool operator==(const LedgerRestoration&) const = default;

  Json ToJson() const;
  static Result<LedgerRestoration> FromJson(const Json& json);
};

// A registered data set: its budget's order and divergence (lifetime_filter.h).
struct RestoredDataset {
  DatasetId dataset;
  double order = 0.0;
  double budget_rdp = 0.0;
};

// What `held` of an account at its order is for a data set with another one: itself where the order is not higher, and
// the whole budget where it is, since nothing smaller is proven.
RestoredCharge ChargeFor(const RestoredDataset& dataset, const HeldAccount& held);
// Fills `charges`, `others` and `lost` by the rule from the newest head of each lost ledger. `open`: the remaining
// plans of open runs, any number for a data set.
void ChargeLost(std::span<const LedgerHead> lost, std::span<const RestoredDataset> datasets,
                std::span<const RestoredCharge> open, LedgerRestoration& restoration);
// What `restoration` charges a data set, whenever it was registered.
RestoredCharge ChargeOf(const LedgerRestoration& restoration, const RestoredDataset& dataset);

}  // namespace synod
