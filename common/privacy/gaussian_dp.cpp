// The closed forms of epsilon.h for the plain Gaussian mechanism (Balle and Wang, ICML 2018, theorem 8).
#include <array>
#include <cmath>
#include <limits>

#include "common/core/check.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/gaussian_tail.h"

namespace synod {
namespace {

// M(t) - M(t + mu) of Mills' ratio M: by the difference, or for small mu by the integral of -M'(x) = 1 - x M(x).
double MillsDrop(double t, double mu) {
  if (mu > 0.25) return MillsRatio(t) - MillsRatio(t + mu);
  constexpr std::array<double, 5> kNodes = {-0.90617984593866399280, -0.53846931010568309104, 0.0,
                                            0.53846931010568309104, 0.90617984593866399280};
  constexpr std::array<double, 5> kWeights = {0.23692688505618908751, 0.47862867049936646804, 0.56888888888888888889,
                                              0.47862867049936646804, 0.23692688505618908751};
  double sum = 0.0;
  for (std::size_t i = 0; i < kNodes.size(); ++i) {
    const double x = t + 0.5 * mu * (1.0 + kNodes[i]);
    sum += kWeights[i] * (1.0 - x * MillsRatio(x));
  }
  return 0.5 * mu * sum;
}

// The end of [low, high] at which the decreasing `value` is still at or below `target`.
template <typename Function>
double UpperRoot(double low, double high, double target, Function value) {
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (low + high);
    if (middle <= low || middle >= high) break;
    (value(middle) > target ? low : high) = middle;
  }
  return high;
}

}  // namespace

double GaussianDelta(double mu, double epsilon) {
  SYNOD_CHECK(mu >= 0.0 && !std::isnan(epsilon), "GaussianDelta needs mu >= 0 and a number for epsilon");
  if (mu == 0.0) return epsilon >= 0.0 ? 0.0 : -std::expm1(epsilon);
  if (epsilon < 0.0) {  // the pair is symmetric: delta(-e) = 1 - e^-e + e^-e delta(e)
    return -std::expm1(epsilon) + std::exp(epsilon) * GaussianDelta(mu, -epsilon);
  }
  const double t = epsilon / mu - 0.5 * mu;
  // e^epsilon density(t + mu) = density(t), so both terms share one factor and nothing overflows.
  if (t > -5.0) return NormalDensity(t) * MillsDrop(t, mu);
  return NormalTail(t) - NormalDensity(t) * MillsRatio(t + mu);
}

double GaussianEpsilon(double mu, double delta) {
  SYNOD_CHECK(mu >= 0.0 && delta > 0.0 && delta < 1.0, "GaussianEpsilon needs mu >= 0 and 0 < delta < 1");
  if (GaussianDelta(mu, 0.0) <= delta) return 0.0;
  const double high = 0.5 * mu * mu + mu * std::sqrt(2.0 * std::log(1.0 / delta));  // there P(loss > epsilon) <= delta
  return UpperRoot(0.0, high, delta, [mu](double epsilon) { return GaussianDelta(mu, epsilon); });
}

double GaussianMu(double epsilon, double delta) {
  SYNOD_CHECK(epsilon >= 0.0 && delta > 0.0 && delta < 1.0, "GaussianMu needs epsilon >= 0 and 0 < delta < 1");
  double low = 1e-12;
  double high = 1.0;
  while (GaussianDelta(high, epsilon) <= delta && high < 1e9) high *= 2.0;
  for (int i = 0; i < 200; ++i) {
    const double middle = std::sqrt(low) * std::sqrt(high);
    if (middle <= low || middle >= high) break;
    (GaussianDelta(middle, epsilon) <= delta ? low : high) = middle;
  }
  return low;
}

}  // namespace synod
