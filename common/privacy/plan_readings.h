// The epsilon of a plan under the three answers to "who looks?". Each is a composition of everything the plan can run.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "common/privacy/epsilon.h"
#include "common/privacy/plan.h"

namespace synod {

enum class TrustReading : std::uint8_t {
  kCoordinator,  // the coordinator together with up to c colluding sites: h noise shares count
  kPublic,       // whoever sees what is published, if all sites are honest: quorum shares count
  kOwnShare,     // everybody else together against one site: its own share alone counts
};
inline constexpr std::array kTrustReadings = {TrustReading::kCoordinator, TrustReading::kPublic,
                                              TrustReading::kOwnShare};

std::string_view TrustReadingName(TrustReading reading);  // "coordinator", "public", "own_share"

// The noise shares that count; with a curator all N for everyone but the own-share reading.
std::uint32_t SharesOf(const Plan& plan, TrustReading reading);

struct ReadingEpsilons {
  TrustReading reading = TrustReading::kCoordinator;
  std::uint32_t shares = 1;
  // [m - 1]: a subject present at m sites, m = 1 .. Plan::kMaxSitesPerSubject.
  std::array<EpsilonBounds, Plan::kMaxSitesPerSubject> by_sites{};
};

// In the order of kTrustReadings. Takes some seconds for a plan with many entries.
Result<std::vector<ReadingEpsilons>> ComputeReadings(const Plan& plan);

// What the plan promises: the coordinator reading at m = max_sites_per_subject.
Result<EpsilonBounds> PlanEpsilon(const Plan& plan);

}  // namespace synod
