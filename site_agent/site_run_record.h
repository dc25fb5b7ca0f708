// What a site knows of a run that was proposed to it.
//
//   state      becomes
//   Reviewing  Waiting, Approved or Denied, once the worker has resolved the run and the policy has judged it
//   Waiting    Approved or Denied, by a person or when the hours of the policy begin
//   Approved   Signed, when the site signed the draft; Denied, when its administrator withdraws; Ended
//   Signed     Ended
//   Denied     Ended
//   Ended      -
//
// Queries are answered in Approved alone. The whole plan is held in the data set's account in Approved, and what was
// charged in every other state.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/strong_id.h"
#include "common/privacy/plan.h"
#include "common/store/database.h"
#include "common/wire/messages.h"
#include "models/run_offer.h"

namespace synod {

// The numbers are in the database; they never change.
enum class SiteRunState : std::uint8_t {
  kReviewing = 1,
  kWaiting = 2,
  kApproved = 3,
  kDenied = 4,
  kSigned = 5,
  kEnded = 6,
};
std::string_view SiteRunStateName(SiteRunState state);
bool MayFollow(SiteRunState from, SiteRunState to);

// What the worker found out about a plan: ReviewReply, kept.
struct SiteReview {
  bool plan_matches = false;
  std::string difference;
  std::string explanation;  // JSON text of ExplainPlan
  std::array<std::array<double, Plan::kMaxSitesPerSubject>, 3> epsilon{};
  std::uint64_t parameters = 0;
};

struct SiteRunRecord {
  RunId run;
  Digest plan_hash{};
  RunOffer offer;
  std::string coordinator;  // who proposed it, by certificate
  std::string submitter;    // as the coordinator says; empty: it did not say
  SiteRunState state = SiteRunState::kReviewing;
  DenialReason reason = DenialReason::kNone;
  std::string dataset;                // name; empty until one is found
  std::string decided_by;             // "policy", or "person"
  std::string note;                   // of the person; stays here
  std::vector<std::string> findings;  // why, for the site's own eyes
  std::optional<SiteReview> review;
  std::optional<RunPhase> end;  // of an ended run: published, failed or aborted
  std::int64_t proposed_unix = 0;
  std::int64_t decided_unix = 0;

  // The decision as the coordinator is told.
  Decision decision() const;
  // A row of the table; see SiteRunBook.
  SqlRow ToRow() const;
  static Result<SiteRunRecord> FromRow(const SqlRow& row);
};

// Lower-case hexadecimal digits.
std::string RunText(const RunId& run);

}  // namespace synod
