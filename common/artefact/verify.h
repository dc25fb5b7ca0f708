// Checks a generator file against keys, offline: everything that its certificate claims is recomputed from the plan
// inside the file, never taken from the stated numbers.
#pragma once

#include <string>
#include <vector>

#include "common/artefact/generator_file.h"
#include "common/artefact/trusted_keys.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/plan_readings.h"

namespace synod {

enum class VerifyOutcome : std::uint8_t {
  kVerified,    // every check passed: the guarantee of a federation, as far as the keys are trusted
  kIncomplete,  // every check passed, but sites that answered have not signed
  kSimulation,  // consistent, but a simulation: never the guarantee of a federation
};
std::string_view VerifyOutcomeName(VerifyOutcome outcome);  // "verified", "incomplete", "simulation"

struct VerifyReport {
  VerifyOutcome outcome = VerifyOutcome::kSimulation;
  std::vector<std::string> checked;         // one sentence for each thing that was checked and holds
  std::vector<std::string> missing_sites;   // answered and have not signed
  std::vector<ReadingEpsilons> recomputed;  // in the order of kTrustReadings
  double epsilon_stated = 0.0;              // headline: coordinator reading at m = max_sites_per_subject
  double epsilon_recomputed = 0.0;

  // Exit code of a tool: 0 only for kVerified, and for kIncomplete if that is allowed; else 8.
  int ExitCode(bool allow_incomplete = false) const;
  Json ToJson() const;
  std::string ToText() const;
};

// VerificationFailed naming the first check that does not hold. `keys` may be empty for a simulation. Takes some
// seconds: three readings for three numbers of sites are recomputed.
Result<VerifyReport> Verify(const GeneratorFile& file, const TrustedKeys& keys);

}  // namespace synod
