#include "tools/bench/account_benchmark.h"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "common/privacy/epsilon.h"
#include "common/privacy/pld_accountant.h"

namespace synod {
namespace {

constexpr double kDelta = 1e-6;

// Median after one run that warms up.
double MedianMs(int repeats, const std::function<void()>& work) {
  std::vector<double> times;
  for (int i = 0; i <= repeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    times.push_back(1e3 * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(times.begin() + 1, times.end());
  return times[1 + (times.size() - 1) / 2];
}

Result<EpsilonTiming> TimeEpsilon(std::string name, const MechanismUses& uses, int repeats) {
  EpsilonTiming timing;
  timing.name = std::move(name);
  SYNOD_ASSIGN_OR_RETURN(const EpsilonBounds bounds, ComputeEpsilon(uses, kDelta, Adjacency::kAddRemove));
  timing.epsilon_upper = bounds.upper;
  timing.epsilon_lower = bounds.lower;
  timing.interval_ms = MedianMs(repeats, [&uses] { (void)ComputeEpsilon(uses, kDelta, Adjacency::kAddRemove).ok(); });
  PldOptions options;
  options.with_lower = false;
  timing.upper_ms = MedianMs(repeats, [&] { (void)PldEpsilon(uses, kDelta, Adjacency::kAddRemove, 1, options).ok(); });
  return timing;
}

Result<CalibrationTiming> TimeCalibration(std::string name, std::uint64_t steps, double rate, unsigned sites,
                                          int repeats) {
  const auto calibrate = [=] {
    return CalibrateNoise(
        [=](double z) {
          return PrivacyEvents{{1.0, 30.0, 1}, {rate, z, steps}};
        },
        1.0, kDelta, Adjacency::kAddRemove, sites);
  };
  CalibrationTiming timing;
  timing.name = std::move(name);
  SYNOD_ASSIGN_OR_RETURN(timing.noise_multiplier, calibrate());
  timing.milliseconds = MedianMs(repeats, [&calibrate] { (void)calibrate().ok(); });
  return timing;
}

}  // namespace

Result<AccountTiming> TimeAccount(int repeats) {
  AccountTiming timing;
  for (const std::uint64_t steps : {300ULL, 10'000ULL, 100'000ULL}) {
    SYNOD_ASSIGN_OR_RETURN(EpsilonTiming plain, TimeEpsilon(fmt::format("epsilon of {} sampled steps", steps),
                                                            {{GaussianMechanism{0.01, 1.5}, steps}}, repeats));
    SYNOD_ASSIGN_OR_RETURN(
        EpsilonTiming mixed,
        TimeEpsilon(fmt::format("epsilon of {} sampled steps and one full one", steps),
                    {{GaussianMechanism{1.0, 20.0}, 1}, {GaussianMechanism{0.01, 1.5}, steps}}, repeats));
    timing.epsilons.push_back(std::move(plain));
    timing.epsilons.push_back(std::move(mixed));
  }
  SYNOD_ASSIGN_OR_RETURN(CalibrationTiming one, TimeCalibration("calibration, 1e4 steps", 10'000, 0.01, 1, repeats));
  SYNOD_ASSIGN_OR_RETURN(CalibrationTiming three,
                         TimeCalibration("calibration, 2000 steps, a subject at 3 sites", 2000, 0.001, 3, repeats));
  timing.calibrations = {std::move(one), std::move(three)};
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) timing.peak_memory_mb = static_cast<double>(usage.ru_maxrss) / 1024.0;
  return timing;
}

}  // namespace synod
