// What a coordinator offers to sites, and how both sides come to the same plan: the run's specification and schema as
// texts, and the canonical plan that the coordinator resolved from them. A site resolves the texts itself and compares.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/core/bytes.h"
#include "common/privacy/plan.h"
#include "models/run_plan.h"

namespace synod {

struct RunOffer {
  static constexpr std::size_t kMaxTextBytes = 4u << 20;  // of each text

  std::string specification;  // TOML
  std::string schema;         // TOML
  std::string plan;           // Plan::CanonicalText

  std::string ToJsonText() const;
  static Result<RunOffer> FromJsonText(std::string_view text);
};

// The offer for a roster: reads the texts, resolves the plan. Takes seconds (calibration). Errors name the file, line
// and key of the text.
Result<RunOffer> MakeOffer(const std::string& specification, const std::string& schema,
                           const std::vector<RosterSite>& roster);

// What an offer says, read again: plan, schema, options, specification. The plan is the one in the offer and its hashes
// agree with specification and schema; whether its noise is right is for CompareOffer.
struct OpenedOffer {
  ResolvedRun resolved;
  RunSpecification specification;
};
Result<OpenedOffer> OpenOffer(const RunOffer& offer);

// Resolves the offer's texts for the roster in its plan and compares every byte of the plan. Takes seconds. Refused,
// naming the first field that differs.
Status CompareOffer(const RunOffer& offer);

}  // namespace synod
