// An immutable description of what was run, separate from how it is accounted. Accountants are pure functions of
// events.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "common/core/result.h"

namespace synod {

// Which data sets count as neighbours. `noise_multiplier` is always noise standard deviation / sensitivity of adding or
// removing one unit; under kReplaceOne the accountant itself doubles the sensitivity.
enum class Adjacency : std::uint8_t { kAddRemove, kZeroOut, kReplaceOne };

std::string_view AdjacencyName(Adjacency adjacency);  // "add-remove", "zero-out", "replace-one"

// `count` adaptive uses of the Gaussian mechanism on a Poisson sample: every unit is drawn by an independent
// Bernoulli(sampling_rate), also when the batch comes out empty. sampling_rate = 1 is the plain Gaussian mechanism.
struct PrivacyEvent {
  double sampling_rate = 1.0;     // in [0, 1]
  double noise_multiplier = 0.0;  // > 0
  std::uint64_t count = 1;
  bool operator==(const PrivacyEvent&) const = default;
};

using PrivacyEvents = std::vector<PrivacyEvent>;

// What the accountants accept; anything else is an error, never a guess.
inline constexpr double kSmallestNoiseMultiplier = 1e-2;
inline constexpr double kLargestNoiseMultiplier = 1e9;
inline constexpr std::uint64_t kMaxComposedEvents = 1'000'000'000;

// Rates in [0, 1], noise multipliers in the range above (so neither NaN nor infinite), counts within the maximum.
Status CheckEvents(const PrivacyEvents& events);

// Equal events added up, those that look at nobody (rate 0 or count 0) left out. Needs events that CheckEvents accepts.
PrivacyEvents MergeEvents(const PrivacyEvents& events);

}  // namespace synod
