#include "common/privacy/privacy_event.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace synod {

std::string_view AdjacencyName(Adjacency adjacency) {
  switch (adjacency) {
    case Adjacency::kAddRemove:
      return "add-remove";
    case Adjacency::kZeroOut:
      return "zero-out";
    case Adjacency::kReplaceOne:
      return "replace-one";
  }
  return "unknown";
}

Status CheckEvents(const PrivacyEvents& events) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const PrivacyEvent& event = events[i];
    if (!(event.sampling_rate >= 0.0 && event.sampling_rate <= 1.0)) {
      return BadInput(fmt::format("privacy event {}: sampling_rate must be in [0, 1]", i));
    }
    if (!(event.noise_multiplier >= kSmallestNoiseMultiplier && event.noise_multiplier <= kLargestNoiseMultiplier)) {
      return BadInput(fmt::format("privacy event {}: noise_multiplier must be in [{}, {}]", i, kSmallestNoiseMultiplier,
                                  kLargestNoiseMultiplier));
    }
    if (event.count > kMaxComposedEvents - total) {
      return BadInput(fmt::format("privacy event {}: more than {} uses in all", i, kMaxComposedEvents));
    }
    total += event.count;
  }
  return {};
}

PrivacyEvents MergeEvents(const PrivacyEvents& events) {
  PrivacyEvents merged;
  for (const PrivacyEvent& event : events) {
    if (event.count == 0 || event.sampling_rate == 0.0) continue;  // neither looks at any record
    const auto same = std::find_if(merged.begin(), merged.end(), [&event](const PrivacyEvent& other) {
      return other.sampling_rate == event.sampling_rate && other.noise_multiplier == event.noise_multiplier;
    });
    if (same == merged.end()) {
      merged.push_back(event);
    } else {
      same->count += event.count;
    }
  }
  return merged;
}

}  // namespace synod
