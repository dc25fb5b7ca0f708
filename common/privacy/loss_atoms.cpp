#include "common/privacy/loss_atoms.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "common/privacy/integer_noise.h"

namespace synod {
namespace {

constexpr double kUnitRoundoff = 0x1p-53;
constexpr double kConvolvedBelow = 4.0;  // variance of a share

double LogisticOf(double x) {  // e^x / (1 + e^x)
  return 1.0 / (1.0 + std::exp(-x));
}

// P = noise + shift, Q = noise: outcomes from shift - last to last have masses under both.
LossAtoms ShiftedAtoms(const IntegerNoise& noise, std::int64_t shift) {
  const auto last = static_cast<std::int64_t>(noise.log_mass.size()) - 1;
  const auto log_mass = [&noise](std::int64_t x) { return noise.log_mass[static_cast<std::size_t>(std::abs(x))]; };
  LossAtoms result;
  double largest = 0.0;
  for (std::int64_t y = shift - last; y <= last; ++y) {
    const double log_p = log_mass(y - shift);
    const double loss = log_p - log_mass(y);
    largest = std::max(largest, std::abs(loss));
    result.atoms.push_back({loss, std::exp(log_p)});
  }
  const double far = noise.Tail(static_cast<std::size_t>(last - shift));
  result.bottom = far;
  result.infinity = far;
  result.infinity_swapped = 2.0 * far;
  result.loss_error = 2.0 * noise.error + 4.0 * largest * kUnitRoundoff;
  result.mass_error = noise.error;
  return result;
}

Result<std::int64_t> ShiftOf(double sensitivity, double factor) {
  const double shift = sensitivity * factor;
  if (!(shift < static_cast<double>(kMaxNoiseMasses)))
    return BadInput("the sensitivity is too large for an exact account");
  return static_cast<std::int64_t>(shift);
}

}  // namespace

double AtomRdp(const LossAtoms& atoms, double order) {
  double top = 0.0;
  for (const LossAtom& atom : atoms.atoms) top = std::max(top, (order - 1.0) * atom.loss);
  double sum = 0.0;
  for (const LossAtom& atom : atoms.atoms) sum += atom.mass * std::exp((order - 1.0) * atom.loss - top);
  // Near order 1 of tiny losses the sum is 1 but for rounding.
  const double rounding = (2.0 * static_cast<double>(atoms.atoms.size()) + 8.0) * kUnitRoundoff + atoms.mass_error;
  return std::max(0.0, (top + std::log(sum)) / (order - 1.0)) * (1.0 + 1e-12) + rounding / (order - 1.0);
}

LossAtoms AtomsOf(const StatedGuarantee& stated) {
  LossAtoms result;
  const double kept = 1.0 - stated.delta;
  const double high = LogisticOf(stated.epsilon);
  result.atoms = {{-stated.epsilon, kept * LogisticOf(-stated.epsilon)}, {stated.epsilon, kept * high}};
  result.infinity = stated.delta;
  result.infinity_swapped = stated.delta;
  result.mass_error = 8.0 * kUnitRoundoff;
  return result;
}

LossAtoms AtomsOf(const GeometricMechanism& geometric, double sensitivity_factor) {
  const double a = geometric.decay;
  const auto s = static_cast<std::int64_t>(static_cast<double>(geometric.sensitivity) * sensitivity_factor);
  LossAtoms result;
  const double far = LogisticOf(a);  // P(X <= 0)
  const double span = a * static_cast<double>(s);
  result.atoms.push_back({-span, far * std::exp(-span)});
  for (std::int64_t x = s - 1; x >= 1; --x) {
    const double distance = a * static_cast<double>(x);
    result.atoms.push_back({span - 2.0 * distance, std::tanh(0.5 * a) * std::exp(-distance)});
  }
  result.atoms.push_back({span, far});
  result.loss_error = 4.0 * span * kUnitRoundoff;
  result.mass_error = (16.0 + 4.0 * span) * kUnitRoundoff;
  return result;
}

double DiscreteGaussianSumTau(std::uint64_t shares, double site_variance) {
  double tau = 0.0;
  for (std::uint64_t k = 1; k < shares; ++k) {
    const auto n = static_cast<double>(k);
    tau += std::exp(-2.0 * M_PI * M_PI * site_variance * n / (n + 1.0));
  }
  return 10.0 * tau;
}

Result<LossAtoms> AtomsOf(const DiscreteGaussianSum& sum, double sensitivity_factor, double tail) {
  SYNOD_CHECK(sum.dimension == 1, "single masses are of one coordinate");
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t shift, ShiftOf(sum.sensitivity, sensitivity_factor));
  const auto beyond = static_cast<std::uint64_t>(shift);
  if (sum.shares > 1 && sum.site_variance < kConvolvedBelow) {
    SYNOD_ASSIGN_OR_RETURN(const IntegerNoise noise,
                           ConvolvedDiscreteGaussianNoise(sum.site_variance, sum.shares, beyond, tail));
    return ShiftedAtoms(noise, shift);
  }
  const double variance = sum.site_variance * static_cast<double>(sum.shares);
  SYNOD_ASSIGN_OR_RETURN(IntegerNoise noise, DiscreteGaussianNoise(variance, beyond, tail));
  noise.error += DiscreteGaussianSumTau(sum.shares, sum.site_variance);
  return ShiftedAtoms(noise, shift);
}

Result<LossAtoms> AtomsOf(const SkellamSum& skellam, double sensitivity_factor, double tail) {
  SYNOD_CHECK(skellam.dimension == 1, "single masses are of one coordinate");
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t shift, ShiftOf(skellam.sensitivity, sensitivity_factor));
  SYNOD_ASSIGN_OR_RETURN(const IntegerNoise noise,
                         SkellamNoise(skellam.variance, static_cast<std::uint64_t>(shift), tail));
  return ShiftedAtoms(noise, shift);
}

}  // namespace synod
