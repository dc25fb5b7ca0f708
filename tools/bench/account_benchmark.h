// How fast the accountants are.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/mechanism.h"

namespace synod {

struct EpsilonTiming {
  std::string name;
  double interval_ms = 0.0;  // ComputeEpsilon, median of the repeats after a first one
  double upper_ms = 0.0;     // the upper bound by privacy loss distributions alone
  double epsilon_upper = 0.0;
  double epsilon_lower = 0.0;
};

struct CalibrationTiming {
  std::string name;
  double milliseconds = 0.0;  // median
  double noise_multiplier = 0.0;
};

struct AccountTiming {
  std::vector<EpsilonTiming> epsilons;
  std::vector<CalibrationTiming> calibrations;
  double peak_memory_mb = 0.0;  // of the process so far
};

Result<AccountTiming> TimeAccount(int repeats);

}  // namespace synod
