#include "tests/unit/privacy/brute_force.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace synod::testing {
namespace {

constexpr double kStep = 2e-3;  // in noise deviations

double Density(double x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2.0 * M_PI);
}

double Mixture(double y, double shift, double q, unsigned sites) {
  double sum = 0.0;
  double choose = 1.0;
  for (unsigned j = 0; j <= sites; ++j) {
    sum += choose * std::pow(q, j) * std::pow(1.0 - q, sites - j) * Density(y - j * shift);
    choose = choose * (sites - j) / (j + 1);
  }
  return sum;
}

template <typename Function>
double Integrate(double low, double high, Function function) {
  double sum = 0.0;
  const auto steps = static_cast<long>((high - low) / kStep);
  for (long i = 0; i <= steps; ++i) sum += function(low + static_cast<double>(i) * kStep);
  return sum * kStep;
}

}  // namespace

double BruteForceDelta(const PrivacyEvent& event, double epsilon, bool remove, unsigned sites) {
  const double shift = 1.0 / event.noise_multiplier;
  return Integrate(-14.0, 14.0 + shift * sites, [&](double y) {
    const double with = Mixture(y, shift, event.sampling_rate, sites);
    const double without = Density(y);
    const double p = remove ? with : without;
    const double q = remove ? without : with;
    return std::max(p - std::exp(epsilon) * q, 0.0);
  });
}

double BruteForceDeltaOfTwo(const PrivacyEvent& first, const PrivacyEvent& second, double epsilon, bool remove) {
  // Given the first outcome, the second one has to exceed what is left of epsilon.
  const double shift = 1.0 / first.noise_multiplier;
  return Integrate(-14.0, 14.0 + shift, [&, i = 0](double y) mutable {
    if (i++ % 16 != 0) return 0.0;  // the outer integrand is smooth: a coarser rule is as exact
    const double with = Mixture(y, shift, first.sampling_rate, 1);
    const double p = remove ? with : Density(y);
    const double q = remove ? Density(y) : with;
    if (p < 1e-20) return 0.0;
    return 16.0 * p * BruteForceDelta(second, epsilon - std::log(p / q), remove);
  });
}

double BruteForceReplaceDelta(const PrivacyEvent& event, double epsilon) {
  const double shift = 1.0 / event.noise_multiplier;
  return Integrate(-14.0 - shift, 14.0 + shift, [&](double y) {
    return std::max(
        Mixture(y, shift, event.sampling_rate, 1) - std::exp(epsilon) * Mixture(-y, shift, event.sampling_rate, 1),
        0.0);
  });
}

double EnumeratedDelta(const Outcomes& outcomes, int steps, double epsilon) {
  Outcomes sequences = {{1.0, 1.0}};
  for (int step = 0; step + 1 < steps; ++step) {
    Outcomes longer;
    for (const Outcome& so_far : sequences) {
      for (const Outcome& next : outcomes) longer.push_back({so_far.with * next.with, so_far.without * next.without});
    }
    sequences = std::move(longer);
  }
  double delta = 0.0;
  for (const Outcome& so_far : sequences) {
    for (const Outcome& last : outcomes) {
      delta += std::max(so_far.with * last.with - std::exp(epsilon) * so_far.without * last.without, 0.0);
    }
  }
  return delta;
}

}  // namespace synod::testing
