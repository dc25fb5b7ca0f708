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
  for (const LedgerRow& row : rows) {
    if (!charged.emplace(row.charge.dataset, row.charge.name).second) {
      return VerificationFailed(fmt::format("ledger row {}: the same answer was charged before", row.index));
    }
  }
  chain_ = chain;
  charged_ = std::move(charged);
  must_reload_ = false;
  return {};
}

Result<SpendPermit> Ledger::Spend(const LedgerCharge& charge) {
  if (must_reload_) SYNOD_RETURN_IF_ERROR(Reload({}));
  if (charged_.contains({charge.dataset, charge.name})) {
    return Refused(fmt::format("query {} attempt {} was charged before: an answer is given once", charge.name.query,
                               charge.name.attempt));
  }
  const LedgerRow row = chain_.Next(charge);
  const Status appended = store_->AppendDurably(row);
  if (!appended.ok()) {
    must_reload_ = true;
    return appended.error().Within("the ledger could not be written, so nothing may be answered");
  }
  const Status extended = chain_.Extend(row);
  SYNOD_CHECK(extended.ok(), "a row made by the chain extends it");
  charged_.emplace(charge.dataset, charge.name);
  return SpendPermit(row);
}

}  // namespace synod
