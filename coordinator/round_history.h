// What a restarted coordinator knows of a run, and whether its parts agree with each other and with the plan.
#pragma once

#include <cstdint>
#include <vector>

#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/ledger_row.h"
#include "common/privacy/plan.h"
#include "coordinator/round_store.h"

namespace synod {

// The ledger of a coordinator is about runs, not about a registered data set: its rows name this one.
inline constexpr DatasetId kNoDataset{};

struct RoundHistory {
  std::vector<LedgerRow> ledger_rows;   // of the coordinator's ledger; other runs are passed over
  std::vector<AttemptRecord> attempts;  // in order
  std::uint32_t trained_queries = 0;    // the trainer's checkpoint has absorbed the queries before this one
};

// Answers that a sum needs: the plan's quorum, and never fewer than the noise shares that its account counts on.
std::uint32_t AnswersNeeded(const Plan& plan);

// The history with the rows of `run` alone. VerificationFailed, naming the row, unless the rows follow the rules of a
// plan's guard, queries count up from 0 without gaps, every attempt is charged and every charge but the last one has
// its attempt, sums have the answers that they need, queries without a sum were ones that the run did not need, and the
// checkpoint is not ahead of the sums.
Result<RoundHistory> CheckHistory(const Plan& plan, const RunId& run, RoundHistory history);

}  // namespace synod
