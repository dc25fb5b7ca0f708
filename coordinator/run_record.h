// Everything that a coordinator knows of one run beside its rounds: what was asked for, what came of it, who said what.
// A plain value; RunBook changes it, RunStore keeps it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/artefact/signatures.h"
#include "common/core/canonical_json.h"
#include "common/core/error.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/plan.h"
#include "common/wire/messages.h"
#include "coordinator/run_state.h"

namespace synod {

// What a site said to the proposal.
struct SiteDecision {
  Decision decision = Decision::kWaiting;
  DenialReason reason = DenialReason::kNone;
  Signature signature{};  // of an approval; checked before it got here
  std::int64_t at_unix = 0;
  bool operator==(const SiteDecision&) const = default;
};

// What the operator sent.
struct RunSubmission {
  RunId run;
  std::string submitter;  // name of the operator
  std::string specification;
  std::string schema;
  std::vector<std::string> sites;  // empty: all sites of the consortium
  bool operator==(const RunSubmission&) const = default;
};

// Read from the specification when the run was submitted.
struct RunSummary {
  std::string name;
  std::string family;
  std::uint32_t sites = 1;
  double deadline_seconds = 600.0;
  bool operator==(const RunSummary&) const = default;
};

struct RunRecord {
  RunSubmission submission;
  std::int64_t submitted_unix = 0;
  RunSummary summary;
  RunState state = RunState::kSubmitted;
  std::int64_t state_since_unix = 0;

  // From Proposed on.
  std::shared_ptr<const Plan> plan;
  std::string plan_text;    // Plan::CanonicalText
  std::string explanation;  // JSON of ExplainPlan
  std::map<std::string, SiteDecision> decisions;

  // From Signing on.
  Digest file_digest{};
  std::vector<std::string> signers;  // sites that answered and so have to sign
  std::map<std::string, SiteSignature> signatures;
  bool complete = false;  // published with every signature

  std::optional<Error> failure;  // of Failed and Refused
  std::string aborted_by;

  const RunId& run() const { return submission.run; }
  bool OnRoster(const std::string& site) const;
  bool Approved(const std::string& site) const;
  std::vector<std::string> MissingSignatures() const;
};

// The part of a record that is not a long text, as it is stored.
Json RecordToJson(const RunRecord& record);
// Strict; `texts` holds specification, schema, plan_text and explanation already. Parses the plan.
Status FillFromJson(const Json& json, RunRecord& texts);

// 32 hexadecimal digits.
std::string RunIdText(const RunId& run);
Result<RunId> RunIdFromText(std::string_view text);

}  // namespace synod
