#include "coordinator/round_history.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/privacy/ledger_guard.h"

namespace synod {
namespace {

constexpr char kHint[] = "ledger and sums of the coordinator were changed or come from different backups";

Error Disagrees(std::uint64_t row, std::string_view what) {
  return VerificationFailed(fmt::format("ledger row {}: {}", row, what), kHint);
}

// Walks through charges and attempts side by side.
class HistoryCheck {
 public:
  HistoryCheck(const Plan& plan, const RunId& run)
      : plan_(plan), guard_(plan, run, kNoDataset), completed_(plan.entries().size(), 0) {}

  Status Charge(const LedgerRow& row) {
    const std::uint32_t query = row.charge.name.query;
    if (query != queries_ && query + 1 != queries_) return Disagrees(row.index, "a query before it is missing");
    if (query == queries_ && queries_ > 0 && !last_query_done_) {
      return Disagrees(row.index, fmt::format("query {} has no sum, and the run needs one", queries_ - 1));
    }
    if (query != queries_ && last_completed_) {
      return Disagrees(row.index, fmt::format("query {} was asked again after it had its sum", query));
    }
    SYNOD_RETURN_IF_ERROR(guard_.Recall(row));
    queries_ = query + 1;
    last_query_done_ = last_completed_ = false;
    return {};
  }

  Status Attempt(const LedgerRow& row, const AttemptRecord& attempt) {
    if (attempt.name != row.charge.name || attempt.entry != row.charge.entry) {
      return Disagrees(row.index, fmt::format("it charges query {} attempt {}, the record is of query {} attempt {}",
                                              row.charge.name.query, row.charge.name.attempt, attempt.name.query,
                                              attempt.name.attempt));
    }
    const auto& answered = attempt.answered;
    const auto not_ascending = [](std::uint32_t a, std::uint32_t b) { return a >= b; };
    if (std::adjacent_find(answered.begin(), answered.end(), not_ascending) != answered.end() ||
        (!answered.empty() && answered.back() >= plan_.sites())) {
      return Disagrees(row.index, "the record of its attempt names sites that are not on the roster");
    }
    if (attempt.completed && answered.size() < AnswersNeeded(plan_)) {
      return Disagrees(row.index, "the record of its attempt has a sum of too few answers");
    }
    last_completed_ = attempt.completed;
    if (attempt.completed) ++completed_[attempt.entry];
    // Beyond what the run needs, a query may end without a sum when the plan allows no further attempt.
    const bool spare = completed_[attempt.entry] >= plan_.entries()[attempt.entry].count;
    last_query_done_ = attempt.completed || (spare && guard_.left(attempt.entry) == 0);
    return {};
  }

  std::uint32_t queries_done() const { return queries_ == 0 || last_query_done_ ? queries_ : queries_ - 1; }

 private:
  const Plan& plan_;
  BudgetGuard guard_;
  std::vector<std::uint64_t> completed_;  // sums of each entry
  std::uint32_t queries_ = 0;             // that were charged
  bool last_query_done_ = false;
  bool last_completed_ = false;
};

}  // namespace

std::uint32_t AnswersNeeded(const Plan& plan) {
  return std::max(plan.facts().quorum, plan.honest_shares());
}

Result<RoundHistory> CheckHistory(const Plan& plan, const RunId& run, RoundHistory history) {
  std::vector<LedgerRow>& rows = history.ledger_rows;
  std::erase_if(rows,
                [&](const LedgerRow& row) { return row.charge.name.run != run || row.charge.dataset != kNoDataset; });
  const std::vector<AttemptRecord>& attempts = history.attempts;
  HistoryCheck check(plan, run);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    SYNOD_RETURN_IF_ERROR(check.Charge(rows[i]));
    if (i < attempts.size()) {
      SYNOD_RETURN_IF_ERROR(check.Attempt(rows[i], attempts[i]));
    } else if (i + 1 < rows.size()) {
      return Disagrees(rows[i].index, "its attempt has no record, and a later one was charged");
    }
  }
  if (attempts.size() > rows.size()) {
    const QueryName& name = attempts[rows.size()].name;
    return VerificationFailed(
        fmt::format("query {} attempt {} is recorded, and no row of the ledger charges it", name.query, name.attempt),
        kHint);
  }
  if (history.trained_queries > check.queries_done()) {
    return VerificationFailed(fmt::format("a checkpoint has absorbed {} queries, and only {} have their sums",
                                          history.trained_queries, check.queries_done()),
                              kHint);
  }
  return history;
}

}  // namespace synod
