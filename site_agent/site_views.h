// What a site shows its administrator, as JSON: the same for the commands' text, for --format json, and whether the
// daemon answers or a command reads the state itself. For local eyes: counts of answers and findings may be in it,
// values of records never.
#pragma once

#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "site_agent/run_judge.h"
#include "site_agent/site_policy.h"
#include "site_agent/site_state.h"

namespace synod {

// {"id", "state", "decision", "reason", "dataset", "findings", "epsilon", ...}; no offer.
Json RunView(const SiteRunRecord& record);
// Newest first; `all`: also those that ended or were denied.
Json RunsView(const SiteState& state, bool all);
// RunView and the plan's explanation ("plan"), and what was charged so far ("charged", by entry name).
Result<Json> ExplainView(const SiteState& state, const SiteRunRecord& record);
// Each data set with its account.
Json DatasetsView(const SiteState& state);
Json PolicyView(const SitePolicy& policy);
// What `judge` says of each undecided run.
Json JudgementsView(const SiteState& state, const RunJudge& judge, int minute_of_day);
// Rows, answers by run, and the chain's head.
Result<Json> LedgerView(const SiteState& state);
// What a restoration counted.
Json RestorationView(const SiteState& state, const LedgerRestoration& restoration);
// Rows `first` and following, at most `count`, as they are hashed.
Result<Json> LedgerRowsView(const SiteState& state, std::uint64_t first, std::uint64_t count);
// The chain from the first row on, and every row against the plan of its run. VerificationFailed names what is wrong.
Result<Json> VerifyLedger(const SiteState& state);

}  // namespace synod
