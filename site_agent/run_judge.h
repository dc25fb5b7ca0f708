// Everything that decides whether a site takes part in a run, put together: its own resolution of the plan, the roster,
// the policy, the data set and its account. Pure: nothing is stored or reserved.
#pragma once

#include <string>
#include <vector>

#include "common/artefact/trusted_keys.h"
#include "common/consortium/manifest.h"
#include "common/core/result.h"
#include "site_agent/site_configuration.h"
#include "site_agent/site_policy.h"
#include "site_agent/site_state.h"

namespace synod {

struct RunVerdict {
  Judgement::Verdict verdict = Judgement::Verdict::kRefused;
  DenialReason reason = DenialReason::kNone;  // of a refusal: the first of the order below that applies
  std::string dataset;
  std::vector<std::string> findings;  // every rule that is not met, and advice; for the site's own eyes
};

class RunJudge {
 public:
  struct Site {
    const SiteConfiguration& configuration;
    const SitePolicy& policy;
    const SiteState& state;
    const Manifest& manifest;
    const Revocations& revocations;
    std::string own_name;
    Digest own_key_fingerprint{};  // of the signing key
  };
  explicit RunJudge(Site site) : site_(std::move(site)) {}

  // A run that the worker has reviewed. `minute_of_day`: local time. Unavailable while the ledger is one that was
  // rolled back; else reasons in this order: malformed, not on the roster, another plan, policy, budget.
  RunVerdict Judge(const SiteRunRecord& record, int minute_of_day) const;

 private:
  std::vector<std::string> RosterFailures(const Plan& plan, std::uint32_t& known_peers) const;
  std::vector<std::string> AccountFailures(const std::string& dataset, const Plan& plan, DenialReason& reason) const;

  Site site_;
};

// Minutes after midnight, local time of this machine.
int LocalMinuteOfDay(std::int64_t unix_seconds);

}  // namespace synod
