#include "tests/honesty/audit.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "common/privacy/epsilon.h"

namespace synod::honesty {
namespace {

struct Moments {
  double mean = 0.0;
  double squares = 0.0;  // sum of squared deviations from the mean
};

// Welford's update, release by release.
Moments MomentsOf(const std::function<double(bool)>& release, bool with, std::size_t releases) {
  Moments moments;
  for (std::size_t i = 1; i <= releases; ++i) {
    const double value = release(with);
    const double before = value - moments.mean;
    moments.mean += before / static_cast<double>(i);
    moments.squares += before * (value - moments.mean);
  }
  return moments;
}

}  // namespace

double NormalQuantileAbove(double probability) {
  double low = -40.0;
  double high = 40.0;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    (0.5 * std::erfc(middle / std::numbers::sqrt2) > probability ? low : high) = middle;
  }
  return high;
}

AuditBound AuditGaussian(const std::function<double(bool with)>& release, std::size_t releases, double alpha,
                         double delta) {
  const Moments without = MomentsOf(release, false, releases);
  const Moments with = MomentsOf(release, true, releases);
  const double n = static_cast<double>(releases);
  const double freedom = 2.0 * n - 2.0;
  const double least = freedom - 2.0 * std::sqrt(freedom * std::log(2.0 / alpha));
  const double sigma_up = std::sqrt((without.squares + with.squares) / least);
  const double mu =
      std::fabs(with.mean - without.mean) / sigma_up - NormalQuantileAbove(alpha / 2.0) * std::sqrt(2.0 / n);
  AuditBound bound;
  bound.mu_lower = std::max(mu, 0.0);
  bound.epsilon_lower = bound.mu_lower > 0.0 ? GaussianEpsilon(bound.mu_lower, delta) : 0.0;
  return bound;
}

}  // namespace synod::honesty
