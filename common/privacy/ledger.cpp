#include "common/privacy/ledger.h"

#include <fmt/format.h>

namespace synod {

Result<Ledger> Ledger::Open(LedgerStore& store, const std::optional<Digest>& witnessed_head) {
  Ledger ledger(store);
  SYNOD_RETURN_IF_ERROR(ledger.Reload(witnessed_head));
  return ledger;
}

Status Ledger::Reload(const std::optional<Digest>& expected_head) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, store_->Load());
  SYNOD_ASSIGN_OR_RETURN(LedgerChain chain, VerifyChain(rows, expected_head));
  if (rows.size() < chain_.rows() || (chain_.rows() > 0 && rows[chain_.rows() - 1].hash != chain_.head())) {
    return VerificationFailed("the ledger in the store does not continue the one that was read before");
  }
  std::set<ChargedName> charged;
  std::vector<Restored> restorations;
  for (const LedgerRow& row : rows) {
    if (row.restored) {
      restorations.push_back({row.index, *row.restored});
      continue;
    }
    if (!charged.emplace(row.charge.dataset, row.charge.name).second) {
      return VerificationFailed(fmt::format("ledger row {}: the same answer was charged before", row.index));
    }
  }
  chain_ = chain;
  charged_ = std::move(charged);
  restorations_ = std::move(restorations);
  must_reload_ = false;
  return {};
}

Status Ledger::AppendDurably(const LedgerRow& row) {
  const Status appended = store_->AppendDurably(row);
  if (!appended.ok()) {
    must_reload_ = true;
    return appended;
  }
  const Status extended = chain_.Extend(row);
  SYNOD_CHECK(extended.ok(), "a row made by the chain extends it");
  return {};
}

Result<SpendPermit> Ledger::Spend(const LedgerCharge& charge) {
  if (frozen_) return *frozen_;
  if (must_reload_) SYNOD_RETURN_IF_ERROR(Reload({}));
  if (charged_.contains({charge.dataset, charge.name})) {
    return Refused(fmt::format("query {} attempt {} was charged before: an answer is given once", charge.name.query,
                               charge.name.attempt));
  }
  const LedgerRow row = chain_.Next(charge);
  const Status appended = AppendDurably(row);
  if (!appended.ok()) {
    return appended.error().Within("the ledger could not be written, so nothing may be answered");
  }
  charged_.emplace(charge.dataset, charge.name);
  return SpendPermit(row);
}

Status Ledger::Restore(const LedgerRestoration& restoration) {
  if (must_reload_) SYNOD_RETURN_IF_ERROR(Reload({}));
  const LedgerRow row = chain_.Next(restoration);
  const Status appended = AppendDurably(row);
  if (!appended.ok()) return appended.error().Within("the ledger could not be written, so it stays as it was");
  restorations_.push_back({row.index, restoration});
  frozen_.reset();
  return {};
}

}  // namespace synod
