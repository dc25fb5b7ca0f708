#include "site_agent/site_round.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/check.h"

namespace synod {

SiteRound::SiteRound(Setup setup, Ledger& ledger, AnswerStore& answers, BudgetGuard guard)
    : setup_(std::move(setup)), ledger_(&ledger), answers_(&answers), guard_(std::move(guard)) {}

bool SiteRound::IsSecure() const {
  return setup_.plan->facts().aggregation == Aggregation::kSecure;
}

Result<SiteRound> SiteRound::Begin(Setup setup, Ledger& ledger, AnswerStore& answers, std::span<const LedgerRow> rows) {
  // A site may have been away for earlier attempts: each still has its own name and its own charge.
  SYNOD_ASSIGN_OR_RETURN(BudgetGuard guard, BudgetGuard::Restore(*setup.plan, setup.run, setup.dataset,
                                                                 BudgetGuard::Attempts::kIncreasing, rows));
  return SiteRound(std::move(setup), ledger, answers, std::move(guard));
}

SiteRound::Action SiteRound::RefuseWith(const QueryName& name, RefusalReason reason, Error error) {
  last_error_ = std::move(error);
  return Refuse{name, reason};
}

SiteRound::Action SiteRound::OnQuery(std::shared_ptr<const Query> query, const QueryName& name) {
  last_error_.reset();
  const auto& entries = setup_.plan->entries();
  if (query->entry >= entries.size() || entries[query->entry].kind != query->kind || name.query != query->index ||
      name.run != setup_.run) {
    return RefuseWith(name, RefusalReason::kOutsidePlan, Refused("a query is not one of the plan's entries"));
  }
  if (computing_ == name) return Nothing{};
  if (!IsSecure()) {
    Result<std::optional<Bytes>> stored = answers_->StoredAnswer(name);
    if (!stored.ok()) return RefuseWith(name, RefusalReason::kLedgerUnavailable, stored.error());
    if (*stored) return Send{name, std::make_shared<const Bytes>(std::move(**stored))};
  }
  if (const Status admitted = Admit(*query, name); !admitted.ok()) {
    const bool exhausted = admitted.error().code == ErrorCode::kBudgetExhausted;
    return RefuseWith(name, exhausted ? RefusalReason::kOutsidePlan : RefusalReason::kReplayed, admitted.error());
  }
  computing_ = name;
  computing_entry_ = query->entry;
  return Compute{std::move(query), name};
}

Status SiteRound::Admit(const Query& query, const QueryName& name) const {
  if (closed_ && name.query <= *closed_) {
    return Refused(fmt::format("query {} is closed: the coordinator has its sum", name.query));
  }
  if (dead_ && name <= *dead_) {
    return Refused(fmt::format("query {} attempt {} ended at this site: its keys are gone", name.query, name.attempt));
  }
  if (computing_ && name < *computing_) {
    return Refused(fmt::format("query {} attempt {} comes after query {} attempt {} was asked", name.query,
                               name.attempt, computing_->query, computing_->attempt));
  }
  return guard_.Admit(query.entry, name);
}

SiteRound::Action SiteRound::OnComputed(const QueryName& name, Bytes answer) {
  SYNOD_CHECK(!IsSecure(), "an answer of secure aggregation leaves under masks");
  if (computing_ != name) return Nothing{};
  computing_.reset();
  const PlanEntry& entry = setup_.plan->entries()[computing_entry_];
  const bool whole = setup_.plan->facts().aggregation == Aggregation::kNone;
  // A curator's share has no bytes: it stays with the driver, and its charge is made all the same.
  if (answer.size() != (whole ? entry.dimension * (entry.word_bits / 8) : 0)) {
    return RefuseWith(name, RefusalReason::kMalformed, Failed("an answer of another length than its entry's"));
  }
  auto kept = std::make_shared<const Bytes>(std::move(answer));
  answers_->Stage(name, *kept);
  const Result<SpendPermit> permit = guard_.Reserve(computing_entry_, name, *ledger_);
  if (!permit.ok()) return RefuseWith(name, RefusalReason::kLedgerUnavailable, permit.error());
  return Send{name, std::move(kept)};
}

SiteRound::Action SiteRound::OnMalformed(const QueryName& name) {
  if (computing_ != name) return Nothing{};
  Abandon();
  return RefuseWith(name, RefusalReason::kMalformed, BadInput("a query does not fit the model of the plan"));
}

Result<SpendPermit> SiteRound::Charge(const QueryName& name) {
  SYNOD_CHECK(IsSecure() && computing_ == name, "what is masked was asked for and is charged once");
  Abandon();
  Result<SpendPermit> permit = guard_.Reserve(computing_entry_, name, *ledger_);
  if (!permit.ok()) last_error_ = permit.error();
  return permit;
}

void SiteRound::Abandon() {
  if (computing_ && IsSecure()) dead_ = dead_ ? std::max(*dead_, *computing_) : *computing_;
  computing_.reset();
}

Status SiteRound::OnQueryClosed(std::uint32_t query) {
  if (computing_ && computing_->query <= query) Abandon();
  closed_ = closed_ ? std::max(*closed_, query) : query;
  return answers_->Forget(query);
}

}  // namespace synod
