// Runs simulated schedules by their seeds and reports those that break a rule, so that they can be run again:
// SYNOD_SCHEDULE=SEED runs that one alone, wherever schedules are run.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/unit/secure_agg/simulated_run.h"

namespace synod::secure_agg::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint64_t kShareOfSchedules = 20;
#else
inline constexpr std::uint64_t kShareOfSchedules = 1;
#endif

// Seeds first .. first + count - 1, a share of them under a sanitizer.
inline void RunSchedules(std::uint64_t first, std::uint64_t count, std::uint32_t most_sites) {
  std::uint64_t end = first + std::max<std::uint64_t>(1, count / kShareOfSchedules);
  if (const char* chosen = std::getenv("SYNOD_SCHEDULE")) {
    first = std::stoull(chosen);
    end = first + 1;
  }
  std::uint64_t opened = 0;
  std::uint64_t failed = 0;
  std::uint64_t killed = 0;
  for (std::uint64_t seed = first; seed < end; ++seed) {
    const Outcome outcome = Simulate(Schedule::FromSeed(seed, most_sites));
    for (const std::string& broken : outcome.broken) {
      ADD_FAILURE() << broken << "\n  again: SYNOD_SCHEDULE=" << seed << " (up to " << most_sites << " sites)";
    }
    ASSERT_TRUE(outcome.broken.empty());
    opened += outcome.opened;
    failed += outcome.failed;
    killed += outcome.killed;
  }
  ::testing::Test::RecordProperty("opened", std::to_string(opened));
  std::printf("%llu schedules: %llu sums opened, %llu attempts failed, %llu processes killed\n",
              static_cast<unsigned long long>(end - first), static_cast<unsigned long long>(opened),
              static_cast<unsigned long long>(failed), static_cast<unsigned long long>(killed));
}

}  // namespace synod::secure_agg::testing
