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

namespace synod {
namespace {

constexpr std::size_t kMaxEventsFileBytes = std::size_t{4} << 20;
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

Result<double> NumberOf(const Json& entry, const char* key, std::size_t index) {
  const auto found = entry.find(key);
  if (found == entry.end()) return BadInput(fmt::format("entry {}: {} is missing", index, key));
  if (!found->is_number()) return BadInput(fmt::format("entry {}: {} must be a number", index, key));
  const auto value = found->get<double>();
  if (!std::isfinite(value)) return BadInput(fmt::format("entry {}: {} must be finite", index, key));
  return value;
}

Result<PrivacyEvent> EventOf(const Json& entry, std::size_t index) {
  if (!entry.is_object()) return BadInput(fmt::format("entry {} must be an object", index));
  for (const auto& [key, value] : entry.items()) {
    if (key != "sampling_rate" && key != "noise_multiplier" && key != "count") {
      return BadInput(fmt::format("entry {}: unknown key {}", index, Json(key).dump()),
                      "the keys are sampling_rate, noise_multiplier and count");
    }
  }
  PrivacyEvent event;
  SYNOD_ASSIGN_OR_RETURN(event.sampling_rate, NumberOf(entry, "sampling_rate", index));
  SYNOD_ASSIGN_OR_RETURN(event.noise_multiplier, NumberOf(entry, "noise_multiplier", index));
  SYNOD_ASSIGN_OR_RETURN(const double count, NumberOf(entry, "count", index));
  if (event.sampling_rate < 0.0 || event.sampling_rate > 1.0) {
    return BadInput(fmt::format("entry {}: sampling_rate must be in [0, 1]", index));
  }
  if (event.noise_multiplier < kSmallestNoiseMultiplier || event.noise_multiplier > kLargestNoiseMultiplier) {
    return BadInput(fmt::format("entry {}: noise_multiplier must be in [{}, {}]", index, kSmallestNoiseMultiplier,
                                kLargestNoiseMultiplier));
  }
  if (!entry.at("count").is_number_unsigned() || count > static_cast<double>(kMaxComposedEvents)) {
    return BadInput(fmt::format("entry {}: count must be a whole number in [0, {}]", index, kMaxComposedEvents));
  }
  event.count = entry.at("count").get<std::uint64_t>();
  return event;
}

// The options in terms of events; `noise` replaces the noise multiplier.
PrivacyEvents EventsAt(const AccountOptions& options, double noise) {
  return {{options.sampling_rate, noise, options.steps}};
}

Status CheckFlags(const AccountOptions& options) {
  if (!(options.delta > 0.0 && options.delta < 1.0)) return BadInput("--delta must be in (0, 1)");
  if (!options.events_file.empty()) {
    if (options.target_epsilon) return BadInput("--target-epsilon needs --sampling-rate and --steps, not --events");
    return {};
  }
  if (!(options.sampling_rate >= 0.0 && options.sampling_rate <= 1.0)) {
    return BadInput("--sampling-rate must be in [0, 1]");
  }
  if (options.steps < 1 || options.steps > kMaxComposedEvents) {
    return BadInput(fmt::format("--steps must be in [1, {}]", kMaxComposedEvents));
  }
  if (options.target_epsilon) {
    if (!(*options.target_epsilon > 0.0 && std::isfinite(*options.target_epsilon))) {
      return BadInput("--target-epsilon must be a positive number");
    }
  } else if (!(options.noise_multiplier >= kSmallestNoiseMultiplier &&
               options.noise_multiplier <= kLargestNoiseMultiplier)) {
    return BadInput(
        fmt::format("--noise-multiplier must be in [{}, {}]", kSmallestNoiseMultiplier, kLargestNoiseMultiplier));
  }
  return {};
}

Result<PrivacyEvents> EventsOf(const AccountOptions& options) {
  if (options.events_file.empty()) {
    if (!options.target_epsilon) return EventsAt(options, options.noise_multiplier);
    SYNOD_ASSIGN_OR_RETURN(const double noise, CalibrateNoise([&options](double z) { return EventsAt(options, z); },
                                                              *options.target_epsilon, options.delta, options.adjacency,
                                                              options.sites_per_subject));
    return EventsAt(options, noise);
  }
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(options.events_file, kMaxEventsFileBytes));
  Result<PrivacyEvents> events = EventsFromJson(text);
  if (!events.ok()) return events.error().Within(options.events_file);
  return events;
}

// Every (epsilon, delta) that holds bounds a test: true positives <= e^epsilon false positives + delta. The smallest
// bound over a few deltas; both orders of the neighbours are covered by each.
Result<double> TruePositiveRate(const PrivacyEvents& events, const AccountOptions& options, double epsilon) {
  double rate = std::min(1.0, std::exp(epsilon) * kFalsePositiveRate + options.delta);
  PldOptions rough;
  rough.with_lower = false;
  rough.relative_accuracy = 1e-2;
  for (const double delta : {1e-4, 1e-3, 5e-3, 2e-2, 5e-2, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9}) {
    if (delta >= rate) break;
    SYNOD_ASSIGN_OR_RETURN(const PldBounds bounds,
                           PldEpsilon(events, delta, options.adjacency, options.sites_per_subject, rough));
    rate = std::min(rate, std::exp(bounds.upper) * kFalsePositiveRate + delta);
    // The other half of the same guarantee: misses >= e^-epsilon (1 - delta - false positives).
    rate = std::min(rate, 1.0 - std::exp(-bounds.upper) * (1.0 - delta - kFalsePositiveRate));
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

}  // namespace

Result<PrivacyEvents> EventsFromJson(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json list, ParseJson(text, kMaxEventsFileBytes, 4));
  if (!list.is_array()) return BadInput("the file must hold a list of events");
  PrivacyEvents events;
  for (std::size_t i = 0; i < list.size(); ++i) {
    SYNOD_ASSIGN_OR_RETURN(const PrivacyEvent event, EventOf(list[i], i));
    events.push_back(event);
  }
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  return events;
}

Result<Json> Account(const AccountOptions& options) {
  SYNOD_RETURN_IF_ERROR(CheckFlags(options));
  SYNOD_ASSIGN_OR_RETURN(const PrivacyEvents events, EventsOf(options));
  SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp,
                         RdpEpsilon(events, options.delta, options.adjacency, options.sites_per_subject));
  SYNOD_ASSIGN_OR_RETURN(const PldBounds pld,
                         PldEpsilon(events, options.delta, options.adjacency, options.sites_per_subject));
  const double upper = std::min(pld.upper, rdp.epsilon);
  if (!std::isfinite(upper)) return Failed("no finite epsilon could be proven at this delta");
  SYNOD_ASSIGN_OR_RETURN(const double true_positives, TruePositiveRate(events, options, upper));

  Json list = Json::array();
  for (const PrivacyEvent& event : events) {
    list.push_back(
        {{"sampling_rate", event.sampling_rate}, {"noise_multiplier", event.noise_multiplier}, {"count", event.count}});
  }
  Json result = {{"epsilon_upper", RoundUp(upper)},
                 {"epsilon_lower", RoundDown(std::min(pld.lower, upper))},
                 {"epsilon_rdp", RoundUp(rdp.epsilon)},
                 {"rdp_order", rdp.order},
                 {"delta", options.delta},
                 {"adjacency", AdjacencyName(options.adjacency)},
                 {"sites_per_subject", options.sites_per_subject},
                 {"events", std::move(list)},
                 {"method", pld.exact                  ? "closed form"
                            : pld.upper <= rdp.epsilon ? "pld"
                                                       : "rdp"},
                 {"gaussian_mu", RoundUp(upper > 0.0 ? GaussianMu(upper, options.delta) : 0.0)},
                 {"tpr_at_fpr_1e3", RoundUp(true_positives)}};
  if (!pld.exact) result.update(Describe(pld));
  if (options.target_epsilon) {
    result["target_epsilon"] = *options.target_epsilon;
    result["noise_multiplier"] = events.front().noise_multiplier;
  }
  return result;
}

}  // namespace synod
