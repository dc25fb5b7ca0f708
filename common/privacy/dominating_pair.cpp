#include "common/privacy/dominating_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/core/check.h"
#include "common/privacy/gaussian_tail.h"

namespace synod {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<double> BinomialWeights(unsigned n, double q) {
  std::vector<double> weights(n + 1, 0.0);
  if (q >= 1.0) {
    weights[n] = 1.0;
    return weights;
  }
  double choose = 1.0;
  for (unsigned j = 0; j <= n; ++j) {
    weights[j] = choose * std::pow(q, j) * std::pow(1.0 - q, n - j);
    choose *= static_cast<double>(n - j) / (j + 1.0);
  }
  return weights;
}

}  // namespace

Result<DominatingPair> DominatingPair::Of(const PrivacyEvent& event, Adjacency adjacency, unsigned sites) {
  if (sites < 1 || sites > kMaxSitesPerSubject) {
    return BadInput(fmt::format("sites per subject must be in [1, {}]", kMaxSitesPerSubject));
  }
  DominatingPair pair;
  pair.shift_ = 1.0 / event.noise_multiplier;
  pair.p_ = BinomialWeights(sites, event.sampling_rate);
  pair.q_ = {1.0};
  if (adjacency == Adjacency::kReplaceOne) {
    if (sites != 1) return BadInput("replace-one is not supported for a subject at more than one site");
    pair.q_ = pair.p_;
    pair.symmetric_ = true;
  }
  if (event.sampling_rate >= 1.0) pair.symmetric_ = true;
  pair.SetLossRange();
  return pair;
}

DominatingPair DominatingPair::PlainGaussian(double mu) {
  DominatingPair pair;
  pair.shift_ = mu;
  pair.p_ = {0.0, 1.0};
  pair.q_ = {1.0};
  pair.symmetric_ = true;
  pair.SetLossRange();
  return pair;
}

void DominatingPair::SetLossRange() {
  lowest_loss_ = Loss(-Reach());
  highest_loss_ = Loss(Reach());
}

double DominatingPair::LogRatio(const std::vector<double>& weights, double y) const {
  if (weights.size() == 1) return 0.0;
  const auto exponent = [this, y](std::size_t j) {
    const double shift = static_cast<double>(j) * shift_;
    return shift * (y - 0.5 * shift);
  };
  double top = 0.0;
  for (std::size_t j = 1; j < weights.size(); ++j) top = std::max(top, exponent(j));
  if (weights.size() == 2 && weights[1] == 1.0) return exponent(1);
  if (top < 30.0) {
    // The weights add up to 1: the sum of w_j (e^x_j - 1) keeps its relative precision when the loss is tiny.
    double sum = 0.0;
    for (std::size_t j = 1; j < weights.size(); ++j) sum += weights[j] * std::expm1(exponent(j));
    if (sum > -0.9) return std::log1p(sum);
  }
  double sum = 0.0;
  for (std::size_t j = 0; j < weights.size(); ++j) sum += weights[j] * std::exp(exponent(j) - top);
  return top + std::log(sum);
}

DominatingPair::LogRatioAt DominatingPair::LogRatioWithSlope(const std::vector<double>& weights, double y) const {
  LogRatioAt result;
  result.value = LogRatio(weights, y);
  for (std::size_t j = 1; j < weights.size(); ++j) {
    const double shift = static_cast<double>(j) * shift_;
    result.slope += weights[j] * shift * std::exp(shift * (y - 0.5 * shift) - result.value);
  }
  return result;
}

double DominatingPair::Inverse(double loss, double hint) const {
  if (p_.size() == 2 && q_.size() == 1) {  // 1 - q + q e^(a y - a^2/2) = e^loss
    const double q = p_[1];
    double log_e = 0.0;
    if (loss > 30.0) {
      log_e = loss - std::log(q) + std::log1p(-(1.0 - q) * std::exp(-loss));
    } else {
      const double excess = q == 1.0 ? std::expm1(loss) : std::expm1(loss) / q;
      if (q < 1.0 && excess <= -1.0) return -kInfinity;
      log_e = q == 1.0 ? loss : std::log1p(excess);
    }
    return (log_e + 0.5 * shift_ * shift_) / shift_;
  }
  if (loss <= lowest_loss_) return -kInfinity;
  if (loss >= highest_loss_) return kInfinity;
  double low = -Reach();
  double high = Reach();
  double y = std::clamp(hint, low, high);
  for (int i = 0; i < 200; ++i) {
    const LogRatioAt of_p = LogRatioWithSlope(p_, y);
    const LogRatioAt of_q = LogRatioWithSlope(q_, -y);
    const double residual = of_p.value - of_q.value - loss;
    (residual > 0.0 ? high : low) = y;
    double next = y - residual / (of_p.slope + of_q.slope);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - y) <= 1e-13 * (1.0 + std::abs(y))) return next;
    y = next;
  }
  return y;
}

double DominatingPair::MassP(double low, double high) const {
  double mass = 0.0;
  for (std::size_t j = 0; j < p_.size(); ++j) {
    const double centre = static_cast<double>(j) * shift_;
    if (p_[j] > 0.0) mass += p_[j] * NormalMass(low - centre, high - centre);
  }
  return mass;
}

double DominatingPair::MassQ(double low, double high) const {
  double mass = 0.0;
  for (std::size_t j = 0; j < q_.size(); ++j) {
    const double centre = -static_cast<double>(j) * shift_;
    if (q_[j] > 0.0) mass += q_[j] * NormalMass(low - centre, high - centre);
  }
  return mass;
}

}  // namespace synod
