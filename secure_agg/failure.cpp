#include "secure_agg/failure.h"

namespace synod::secure_agg {

std::string_view BlameReasonName(BlameReason reason) {
  switch (reason) {
    case BlameReason::kBadSignature:
      return "bad_signature";
    case BlameReason::kMalformed:
      return "malformed";
    case BlameReason::kConflict:
      return "conflict";
    case BlameReason::kWeakKey:
      return "weak_key";
    case BlameReason::kWrongLength:
      return "wrong_length";
    case BlameReason::kWrongTag:
      return "wrong_tag";
    case BlameReason::kBadShares:
      return "bad_shares";
    case BlameReason::kBadShare:
      return "bad_share";
    case BlameReason::kWrongReveal:
      return "wrong_reveal";
  }
  return "unknown";
}

std::string_view FailureReasonName(FailureReason reason) {
  switch (reason) {
    case FailureReason::kTooFewSites:
      return "too_few_sites";
    case FailureReason::kBelowQuorum:
      return "below_quorum";
    case FailureReason::kTooFewSignatures:
      return "too_few_signatures";
    case FailureReason::kTooFewShares:
      return "too_few_shares";
    case FailureReason::kSharesDoNotFit:
      return "shares_do_not_fit";
    case FailureReason::kBadList:
      return "bad_list";
    case FailureReason::kForgedMember:
      return "forged_member";
    case FailureReason::kNotIncluded:
      return "not_included";
    case FailureReason::kSurvivorsOutside:
      return "survivors_outside";
    case FailureReason::kSurvivorsTooFew:
      return "survivors_too_few";
    case FailureReason::kAlreadyPromised:
      return "already_promised";
    case FailureReason::kPromiseNotStored:
      return "promise_not_stored";
    case FailureReason::kBadSignatures:
      return "bad_signatures";
    case FailureReason::kOutOfTurn:
      return "out_of_turn";
    case FailureReason::kPeersRefused:
      return "peers_refused";
    case FailureReason::kInputRefused:
      return "input_refused";
    case FailureReason::kUnusableShares:
      return "unusable_shares";
    case FailureReason::kAbandoned:
      return "abandoned";
  }
  return "unknown";
}

std::string Describe(const Failure& failure, const AttemptSetup& setup) {
  std::string text(FailureReasonName(failure.reason));
  for (const Blame& blame : failure.blames) {
    text += "; ";
    text += blame.site < setup.sites() ? setup.id_of(blame.site) : "an unknown site";
    text += ": ";
    text += BlameReasonName(blame.reason);
  }
  return text;
}

}  // namespace synod::secure_agg
