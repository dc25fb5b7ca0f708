// What a site's administrator may ask, as JSON requests: {"verb": NAME, ...}. The daemon answers them over its local
// control socket; those that only read, and those about data sets, can also be answered while it is stopped.
//
//   status                                          how the daemon is; needs it
//   requests  {"all": bool}                         runs
//   explain   {"run": PREFIX}                       a run and its plan
//   approve   {"run": PREFIX}                       needs the daemon
//   deny      {"run": PREFIX, "reason": TEXT}       needs the daemon
//   policy    policy_check                          the policy in use; the files as they are now, and undecided runs
//   ledger    ledger_rows {"first", "count"}  ledger_verify
//   ledger_restore {"accept": bool}                 counts what a ledger that was rolled back has lost
//   datasets  dataset_accept {"dataset": NAME}
#pragma once

#include <functional>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "site_agent/site_agent.h"

namespace synod {

inline constexpr std::uint64_t kMaxLedgerRowsAtOnce = 5000;

// Where a request is answered.
struct SiteDesk {
  std::string kit;
  SiteState& state;
  const SiteConfiguration& configuration;
  const SitePolicy& policy;
  const Clock& clock;
  SiteAgent* agent = nullptr;    // nothing: the daemon is stopped
  std::function<Json()> status;  // of the daemon
};

// Whether a request is about the daemon itself, or tells it to decide.
bool NeedsDaemon(const Json& request);

// Strict: an unknown verb or a key of the wrong type is BadInput.
Result<Json> AnswerSiteRequest(const SiteDesk& desk, const Json& request);

// The envelope of the control socket: {"ok": true, "data": ...} or {"ok": false, "error": {code, message, hint}}.
Json WrapReply(const Result<Json>& reply);
Result<Json> UnwrapReply(const Json& envelope);

}  // namespace synod
