// What a certificate claims, recomputed from its plan: everything that needs no key. Verify (verify.h) adds the
// signatures; a site does this before it signs a draft.
#pragma once

#include <string>
#include <vector>

#include "common/artefact/generator_file.h"
#include "common/privacy/plan_readings.h"

namespace synod {

struct CheckedClaims {
  std::vector<std::string> checked;         // one sentence for each thing that was checked and holds
  std::vector<ReadingEpsilons> recomputed;  // in the order of kTrustReadings
  double epsilon_stated = 0.0;              // headline: coordinator reading at m = max_sites_per_subject
  double epsilon_recomputed = 0.0;
};

// All of these: VerificationFailed naming the first claim that does not follow.
//
// Digests, facts and sentences, use of the plan. `content_digest` is that of the bytes that were read. Fast.
Result<CheckedClaims> VerifyFacts(const GeneratorContent& content, const Certificate& certificate,
                                  const Digest& content_digest);
// Every stated epsilon. Takes seconds: three readings for three numbers of sites are recomputed.
Result<CheckedClaims> VerifyEpsilons(const Plan& plan, const Certificate& certificate);
// Both, of a draft.
Result<CheckedClaims> VerifyClaims(const GeneratorDraft& draft);

}  // namespace synod
