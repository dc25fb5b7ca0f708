// How an attempt goes wrong, as data: who is at fault, where that is known, and why the attempt ended, where it did.
// None of the reasons depends on a record. The numbers are for logs and stores and never change.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "secure_agg/attempt_setup.h"

namespace synod::secure_agg {

enum class BlameReason : std::uint8_t {
  kBadSignature = 1,  // a message of this attempt whose signature is not by the site's key
  kMalformed = 2,     // a message that breaks a rule of its form: missing or repeated recipients, wrong sizes
  kConflict = 3,      // two different messages where one is allowed
  kWeakKey = 4,       // a key of small order, or a key that another site has too
  kWrongLength = 5,   // a masked vector that is longer or shorter than the query's
  kWrongTag = 6,      // a masked vector that is not the one that was signed
  kBadShares = 7,     // dealt shares that more sites reject than may collude, or that do not fit together
  kBadShare = 8,      // reveals another share than the one that was dealt and accepted
  kWrongReveal = 9,   // reveals a secret that the survivor set does not call for
};
std::string_view BlameReasonName(BlameReason reason);

struct Blame {
  SiteIndex site = 0;
  BlameReason reason = BlameReason::kMalformed;
  bool operator==(const Blame&) const = default;
};

enum class FailureReason : std::uint8_t {
  // of both ends
  kTooFewSites = 1,  // fewer than t in a phase: somebody left, or never came
  // of the coordinator
  kBelowQuorum = 2,       // fewer complete answers than the quorum
  kTooFewSignatures = 3,  // fewer than t sites signed the survivor set
  kTooFewShares = 4,      // a secret cannot be rebuilt from the shares that came
  kSharesDoNotFit = 5,    // shares as dealt do not give the secret that was committed to: see blames
  // of a site, which refuses to go on
  kBadList = 16,           // a list of the coordinator breaks a rule of its form
  kForgedMember = 17,      // a list names somebody, or a key, that the roster's signature does not cover
  kNotIncluded = 18,       // a list leaves this site out, or has other bytes for it than it sent
  kSurvivorsOutside = 19,  // survivors who never shared keys
  kSurvivorsTooFew = 20,   // a survivor set below the quorum
  kAlreadyPromised = 21,   // this site signed a survivor set of this attempt before
  kPromiseNotStored = 22,  // the promise could not be made durable
  kBadSignatures = 23,     // not t valid signatures on the survivor set that this site signed
  kOutOfTurn = 24,         // a list that may not come yet
  kPeersRefused = 25,      // the caller does not accept what the peers stated
  kInputRefused = 26,      // the caller gives no input
  kUnusableShares = 27,    // so many shares from others are bad that the attempt cannot complete
  kAbandoned = 28,         // the caller gave the attempt up
};
std::string_view FailureReasonName(FailureReason reason);

struct Failure {
  FailureReason reason = FailureReason::kTooFewSites;
  std::vector<Blame> blames;  // who is at fault, where that is certain; by site
  bool operator==(const Failure&) const = default;
};

// For a log: the reason, then sites by their ids.
std::string Describe(const Failure& failure, const AttemptSetup& setup);

}  // namespace synod::secure_agg
