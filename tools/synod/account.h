// The privacy calculator behind `synod account`: parameters in, one JSON object out. No command line, no output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/privacy_event.h"

namespace synod {

// Either an events file, or a sampling rate and steps with a noise multiplier or a target. What is given and not used
// is an error, and so is what is missing.
struct AccountOptions {
  std::optional<double> sampling_rate;
  std::optional<double> noise_multiplier;
  std::optional<std::uint64_t> steps;
  double delta = 0.0;
  Adjacency adjacency = Adjacency::kAddRemove;
  unsigned sites_per_subject = 1;
  std::string events_file;               // see account_events.h; empty for none
  std::optional<double> target_epsilon;  // then the noise multiplier is solved for
};

// The object holds, beside the parameters:
//   epsilon_upper, epsilon_rdp   proven bounds, rounded up to 1e-6; epsilon_lower rounded down to 1e-6
//   rdp_order                    the order that proves epsilon_rdp
//   method                       "closed form", "pld" or "rdp": what proves epsilon_upper
//   grid, errors                 of the privacy loss distribution, where there is one
//   gaussian_mu                  mu of the Gaussian mechanism with the same epsilon at this delta, rounded up to 1e-6
//   tpr_at_fpr_1e3               no test that accuses an absent unit with probability 0.001 finds a present one with a
//                                higher probability than this, rounded up to 1e-6
// With a target, noise_multiplier is the solution. Errors name the option, or the entry and key of the file. Where an
// entry has no privacy loss distribution, epsilon_lower is 0: nothing is known below.
Result<Json> Account(const AccountOptions& options);

}  // namespace synod
