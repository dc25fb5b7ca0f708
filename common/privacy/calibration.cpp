#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "common/privacy/epsilon.h"
#include "common/privacy/pld_accountant.h"
#include "common/privacy/rdp_accountant.h"

namespace synod {
namespace {

constexpr double kTolerance = 1e-3;  // of epsilon: a result within this below the target is good enough
constexpr int kMaxEvaluations = 60;

class Calibration {
 public:
  Calibration(const std::function<PrivacyEvents(double)>& events, double target, double delta, Adjacency adjacency,
              unsigned sites)
      : events_(events), target_(target), delta_(delta), adjacency_(adjacency), sites_(sites) {}

  // The same number as ComputeEpsilon's `upper`, without the lower bound.
  Result<double> Epsilon(double z) const {
    SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp, RdpEpsilon(events_(z), delta_, adjacency_, sites_));
    PldOptions options;
    options.with_lower = false;
    SYNOD_ASSIGN_OR_RETURN(const PldBounds pld, PldEpsilon(events_(z), delta_, adjacency_, sites_, options));
    return std::min(rdp.epsilon, pld.upper);
  }

  // A noise scale that RDP alone proves, by bisection; starts the search close to the answer at little cost.
  Result<double> RdpStart() const {
    double low = std::log(kMinNoiseMultiplier);
    double high = std::log(kMaxNoiseMultiplier);
    while (high - low > 0.02) {
      const double middle = 0.5 * (low + high);
      SYNOD_ASSIGN_OR_RETURN(const RdpBound rdp, RdpEpsilon(events_(std::exp(middle)), delta_, adjacency_, sites_));
      (rdp.epsilon <= target_ ? high : low) = middle;
    }
    return std::exp(high);
  }

 private:
  const std::function<PrivacyEvents(double)>& events_;
  double target_;
  double delta_;
  Adjacency adjacency_;
  unsigned sites_;
};

}  // namespace

Result<double> CalibrateNoise(const std::function<PrivacyEvents(double z)>& events, double target_epsilon, double delta,
                              Adjacency adjacency, unsigned sites_per_subject) {
  if (!(target_epsilon > 0.0 && std::isfinite(target_epsilon))) return BadInput("the target epsilon must be positive");
  if (!(delta > 0.0 && delta < 1.0)) return BadInput("delta must be in (0, 1)");
  const Calibration calibration(events, target_epsilon, delta, adjacency, sites_per_subject);
  SYNOD_ASSIGN_OR_RETURN(double z, calibration.RdpStart());

  // Secant steps on log z against log epsilon inside the bracket (low: above the target, high: at or below it), then
  // bisection should they stall. The ends of the range count as known only once they were evaluated.
  const double lowest = std::log(kMinNoiseMultiplier);
  const double highest = std::log(kMaxNoiseMultiplier);
  double low = lowest;
  double high = highest;
  bool have_low = false;
  bool have_high = false;
  double x = std::log(z);
  double slope = -1.2;
  double last_x = 0.0;
  double last_value = 0.0;
  const double aim = std::log1p(-0.5 * kTolerance);
  for (int i = 0; i < kMaxEvaluations; ++i) {
    SYNOD_ASSIGN_OR_RETURN(const double epsilon, calibration.Epsilon(std::exp(x)));
    const double value = std::log(std::max(epsilon, 1e-300) / target_epsilon);
    if (epsilon <= target_epsilon) {
      if (epsilon >= target_epsilon * (1.0 - kTolerance) || x <= lowest) return std::exp(x);
      high = x;
      have_high = true;
    } else {
      if (x >= highest) break;
      low = x;
      have_low = true;
    }
    if (i > 0 && x != last_x && epsilon > 0.0 && std::isfinite(last_value)) {
      const double fitted = (value - last_value) / (x - last_x);
      if (fitted < -0.05 && fitted > -50.0) slope = fitted;
    }
    last_x = x;
    last_value = epsilon > 0.0 ? value : std::numeric_limits<double>::infinity();
    if (high - low < 1e-9) break;
    x += (aim - value) / slope;
    if (x <= low) x = have_low ? 0.5 * (low + high) : lowest;
    if (x >= high) x = have_high ? 0.5 * (low + high) : highest;
    if (i > 12) x = 0.5 * (low + high);
  }
  if (have_high) return std::exp(high);
  return Failed("no noise multiplier in the supported range meets the target epsilon",
                "raise epsilon or delta, or plan fewer steps");
}

}  // namespace synod
