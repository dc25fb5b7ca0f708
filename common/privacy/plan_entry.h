// One line of a plan: up to count + retries answers of one kind, all with the same sampling rate, clip, grid and noise.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/privacy/privacy_event.h"
#include "common/privacy/query_kind.h"

namespace synod {

// A named part of a unit's vector and the L2 norm that it may have at most.
struct PlanPart {
  std::string name;
  double weight = 0.0;
  bool operator==(const PlanPart&) const = default;
};

struct PlanEntry {
  static constexpr std::size_t kMaxParts = 4096;
  static constexpr std::uint32_t kMaxCount = 100'000'000;
  static constexpr std::uint64_t kMaxDimension = std::uint64_t{1} << 32;

  std::string name;
  QueryKind kind = QueryKind::kHistogram;
  std::uint32_t count = 1;           // answers that the run needs
  std::uint32_t retries = 0;         // further answers that it may use
  std::uint64_t dimension = 1;       // words of one answer
  double sampling_rate = 1.0;        // in (0, 1], exactly k / 2^64: what the sampler realises
  double clip = 1.0;                 // C: L2 norm of one unit's vector; ClipOfParts(parts)
  std::vector<PlanPart> parts;       // at least one
  double grid_scale = 1.0;           // gamma: grid units for 1.0; a power of two
  double sensitivity = 1.0;          // Delta: L2, grid units; at least SensitivityOnGrid(gamma, C, d)
  std::uint64_t site_variance = 64;  // V: variance of one site's share, grid units squared
  std::uint32_t word_bits = 32;      // 32 or 64

  std::uint64_t allowed() const { return std::uint64_t{count} + retries; }
  // The event of `answers` answers when `shares` noise shares count.
  PrivacyEvent Event(std::uint32_t shares, std::uint64_t answers) const;
  Json ToJson() const;
  // Strict; the result is also Check()ed. `where` names the entry in errors.
  static Result<PlanEntry> FromJson(const Json& json, const std::string& where);
  // Every rule of an entry that needs no knowledge of the plan around it.
  Status Check() const;
  bool operator==(const PlanEntry&) const = default;
};

// sqrt(sum of squared weights).
double ClipOfParts(const std::vector<PlanPart>& parts);

// floor(q 2^64) / 2^64: the rate that an exact 64-bit comparison realises; 1 for q = 1.
double RealisedRate(double sampling_rate);

}  // namespace synod
