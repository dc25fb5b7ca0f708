#include "common/privacy/mechanism.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <string>

namespace synod {
namespace {

constexpr double kMaxCoordinates = 0x1p40;
constexpr std::uint64_t kMaxShares = 512;
constexpr std::uint64_t kMaxGeometricSensitivity = 1'000'000;

bool InRange(double value, double low, double high) {
  return value >= low && value <= high;  // false for NaN
}

Status CheckNoise(double noise_multiplier) {
  if (InRange(noise_multiplier, kSmallestNoiseMultiplier, kLargestNoiseMultiplier)) return {};
  return BadInput(
      fmt::format("noise_multiplier must be in [{}, {}]", kSmallestNoiseMultiplier, kLargestNoiseMultiplier));
}

Status CheckGrid(double variance, const char* name, double sensitivity, std::uint64_t dimension) {
  if (!InRange(variance, 1e-2, 1e18)) return BadInput(fmt::format("{} must be in [0.01, 1e18]", name));
  if (!(sensitivity > 0.0 && sensitivity <= 1e12)) return BadInput("sensitivity must be in (0, 1e12]");
  if (dimension < 1 || static_cast<double>(dimension) > kMaxCoordinates) {
    return BadInput("dimension must be in [1, 2^40]");
  }
  if (dimension == 1 && sensitivity != std::floor(sensitivity)) {
    return BadInput("sensitivity must be a whole number where dimension is 1");
  }
  return {};
}

struct Checker {
  Adjacency adjacency;

  Status Only(Adjacency needed) const {
    if (adjacency == needed) return {};
    return BadInput(fmt::format("has a proven account under {} only", AdjacencyName(needed)));
  }
  Status operator()(const GaussianMechanism& gaussian) const {
    if (!InRange(gaussian.sampling_rate, 0.0, 1.0)) return BadInput("sampling_rate must be in [0, 1]");
    return CheckNoise(gaussian.noise_multiplier);
  }
  Status operator()(const TruncatedGaussianMechanism& truncated) const {
    SYNOD_RETURN_IF_ERROR(Only(Adjacency::kAddRemove));
    if (!(truncated.sampling_rate >= 0.0 && truncated.sampling_rate < 1.0)) {
      return BadInput("sampling_rate must be in [0, 1)");
    }
    if (truncated.units < 1 || truncated.units > 100'000'000) return BadInput("units must be in [1, 1e8]");
    if (truncated.max_batch < 1) return BadInput("max_batch must be at least 1");
    return CheckNoise(truncated.noise_multiplier);
  }
  Status operator()(const FixedBatchGaussianMechanism& fixed) const {
    SYNOD_RETURN_IF_ERROR(Only(Adjacency::kReplaceOne));
    if (fixed.units < 1) return BadInput("units must be at least 1");
    if (fixed.batch > fixed.units) return BadInput("batch must not exceed units");
    return CheckNoise(fixed.noise_multiplier);
  }
  Status operator()(const TreeGaussianMechanism& tree) const {
    SYNOD_RETURN_IF_ERROR(Only(Adjacency::kZeroOut));
    if (tree.steps > kMaxComposedEvents) return BadInput(fmt::format("steps must be at most {}", kMaxComposedEvents));
    return CheckNoise(tree.noise_multiplier);
  }
  Status operator()(const LaplaceMechanism& laplace) const {
    return InRange(laplace.scale, 1e-2, 1e9) ? Status() : BadInput("scale must be in [0.01, 1e9]");
  }
  Status operator()(const GeometricMechanism& geometric) const {
    if (!InRange(geometric.decay, 1e-9, 100.0)) return BadInput("decay must be in [1e-9, 100]");
    if (geometric.sensitivity < 1 || geometric.sensitivity > kMaxGeometricSensitivity) {
      return BadInput(fmt::format("sensitivity must be in [1, {}]", kMaxGeometricSensitivity));
    }
    return {};
  }
  Status operator()(const StatedGuarantee& stated) const {
    if (!InRange(stated.epsilon, 0.0, 200.0)) return BadInput("epsilon must be in [0, 200]");
    return stated.delta >= 0.0 && stated.delta < 1.0 ? Status() : BadInput("delta must be in [0, 1)");
  }
  Status operator()(const DiscreteGaussianSum& sum) const {
    if (sum.shares < 1 || sum.shares > kMaxShares)
      return BadInput(fmt::format("shares must be in [1, {}]", kMaxShares));
    return CheckGrid(sum.site_variance, "site_variance", sum.sensitivity, sum.dimension);
  }
  Status operator()(const SkellamSum& skellam) const {
    return CheckGrid(skellam.variance, "variance", skellam.sensitivity, skellam.dimension);
  }
};

bool LooksAtNobody(const MechanismUse& use) {
  if (use.count == 0) return true;
  if (const auto* gaussian = std::get_if<GaussianMechanism>(&use.mechanism)) return gaussian->sampling_rate == 0.0;
  if (const auto* cut = std::get_if<TruncatedGaussianMechanism>(&use.mechanism)) return cut->sampling_rate == 0.0;
  if (const auto* fixed = std::get_if<FixedBatchGaussianMechanism>(&use.mechanism)) return fixed->batch == 0;
  if (const auto* tree = std::get_if<TreeGaussianMechanism>(&use.mechanism)) return tree->steps == 0;
  return false;
}

// A unit is in ceil(log2(steps + 1)) nodes, on each with its whole norm: as many Gaussian sums.
MechanismUse Simplified(const MechanismUse& use) {
  if (const auto* tree = std::get_if<TreeGaussianMechanism>(&use.mechanism)) {
    const auto height = static_cast<std::uint64_t>(std::bit_width(tree->steps));  // ceil(log2(steps + 1))
    return {GaussianMechanism{1.0, tree->noise_multiplier}, use.count * height};
  }
  if (const auto* cut = std::get_if<TruncatedGaussianMechanism>(&use.mechanism); cut && cut->max_batch >= cut->units) {
    return {GaussianMechanism{cut->sampling_rate, cut->noise_multiplier}, use.count};  // never truncates
  }
  return use;
}

}  // namespace

std::string_view MechanismName(const Mechanism& mechanism) {
  static constexpr std::array<std::string_view, std::variant_size_v<Mechanism>> kNames = {"gaussian",
                                                                                          "truncated-gaussian",
                                                                                          "fixed-batch-gaussian",
                                                                                          "tree",
                                                                                          "laplace",
                                                                                          "geometric",
                                                                                          "stated",
                                                                                          "discrete-gaussian-sum",
                                                                                          "skellam"};
  return kNames[mechanism.index()];
}

Status CheckUses(const MechanismUses& uses, Adjacency adjacency, unsigned sites_per_subject) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < uses.size(); ++i) {
    const Mechanism& mechanism = uses[i].mechanism;
    const Status checked = std::visit(Checker{adjacency}, mechanism);
    if (!checked.ok()) return checked.error().Within(fmt::format("entry {} ({})", i, MechanismName(mechanism)));
    if (sites_per_subject != 1 && !std::holds_alternative<GaussianMechanism>(mechanism)) {
      return BadInput(fmt::format("entry {} ({}): a subject at several sites is accounted for gaussian entries only", i,
                                  MechanismName(mechanism)));
    }
    if (uses[i].count > kMaxComposedEvents - total) {
      return BadInput(fmt::format("entry {}: more than {} uses in all", i, kMaxComposedEvents));
    }
    total += uses[i].count;
  }
  return {};
}

MechanismUses MergeUses(const MechanismUses& uses) {
  MechanismUses merged;
  for (const MechanismUse& written : uses) {
    if (LooksAtNobody(written)) continue;
    const MechanismUse use = Simplified(written);
    const auto same = std::find_if(merged.begin(), merged.end(),
                                   [&use](const MechanismUse& other) { return other.mechanism == use.mechanism; });
    if (same == merged.end()) {
      merged.push_back(use);
    } else {
      same->count += use.count;
    }
  }
  return merged;
}

MechanismUses UsesOf(const PrivacyEvents& events) {
  MechanismUses uses;
  uses.reserve(events.size());
  for (const PrivacyEvent& event : events) {
    uses.push_back({GaussianMechanism{event.sampling_rate, event.noise_multiplier}, event.count});
  }
  return uses;
}

double RandomlyRoundedNorm(double clip_on_grid, std::uint64_t dimension, double beta) {
  const auto d = static_cast<double>(dimension);
  const double always = clip_on_grid + std::sqrt(d);
  const double likely = clip_on_grid * clip_on_grid + 0.25 * d +
                        std::sqrt(2.0 * std::log(1.0 / beta)) * (clip_on_grid + 0.5 * std::sqrt(d));
  return std::min(always, std::sqrt(likely));
}

}  // namespace synod
