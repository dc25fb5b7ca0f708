#include "common/privacy/ledger_guard.h"

#include <fmt/format.h>

namespace synod {

BudgetGuard::BudgetGuard(Plan plan, RunId run, DatasetId dataset, Attempts attempts)
    : plan_(std::move(plan)),
      plan_hash_(plan_.Hash()),
      run_(run),
      dataset_(dataset),
      attempts_(attempts),
      used_(plan_.entries().size(), 0) {}

Result<BudgetGuard> BudgetGuard::Restore(Plan plan, RunId run, DatasetId dataset, Attempts attempts,
                                         std::span<const LedgerRow> rows) {
  BudgetGuard guard(std::move(plan), run, dataset, attempts);
  for (const LedgerRow& row : rows) {
    if (row.charge.name.run != run || row.charge.dataset != dataset) continue;
    SYNOD_RETURN_IF_ERROR(guard.Recall(row));
  }
  return guard;
}

Status BudgetGuard::Recall(const LedgerRow& row) {
  const LedgerCharge& charge = row.charge;
  if (charge.plan_hash != plan_hash_) {
    return VerificationFailed(fmt::format("ledger row {}: this run was charged under another plan", row.index));
  }
  const Status checked = Admit(charge.entry, charge.name);
  if (!checked.ok()) return checked.error().Within(fmt::format("ledger row {}", row.index));
  if (charge.event != plan_.entries()[charge.entry].Event(plan_.honest_shares(), 1)) {
    return VerificationFailed(fmt::format("ledger row {}: another event was charged than the plan's", row.index));
  }
  Use(charge.entry, charge.name);
  return {};
}

Status BudgetGuard::CheckAttempt(std::uint32_t entry, const QueryName& name) const {
  if (!last_ || name.query > last_->query) {
    if (attempts_ == Attempts::kConsecutive && name.attempt != 0) {
      return Refused(fmt::format("query {} begins with attempt {}", name.query, name.attempt));
    }
    return {};
  }
  if (name.query < last_->query || last_->closed) {
    return Refused(fmt::format("query {} is closed; the last one was {}", name.query, last_->query));
  }
  if (name.attempt <= last_->attempt) {
    return Refused(fmt::format("query {} attempt {} was answered before", name.query, name.attempt));
  }
  if (attempts_ == Attempts::kConsecutive && name.attempt != last_->attempt + 1) {
    return Refused(fmt::format("query {} attempt {} follows attempt {}", name.query, name.attempt, last_->attempt));
  }
  if (entry != last_->entry) return Refused(fmt::format("query {} changed its entry of the plan", name.query));
  return {};
}

Status BudgetGuard::Admit(std::uint32_t entry, const QueryName& name) const {
  if (name.run != run_) return Refused("the query belongs to another run");
  if (entry >= used_.size()) {
    return Refused(fmt::format("the plan has {} entries; entry {} is not one of them", used_.size(), entry));
  }
  SYNOD_RETURN_IF_ERROR(CheckAttempt(entry, name));
  if (left(entry) == 0) {
    return BudgetExhausted(fmt::format("entry \"{}\" of the plan allows {} answers, and all were given",
                                       plan_.entries()[entry].name, plan_.entries()[entry].allowed()));
  }
  return {};
}

void BudgetGuard::Use(std::uint32_t entry, const QueryName& name) {
  ++used_[entry];
  last_ = Last{name.query, name.attempt, entry, false};
}

Result<SpendPermit> BudgetGuard::Reserve(std::uint32_t entry, const QueryName& name, Ledger& ledger) {
  SYNOD_RETURN_IF_ERROR(Admit(entry, name));
  Use(entry, name);
  const PrivacyEvent event = plan_.entries()[entry].Event(plan_.honest_shares(), 1);
  return ledger.Spend({dataset_, name, plan_hash_, entry, event});
}

void BudgetGuard::CloseQuery(std::uint32_t query) {
  if (last_ && last_->query == query) last_->closed = true;
}

}  // namespace synod
