#include "common/privacy/integer_noise.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr double kUnitRoundoff = 0x1p-53;
constexpr double kSmallestLogMass = -600.0;

Error TooWide() {
  return BadInput("the noise is too wide, or the sensitivity too large, for an account by single masses",
                  "describe noise of a large deviation as a gaussian entry of slightly less noise");
}

// log of sum over all integers of e^log_weight, given for 0, 1, 2, ...; what is beyond them is below one roundoff.
double LogTotal(const std::vector<double>& log_weight) {
  double sum = 0.0;
  for (std::size_t x = log_weight.size(); x-- > 1;) sum += 2.0 * std::exp(log_weight[x] - log_weight[0]);
  return log_weight[0] + std::log1p(sum);
}

// Sums of n positive terms, logarithms and exponentials of numbers up to `largest`.
double RoundingError(double terms, double largest) {
  return (4.0 * terms + 8.0 * largest + 64.0) * kUnitRoundoff;
}

// x with P(X > x) <= tail for a variable that is sub-Gaussian with this variance.
double SubGaussianReach(double variance, double tail) {
  return std::sqrt(2.0 * variance * std::log(1.0 / tail));
}

using Masses = std::vector<double>;  // of 0, 1, 2, ...

// The masses of the sum of two symmetric variables, of 0 to last.
Masses Convolve(const Masses& wide, const Masses& narrow, std::size_t last) {
  Masses sum(last + 1, 0.0);
  const auto at = [&wide](std::size_t x) { return x < wide.size() ? wide[x] : 0.0; };
  for (std::size_t x = 0; x <= last; ++x) {
    double mass = narrow[0] * at(x);
    for (std::size_t y = 1; y < narrow.size(); ++y) mass += narrow[y] * (at(x + y) + at(x > y ? x - y : y - x));
    sum[x] = mass;
  }
  return sum;
}

}  // namespace

double IntegerNoise::Tail(std::size_t x) const {
  SYNOD_CHECK(x + 1 < log_mass.size(), "a tail inside the masses");
  // Log-concave masses: beyond the last one they fall at least as fast as there.
  const std::size_t last = log_mass.size() - 1;
  const double ratio = std::exp(log_mass[last] - log_mass[last - 1]);
  double sum = std::exp(log_mass[last]) * ratio / (1.0 - ratio);
  for (std::size_t i = last; i > x; --i) sum += std::exp(log_mass[i]);
  return sum * (1.0 + 2.0 * error + 1e-9);
}

Result<IntegerNoise> DiscreteGaussianNoise(double variance, std::uint64_t beyond, double tail) {
  const double reach = SubGaussianReach(variance, std::min(tail, 1e-18)) + static_cast<double>(beyond) + 4.0;
  if (!(reach < static_cast<double>(kMaxNoiseMasses))) return TooWide();
  const auto count = static_cast<std::size_t>(reach) + 2;
  IntegerNoise noise;
  noise.log_mass.resize(count);
  for (std::size_t x = 0; x < count; ++x) {
    noise.log_mass[x] = -0.5 * static_cast<double>(x) * static_cast<double>(x) / variance;
  }
  const double log_total = LogTotal(noise.log_mass);
  for (double& value : noise.log_mass) value -= log_total;
  if (noise.log_mass.back() < kSmallestLogMass) return TooWide();
  noise.error = RoundingError(static_cast<double>(count), -noise.log_mass.back());
  return noise;
}

Result<IntegerNoise> ConvolvedDiscreteGaussianNoise(double variance, std::uint64_t shares, std::uint64_t beyond,
                                                    double tail) {
  SYNOD_CHECK(variance < 10.0 && shares >= 1, "narrow shares are convolved");
  const double total_variance = variance * static_cast<double>(shares);
  const double reach = SubGaussianReach(total_variance, std::min(tail, 1e-18)) + static_cast<double>(beyond) + 4.0;
  // What any cut of a partial sum may take: far less than the smallest mass that is kept.
  const double log_smallest = -0.5 * reach * reach / total_variance - 0.5 * std::log(2.0 * M_PI * total_variance) - 5.0;
  const double log_cut = log_smallest - 35.0 - std::log(static_cast<double>(shares));
  if (!(log_cut > kSmallestLogMass)) return TooWide();
  const auto reach_of = [&](double k) {
    return static_cast<std::size_t>(std::sqrt(2.0 * variance * k * -log_cut)) + 2;
  };
  const auto last = static_cast<std::size_t>(reach) + 1;
  Masses share(reach_of(1.0) + 1);
  std::vector<double> log_weight(share.size());
  for (std::size_t x = 0; x < share.size(); ++x) {
    log_weight[x] = -0.5 * static_cast<double>(x) * static_cast<double>(x) / variance;
  }
  const double log_total = LogTotal(log_weight);
  for (std::size_t x = 0; x < share.size(); ++x) share[x] = std::exp(log_weight[x] - log_total);
  Masses sum = share;
  for (std::uint64_t k = 2; k <= shares; ++k) {
    sum = Convolve(sum, share, std::max(reach_of(static_cast<double>(k)), k == shares ? last : 0));
  }
  sum.resize(last + 1);
  IntegerNoise noise;
  double smallest = 1.0;
  for (const double mass : sum) {
    if (!(mass > 0.0)) return TooWide();
    smallest = std::min(smallest, mass);
    noise.log_mass.push_back(std::log(mass));
  }
  const double cut = 4.0 * static_cast<double>(shares) * std::exp(log_cut) / smallest;
  const double terms = static_cast<double>(shares) * (2.0 * static_cast<double>(share.size()) + 800.0);
  noise.error = RoundingError(terms, -log_cut) + cut;
  return noise;
}

Result<IntegerNoise> SkellamNoise(double variance, std::uint64_t beyond, double tail) {
  // Bernstein's inequality for the difference of two Poisson variables: log P(X > x) <= -x^2 / (2 variance + 2 x / 3).
  const double log_inverse = std::log(1.0 / std::min(tail, 1e-18));
  const double reach = std::sqrt(2.0 * variance * log_inverse) + log_inverse + static_cast<double>(beyond) + 4.0;
  if (!(reach < static_cast<double>(kMaxNoiseMasses))) return TooWide();
  const auto count = static_cast<std::size_t>(reach) + 2;
  // I_n / I_(n-1) = 1 / (2 n / variance + I_(n+1) / I_n): an error shrinks by the square of the ratio in every step.
  std::vector<double> ratio(count, 0.0);
  const std::size_t start = count + 64 + static_cast<std::size_t>(4.0 * std::sqrt(40.0 * variance));
  double above = 0.0;
  for (std::size_t n = start; n >= 1; --n) {
    above = 1.0 / (2.0 * static_cast<double>(n) / variance + above);
    if (n < count) ratio[n] = above;
  }
  IntegerNoise noise;
  noise.log_mass.resize(count, 0.0);
  for (std::size_t x = 1; x < count; ++x) noise.log_mass[x] = noise.log_mass[x - 1] + std::log(ratio[x]);
  const double log_total = LogTotal(noise.log_mass);
  for (double& value : noise.log_mass) value -= log_total;
  if (noise.log_mass.back() < kSmallestLogMass) return TooWide();
  noise.error = 4.0 * RoundingError(static_cast<double>(count), -noise.log_mass.back());
  return noise;
}

}  // namespace synod
