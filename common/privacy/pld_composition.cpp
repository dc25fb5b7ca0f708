#include "common/privacy/pld_composition.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>

#include "common/core/check.h"
#include "common/privacy/pld_fft.h"

namespace synod {
namespace {

using Complex = std::complex<double>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnitRoundoff = 0x1p-53;
constexpr double kSummation = 1e-9;   // relative, of adding up the lattice points
constexpr double kMassError = 1e-12;  // relative, of the masses and the moment of one distribution

Complex Times(Complex a, Complex b) {  // without the checks for infinities that operator* makes
  return {a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real()};
}

Complex Power(Complex base, std::uint64_t exponent) {
  Complex result(1.0, 0.0);
  for (;;) {
    if ((exponent & 1U) != 0) result = Times(result, base);
    exponent >>= 1U;
    if (exponent == 0) return result;
    base = Times(base, base);
  }
}

// A product of spectra with a bound of each coefficient's error.
class SpectrumProduct {
 public:
  explicit SpectrumProduct(const RealFft& fft)
      : fft_(fft), product_(fft.spectrum_size(), Complex(1.0, 0.0)), error_(fft.spectrum_size(), 0.0) {}

  // `tilted` has sum 1 (up to rounding).
  void Multiply(const std::vector<double>& tilted, std::uint64_t count) {
    const std::vector<Complex> spectrum = fft_.Forward(tilted);
    const double coefficient_error = 1.01 * fft_.RelativeError();
    const auto k = static_cast<double>(count);
    for (std::size_t l = 0; l < spectrum.size(); ++l) {
      const double modulus = std::abs(spectrum[l]);
      const Complex power = Power(spectrum[l], count);
      const double power_modulus = std::abs(power);
      // |(F + e)^k - F^k| <= (|F| + |e|)^k - |F|^k; each multiplication adds 3 u.
      double power_error = 4.0 * k * kUnitRoundoff * power_modulus;
      if (k * coefficient_error < 0.5 * modulus) {
        power_error += power_modulus * std::expm1(k * coefficient_error / modulus);
      } else {
        power_error += std::exp(k * std::log(modulus + coefficient_error));
      }
      const double product_modulus = std::abs(product_[l]);
      error_[l] = error_[l] * (power_modulus + power_error) + product_modulus * power_error +
                  4.0 * kUnitRoundoff * product_modulus * power_modulus;
      product_[l] = Times(product_[l], power);
    }
  }

  // The convolution, and a bound of the error of each of its values.
  std::vector<double> Convolution(double* error) const {
    double moduli = 0.0;
    double errors = 0.0;
    for (std::size_t l = 0; l < product_.size(); ++l) {
      const double twice = l == 0 || l + 1 == product_.size() ? 1.0 : 2.0;
      moduli += twice * (std::abs(product_[l]) + error_[l]);
      errors += twice * error_[l];
    }
    *error = 1.01 * (errors + fft_.RelativeError() * moduli) / static_cast<double>(fft_.size());
    return fft_.Inverse(product_);
  }

 private:
  const RealFft& fft_;
  std::vector<Complex> product_;
  std::vector<double> error_;
};

// mass e^(theta loss - log_moment), folded onto `size` points.
std::vector<double> Tilt(const LossPmf& pmf, double width, double theta, double log_moment, std::int64_t size) {
  std::vector<double> folded(static_cast<std::size_t>(size), 0.0);
  std::int64_t place = ((pmf.first % size) + size) % size;
  for (std::size_t i = 0; i < pmf.mass.size(); ++i) {
    const double loss = static_cast<double>(pmf.first + static_cast<std::int64_t>(i)) * width;
    if (pmf.mass[i] > 0.0) folded[static_cast<std::size_t>(place)] += pmf.mass[i] * std::exp(theta * loss - log_moment);
    if (++place == size) place = 0;
  }
  return folded;
}

}  // namespace

Result<LossComposition> LossComposition::Of(std::span<const CountedPmf> losses, double width, double delta) {
  SYNOD_CHECK(!losses.empty(), "a composition of nothing");
  const LossWindow window = ChooseWindow(losses, width, delta);
  const double points = (window.high - window.low) / width;
  if (!(points < static_cast<double>(kMaxSize) - 4.0) || !(std::abs(window.low / width) < 1e15)) {
    return Failed(fmt::format("the composition needs {:.3g} lattice points, more than {}", points, kMaxSize));
  }
  LossComposition sum;
  sum.width_ = width;
  sum.theta_ = window.theta;
  sum.log_scale_ = window.log_scale;
  sum.first_ = static_cast<std::int64_t>(std::floor(window.low / width)) - 1;
  sum.errors_.tail = window.tail;
  sum.errors_.wrapped = window.outside;

  const RealFft fft(RealFft::GoodSize(static_cast<std::size_t>(points) + 4));
  const auto size = static_cast<std::int64_t>(fft.size());
  SpectrumProduct product(fft);
  double log_finite = 0.0;
  sum.errors_.relative = kSummation;
  for (std::size_t j = 0; j < losses.size(); ++j) {
    const LossPmf& pmf = losses[j].pmf;
    const auto count = static_cast<double>(losses[j].count);
    product.Multiply(Tilt(pmf, width, window.theta, window.log_moments[j], size), losses[j].count);
    log_finite += count * std::log1p(-pmf.infinity);
    sum.errors_.relative += count * (kMassError + pmf.mass_error);
    sum.loss_error_ += count * pmf.loss_error;
  }
  sum.infinity_ = -std::expm1(log_finite);
  const std::vector<double> circular = product.Convolution(&sum.errors_.roundoff);
  // Lattice point s sits at s modulo the size.
  sum.tilted_.resize(circular.size());
  std::int64_t place = ((sum.first_ % size) + size) % size;
  for (double& value : sum.tilted_) {
    value = circular[static_cast<std::size_t>(place)];
    if (++place == size) place = 0;
  }
  return sum;
}

double LossComposition::Mass(std::int64_t i, double log_factor) const {
  return tilted_[static_cast<std::size_t>(i)] * std::exp(log_scale_ - theta_ * LossOf(i) + log_factor);
}

double LossComposition::RoundoffError(double epsilon) const {
  // Sum over the points above epsilon of e^(-theta distance) (1 - e^-distance).
  const double weight = 1.0 / std::expm1(theta_ * width_) - 1.0 / std::expm1((theta_ + 1.0) * width_);
  return errors_.roundoff * std::exp(log_scale_ - theta_ * epsilon) * (weight + 1.0);
}

double LossComposition::WrappedError(double epsilon) const {
  return errors_.wrapped * std::exp(log_scale_ - theta_ * epsilon);
}

// Both bounds walk down from the top of the window with two numbers: `above`, the mass above the current loss, and
// `delta_here` = sum of mass (1 - e^(current loss - loss)) over it. One step down by d turns delta_here into
// delta_here e^-d + above (1 - e^-d): nothing is subtracted, so that tiny losses keep their precision too. Rounding can
// make single masses negative; they enter as they are, RoundoffError covers them.

double LossComposition::EpsilonUpper(double delta) const {
  const double target = delta - infinity_ - errors_.tail;
  if (!(target > 0.0)) return kInfinity;
  double above = 0.0;
  double delta_here = 0.0;
  for (std::int64_t i = size() - 1; i > 0; --i) {
    const double loss = LossOf(i);
    if (loss <= 0.0) return loss_error_;
    above += Mass(i, errors_.relative);
    const double low = std::max(LossOf(i - 1), 0.0);
    const double step = loss - low;
    const double delta_low = delta_here * std::exp(-step) - above * std::expm1(-step);
    const double allowed = target - RoundoffError(low);
    if (delta_low > allowed) {  // the first cell at whose lower end the target is exceeded
      if (!(allowed > delta_here)) return loss + loss_error_;
      const double down = -std::log1p(-(allowed - delta_here) / (above - delta_here));
      return std::clamp(loss - down, low, loss) + loss_error_;
    }
    delta_here = delta_low;
  }
  return std::max(LossOf(0), 0.0) + loss_error_;
}

double LossComposition::EpsilonLower(double delta) const {
  double above = 0.0;
  double delta_here = 0.0;
  for (std::int64_t i = size() - 1; i > 0; --i) {
    const double loss = LossOf(i);
    above += Mass(i, -errors_.relative);
    const double low = LossOf(i - 1);
    const double delta_low = delta_here * std::exp(-width_) - above * std::expm1(-width_);
    const double needed = delta + RoundoffError(low) + WrappedError(low);
    if (delta_low >= needed) {
      if (!(needed > delta_here)) return low - loss_error_;
      const double down = -std::log1p(-(needed - delta_here) / (above - delta_here));
      return std::clamp(loss - down, low, loss) - loss_error_;
    }
    delta_here = delta_low;
  }
  return -kInfinity;
}

}  // namespace synod
