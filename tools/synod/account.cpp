#include "tools/synod/account.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "common/core/file.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/pld_accountant.h"
#include "common/privacy/rdp_accountant.h"
#include "tools/synod/account_events.h"

namespace synod {
namespace {

constexpr double kRounding = 1e-6;
constexpr double kFalsePositiveRate = 1e-3;

double RoundUp(double value) {
  const double rounded = std::ceil(value / kRounding) * kRounding;
  return rounded >= value ? rounded : rounded + kRounding;  // the product is rounded itself
}

double RoundDown(double value) {
  const double rounded = std::floor(value / kRounding) * kRounding;
  return rounded <= value ? rounded : rounded - kRounding;
}

Status MissingOption(const char* name, const char* hint) {
  return BadInput(fmt::format("{} is missing", name), hint);
}

Status CheckParameters(const AccountOptions& options) {
  if (!options.sampling_rate) return MissingOption("--sampling-rate", "1 is the whole data set; or give --events FILE");
  if (!(*options.sampling_rate >= 0.0 && *options.sampling_rate <= 1.0)) {
    return BadInput("--sampling-rate must be in [0, 1]");
  }
  if (!options.steps) return MissingOption("--steps", "");
  if (*options.steps < 1 || *options.steps > kMaxComposedEvents) {
    return BadInput(fmt::format("--steps must be in [1, {}]", kMaxComposedEvents));
  }
  if (options.target_epsilon) {
    if (options.noise_multiplier) return BadInput("--target-epsilon solves for --noise-multiplier: give one of them");
    if (!(*options.target_epsilon > 0.0 && std::isfinite(*options.target_epsilon))) {
      return BadInput("--target-epsilon must be a positive number");
    }
    return {};
  }
  if (!options.noise_multiplier) return MissingOption("--noise-multiplier", "or --target-epsilon, to solve for it");
  if (!(*options.noise_multiplier >= kSmallestNoiseMultiplier &&
        *options.noise_multiplier <= kLargestNoiseMultiplier)) {
    return BadInput(
        fmt::format("--noise-multiplier must be in [{}, {}]", kSmallestNoiseMultiplier, kLargestNoiseMultiplier));
  }
  return {};
}

Status CheckFlags(const AccountOptions& options) {
  if (!(options.delta > 0.0 && options.delta < 1.0)) return BadInput("--delta must be in (0, 1)");
  if (options.events_file.empty()) return CheckParameters(options);
  if (options.target_epsilon) return BadInput("--target-epsilon needs --sampling-rate and --steps, not --events");
  if (options.sampling_rate || options.noise_multiplier || options.steps) {
    return BadInput("--events goes without --sampling-rate, --noise-multiplier and --steps",
                    "write them as an entry of the file");
  }
  return {};
}

Result<MechanismUses> UsesOf(const AccountOptions& options) {
  if (!options.events_file.empty()) {
    SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(options.events_file, kMaxEventsFileBytes));
    Result<MechanismUses> uses = UsesFromJson(text, options.adjacency, options.sites_per_subject);
    if (!uses.ok()) return uses.error().Within(options.events_file);
    return uses;
  }
  const auto events_at = [&options](double noise) {
    return PrivacyEvents{{*options.sampling_rate, noise, *options.steps}};
  };
  if (!options.target_epsilon) return UsesOf(events_at(*options.noise_multiplier));
  SYNOD_ASSIGN_OR_RETURN(const double noise, CalibrateNoise(events_at, *options.target_epsilon, options.delta,
                                                            options.adjacency, options.sites_per_subject));
  return UsesOf(events_at(noise));
}

// A rougher epsilon at another delta.
Result<double> RoughEpsilon(const MechanismUses& uses, double delta, const AccountOptions& options) {
  if (!HasLossDistributions(uses)) {
    SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp, RdpEpsilon(uses, delta, options.adjacency, options.sites_per_subject));
    return rdp.epsilon;
  }
  PldOptions rough;
  rough.with_lower = false;
  rough.relative_accuracy = 1e-2;
  SYNOD_ASSIGN_OR_RETURN(const PldBounds bounds,
                         PldEpsilon(uses, delta, options.adjacency, options.sites_per_subject, rough));
  return bounds.upper;
}

// Every (epsilon, delta) that holds bounds a test: true positives <= e^epsilon false positives + delta. The smallest
// bound over a few deltas; both orders of the neighbours are covered by each.
Result<double> TruePositiveRate(const MechanismUses& uses, const AccountOptions& options, double epsilon) {
  double rate = std::min(1.0, std::exp(epsilon) * kFalsePositiveRate + options.delta);
  for (const double delta : {1e-4, 1e-3, 5e-3, 2e-2, 5e-2, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9}) {
    if (delta >= rate) break;
    SYNOD_ASSIGN_OR_RETURN(const double here, RoughEpsilon(uses, delta, options));
    rate = std::min(rate, std::exp(here) * kFalsePositiveRate + delta);
    // The other half of the same guarantee: misses >= e^-epsilon (1 - delta - false positives).
    rate = std::min(rate, 1.0 - std::exp(-here) * (1.0 - delta - kFalsePositiveRate));
  }
  return rate;
}

Json Describe(const PldBounds& pld) {
  return {{"grid",
           {{"cell_width", pld.width},
            {"points", pld.size},
            {"tilt", pld.theta},
            {"worst_direction", pld.remove_worst ? "remove" : "add"}}},
          {"errors",
           {{"tail", pld.errors.tail},
            {"tilted_outside", pld.errors.wrapped},
            {"tilted_roundoff_per_point", pld.errors.roundoff},
            {"relative", pld.errors.relative}}}};
}

// What proves the upper bound.
std::string MethodOf(const std::optional<PldBounds>& pld, const RdpBound& rdp) {
  if (!pld || pld->upper > rdp.epsilon) return "rdp";
  return pld->exact ? "closed form" : "pld";
}

}  // namespace

Result<Json> Account(const AccountOptions& options) {
  SYNOD_RETURN_IF_ERROR(CheckFlags(options));
  SYNOD_ASSIGN_OR_RETURN(const MechanismUses uses, UsesOf(options));
  SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp,
                         RdpEpsilon(uses, options.delta, options.adjacency, options.sites_per_subject));
  std::optional<PldBounds> pld;
  if (HasLossDistributions(uses)) {
    SYNOD_ASSIGN_OR_RETURN(pld, PldEpsilon(uses, options.delta, options.adjacency, options.sites_per_subject));
  }
  const double upper = pld ? std::min(pld->upper, rdp.epsilon) : rdp.epsilon;
  if (!std::isfinite(upper)) return Failed("no finite epsilon could be proven at this delta");
  SYNOD_ASSIGN_OR_RETURN(const double true_positives, TruePositiveRate(uses, options, upper));

  Json list = Json::array();
  for (const MechanismUse& use : uses) list.push_back(UseToJson(use));
  Json result = {{"epsilon_upper", RoundUp(upper)},
                 {"epsilon_lower", RoundDown(pld ? std::min(pld->lower, upper) : 0.0)},
                 {"rdp_order", rdp.order},
                 {"delta", options.delta},
                 {"adjacency", AdjacencyName(options.adjacency)},
                 {"sites_per_subject", options.sites_per_subject},
                 {"events", std::move(list)},
                 {"method", MethodOf(pld, rdp)},
                 {"gaussian_mu", RoundUp(upper > 0.0 ? GaussianMu(upper, options.delta) : 0.0)},
                 {"tpr_at_fpr_1e3", RoundUp(true_positives)}};
  result["epsilon_rdp"] = std::isfinite(rdp.epsilon) ? Json(RoundUp(rdp.epsilon)) : Json();  // null: RDP proves none
  if (pld && !pld->exact) result.update(Describe(*pld));
  if (options.target_epsilon) {
    result["target_epsilon"] = *options.target_epsilon;
    result["noise_multiplier"] = std::get<GaussianMechanism>(uses.front().mechanism).noise_multiplier;
  }
  return result;
}

}  // namespace synod
