// The privacy calculator behind `synod account`: parameters in, one JSON object out. No command line, no output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/privacy_event.h"

namespace synod {

struct AccountOptions {
  double sampling_rate = 0.0;     // not used with an events file
  double noise_multiplier = 0.0;  // not used with an events file or a target
  std::uint64_t steps = 0;        // not used with an events file
  double delta = 0.0;
  Adjacency adjacency = Adjacency::kAddRemove;
  unsigned sites_per_subject = 1;
  std::string events_file;  // JSON: [{"sampling_rate": q, "noise_multiplier": z, "count": n}, ...]; empty for none
  std::optional<double> target_epsilon;  // then the noise multiplier is solved for; not with an events file
};

// The object holds, beside the parameters:
//   epsilon_upper, epsilon_rdp   proven bounds, rounded up to 1e-6; epsilon_lower rounded down to 1e-6
//   rdp_order                    the order that proves epsilon_rdp
//   method                       "closed form", "pld" or "rdp": what proves epsilon_upper
//   grid, errors                 of the privacy loss distribution (method "pld")
//   gaussian_mu                  mu of the Gaussian mechanism with the same epsilon at this delta, rounded up to
//   1e-6 tpr_at_fpr_1e3               no test that accuses an absent unit with probability 0.001 finds a present one
//   with a
//                                higher probability than this, rounded up to 1e-6
// With a target, noise_multiplier is the solution. Errors name the option, or the entry and key of the file.
Result<Json> Account(const AccountOptions& options);

// The events of a file, strictly: unknown or missing keys, values out of range, and anything that is not a list of such
// objects are errors that name the entry (from 0) and the key.
Result<PrivacyEvents> EventsFromJson(std::string_view text);

}  // namespace synod
