#include "common/privacy/truncated_batch.h"

#include <algorithm>
#include <cmath>

namespace synod {
namespace {

constexpr double kRoundedUp = 1.0 + 1e-9;

}  // namespace

double BinomialTail(std::uint64_t n, double p, std::uint64_t k) {
  if (k == 0) return 1.0;
  if (k > n || p <= 0.0) return 0.0;
  if (p >= 1.0) return 1.0;
  const auto total = static_cast<double>(n);
  const auto first = static_cast<double>(k);
  // In extended precision: three large numbers nearly cancel.
  const auto log_factorial = [](long double x) {
    int sign = 0;
    return ::lgammal_r(x + 1.0L, &sign);
  };
  const auto log_mass = [&](double j) {
    const long double rest = static_cast<long double>(total) - j;
    return static_cast<double>(log_factorial(total) - log_factorial(j) - log_factorial(rest) +
                               j * std::log(static_cast<long double>(p)) +
                               rest * std::log1p(-static_cast<long double>(p)));
  };
  // From k away from the mean, so that the terms fall; their ratios are exact.
  const double odds = p / (1.0 - p);
  if (first > p * (total + 1.0)) {
    double term = 1.0;
    double sum = 0.0;
    for (double j = first; j <= total && term > 1e-18 * sum; j += 1.0) {
      sum += term;
      term *= (total - j) / (j + 1.0) * odds;
    }
    return std::min(1.0, std::exp(log_mass(first)) * sum);
  }
  double term = 1.0;
  double sum = 0.0;
  for (double j = first - 1.0; j >= 0.0 && term > 1e-18 * sum; j -= 1.0) {
    sum += term;
    term *= j / (total - j + 1.0) / odds;
  }
  return std::clamp(1.0 - std::exp(log_mass(first - 1.0)) * sum, 0.0, 1.0);
}

TruncatedBatch TruncatedBatchOf(const TruncatedGaussianMechanism& truncated) {
  const double q = truncated.sampling_rate;
  TruncatedBatch batch;
  batch.noise_multiplier = 0.5 * truncated.noise_multiplier;
  batch.probability = BinomialTail(truncated.units - 1, q, truncated.max_batch);
  if (batch.probability == 0.0) return batch;
  const double drawn = BinomialTail(truncated.units, q, truncated.max_batch + 1) *
                       static_cast<double>(truncated.max_batch) / static_cast<double>(truncated.units);
  batch.sampling_rate = std::min(q, drawn / batch.probability) * kRoundedUp;
  return batch;
}

}  // namespace synod
