// What a site makes sure of before it signs: that a draft's plan is the one that it approved, and that its certificate
// says what follows from that plan. Takes seconds. How often the site itself was asked is for the daemon to compare
// with its ledger.
#pragma once

#include "models/worker/worker_messages.h"

namespace synod {

// A draft that does not hold is a reply that says so, never an error: only the offer of the site itself can be one.
Result<CheckDraftReply> CheckDraft(const CheckDraftRequest& request);

}  // namespace synod
