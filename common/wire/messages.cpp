#include "common/wire/messages.h"

namespace synod {

std::string_view GoodbyeReasonName(GoodbyeReason reason) {
  switch (reason) {
    case GoodbyeReason::kShuttingDown:
      return "shutting_down";
    case GoodbyeReason::kOtherVersion:
      return "version";
    case GoodbyeReason::kClock:
      return "clock";
    case GoodbyeReason::kDuplicateIdentity:
      return "duplicate_identity";
    case GoodbyeReason::kRevoked:
      return "revoked";
    case GoodbyeReason::kNotAllowed:
      return "not_allowed";
    case GoodbyeReason::kProtocol:
      return "protocol";
    case GoodbyeReason::kTooSlow:
      return "too_slow";
    case GoodbyeReason::kTooManyLinks:
      return "too_many_links";
  }
  return "unknown";
}

std::string_view RunPhaseName(RunPhase phase) {
  switch (phase) {
    case RunPhase::kProposed:
      return "proposed";
    case RunPhase::kRunning:
      return "running";
    case RunPhase::kSigning:
      return "signing";
    case RunPhase::kPublished:
      return "published";
    case RunPhase::kFailed:
      return "failed";
    case RunPhase::kAborted:
      return "aborted";
  }
  return "unknown";
}

std::string_view DecisionName(Decision decision) {
  switch (decision) {
    case Decision::kApproved:
      return "approved";
    case Decision::kDenied:
      return "denied";
    case Decision::kWaiting:
      return "waiting";
  }
  return "unknown";
}

std::string_view DenialReasonName(DenialReason reason) {
  switch (reason) {
    case DenialReason::kNone:
      return "none";
    case DenialReason::kPolicy:
      return "policy";
    case DenialReason::kPlanMismatch:
      return "plan_mismatch";
    case DenialReason::kBudget:
      return "budget";
    case DenialReason::kNotOnRoster:
      return "not_on_roster";
    case DenialReason::kMalformed:
      return "malformed";
    case DenialReason::kPerson:
      return "person";
    case DenialReason::kUnavailable:
      return "unavailable";
  }
  return "unknown";
}

std::string_view OperatorVerbName(OperatorVerb verb) {
  switch (verb) {
    case OperatorVerb::kRunSubmit:
      return "run_submit";
    case OperatorVerb::kRunList:
      return "run_list";
    case OperatorVerb::kRunShow:
      return "run_show";
    case OperatorVerb::kRunWatch:
      return "run_watch";
    case OperatorVerb::kRunWhy:
      return "run_why";
    case OperatorVerb::kRunAbort:
      return "run_abort";
    case OperatorVerb::kRunFetch:
      return "run_fetch";
    case OperatorVerb::kSiteList:
      return "site_list";
  }
  return "unknown";
}

std::string_view MessageName(const Message& message) {
  // In the order of the variant.
  static constexpr std::array<std::string_view, std::variant_size_v<Message>> kNames = {
      "hello",
      "heartbeat",
      "goodbye",
      "trust_update",
      "run_proposal",
      "run_notice",
      "query_ask",
      "query_closed",
      "draft_to_sign",
      "run_decision",
      "answer",
      "answer_refused",
      "counter_signature",
      "draft_refused",
      "ledger_heads",
      "operator_request",
      "operator_reply",
      "aggregation_step",
      "aggregation_chunk",
  };
  return kNames[message.index()];
}

}  // namespace synod
