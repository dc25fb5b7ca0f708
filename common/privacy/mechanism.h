// Descriptions of mechanisms beyond the one that this project runs (privacy_event.h), for whoever accounts for a ledger
// that holds others too. Immutable data; what they cost is computed by the accountants (epsilon.h, pld_accountant.h,
// rdp_accountant.h). Plans and ledgers of this project hold PrivacyEvents only.
//
// Every sensitivity is that of adding or removing one unit (zeroing it out under kZeroOut); under kReplaceOne the
// accountant doubles it. Guarantees that a mechanism states by itself hold for the relation of the account.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/privacy_event.h"

namespace synod {

// The Gaussian mechanism on a Poisson sample; see PrivacyEvent.
struct GaussianMechanism {
  double sampling_rate = 1.0;
  double noise_multiplier = 0.0;
  bool operator==(const GaussianMechanism&) const = default;
};

// The same, where a batch larger than `max_batch` is replaced by a uniform subset of it (Chua et al. 2024; Ganesh et
// al. 2025). `units`: how many the data set holds with the unit in question. Add/remove only.
struct TruncatedGaussianMechanism {
  double sampling_rate = 1.0;  // below 1
  double noise_multiplier = 0.0;
  std::uint64_t units = 0;
  std::uint64_t max_batch = 0;
  bool operator==(const TruncatedGaussianMechanism&) const = default;
};

// The Gaussian mechanism on a uniform batch of fixed size without replacement (Wang, Balle and Kasiviswanathan 2019).
// Replace-one only; accounted by Renyi DP alone.
struct FixedBatchGaussianMechanism {
  std::uint64_t units = 0;
  std::uint64_t batch = 0;
  double noise_multiplier = 0.0;  // noise deviation / clipping norm; half of that enters, as for every replace-one
  bool operator==(const FixedBatchGaussianMechanism&) const = default;
};

// All prefix sums of `steps` vectors by one binary tree of Gaussian sums (Kairouz et al. 2021, "Practical and private
// (deep) learning without sampling or shuffling"); a unit is in one step of a tree. Zero-out only.
struct TreeGaussianMechanism {
  double noise_multiplier = 0.0;  // of each node
  std::uint64_t steps = 0;
  bool operator==(const TreeGaussianMechanism&) const = default;
};

struct LaplaceMechanism {
  double scale = 0.0;  // noise scale b / L1 sensitivity
  bool operator==(const LaplaceMechanism&) const = default;
};

// Noise on the integers with mass proportional to e^(-decay |x|).
struct GeometricMechanism {
  double decay = 0.0;
  std::uint64_t sensitivity = 1;
  bool operator==(const GeometricMechanism&) const = default;
};

// Anything with a proven (epsilon, delta); delta = 0 is pure epsilon. Accounted at its worst case, randomised response.
struct StatedGuarantee {
  double epsilon = 0.0;
  double delta = 0.0;
  bool operator==(const StatedGuarantee&) const = default;
};

// The sum of `shares` discrete Gaussians of variance parameter `site_variance` in each of `dimension` integer
// coordinates; L2 sensitivity on the integer grid. With dimension 1 (then the sensitivity must be an integer) accounted
// by the exact masses of the sum, else by Renyi DP (Kairouz, Liu and Steinke 2021, proposition 14).
struct DiscreteGaussianSum {
  std::uint64_t shares = 1;
  double site_variance = 0.0;
  double sensitivity = 0.0;
  std::uint64_t dimension = 1;
  bool operator==(const DiscreteGaussianSum&) const = default;
};

// Skellam noise of total variance `variance` in each coordinate (sums of Skellam noise are Skellam). As above; Renyi DP
// by Agarwal, Kairouz and Liu 2021, theorem 3.5.
struct SkellamSum {
  double variance = 0.0;
  double sensitivity = 0.0;
  std::uint64_t dimension = 1;
  bool operator==(const SkellamSum&) const = default;
};

using Mechanism =
    std::variant<GaussianMechanism, TruncatedGaussianMechanism, FixedBatchGaussianMechanism, TreeGaussianMechanism,
                 LaplaceMechanism, GeometricMechanism, StatedGuarantee, DiscreteGaussianSum, SkellamSum>;

struct MechanismUse {
  Mechanism mechanism;
  std::uint64_t count = 1;  // adaptive uses
  bool operator==(const MechanismUse&) const = default;
};

using MechanismUses = std::vector<MechanismUse>;

// The name of the kind in files: "gaussian", "laplace", ...
std::string_view MechanismName(const Mechanism& mechanism);

// Parameters in range, and a relation and number of sites for which the mechanism has a proven account. Nothing else is
// ever accounted: an unsupported combination is an error. Errors name the entry (from 0) and the parameter.
Status CheckUses(const MechanismUses& uses, Adjacency adjacency, unsigned sites_per_subject);

// Equal mechanisms added up, those that look at nobody left out, trees written as the Gaussian sums that they are.
MechanismUses MergeUses(const MechanismUses& uses);

MechanismUses UsesOf(const PrivacyEvents& events);

// The L2 norm, in grid units, that conditional randomised rounding keeps: a vector of norm `clip_on_grid` is rounded
// coordinate by coordinate at random, and again until it is within this bound (Kairouz, Liu and Steinke 2021,
// proposition 22). `beta` in (0, 1): the chance to need another try.
double RandomlyRoundedNorm(double clip_on_grid, std::uint64_t dimension, double beta);

}  // namespace synod
