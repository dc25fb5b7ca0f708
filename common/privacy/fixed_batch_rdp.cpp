#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>

#include "common/core/check.h"
#include "common/privacy/gaussian_tail.h"
#include "common/privacy/mechanism_rdp.h"

namespace synod {
namespace {

constexpr unsigned kHighestOrder = 256;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kSlack = 1e-9;  // of the quadrature and the sums

// log E_Q[(P/Q - 1)^power] of an even power, P and Q unit Gaussians `shift` apart: the alternating sum of moments in
// the paper, as an integral of a positive, analytic function, so that nothing cancels.
double LogCentralMoment(double shift, unsigned power) {
  const double low = -13.5;
  const double high = 13.5 + shift * power;
  const double step = std::min(0.25, 0.5 / shift);
  double top = -kInfinity;
  double sum = 0.0;
  for (double y = low; y <= high; y += step) {
    const double log_ratio = shift * (y - 0.5 * shift);
    const double distance = std::abs(std::expm1(std::min(log_ratio, 700.0)));
    if (distance == 0.0) continue;
    const double log_distance = log_ratio > 700.0 ? log_ratio : std::log(distance);
    const double term = power * log_distance - 0.5 * y * y;
    if (term > top) {
      sum = sum * std::exp(top - term) + 1.0;
      top = term;
    } else {
      sum += std::exp(term - top);
    }
  }
  return top + std::log(sum * step * kInverseSqrtTwoPi);
}

class LogBinomials {
 public:
  LogBinomials() {
    for (unsigned n = 1; n <= kHighestOrder; ++n) log_factorial_[n] = log_factorial_[n - 1] + std::log(n);
  }
  double operator()(unsigned n, unsigned k) const {
    return log_factorial_[n] - log_factorial_[k] - log_factorial_[n - k];
  }

 private:
  std::array<double, kHighestOrder + 1> log_factorial_{};
};

// (order - 1) RDP at orders 1 to kHighestOrder.
std::array<double, kHighestOrder + 1> Moments(double rate, double noise) {
  const double shift = 1.0 / noise;
  const auto log_moment = [shift](double x) { return 0.5 * x * (x + 1.0) * shift * shift; };  // x RDP(x + 1)
  std::array<double, kHighestOrder + 2> central{};
  for (unsigned power = 2; power <= kHighestOrder; power += 2) central[power] = LogCentralMoment(shift, power);
  const LogBinomials log_choose;
  std::array<double, kHighestOrder + 1> moments{};
  for (unsigned order = 2; order <= kHighestOrder; ++order) {
    double above_one = 0.0;
    double log_above_one = -kInfinity;
    for (unsigned j = 2; j <= order; ++j) {
      double log_term = 0.0;
      if (j == 2) {
        log_term = std::min(std::log(4.0) + std::log(std::expm1(log_moment(1.0))), std::log(2.0) + log_moment(1.0));
      } else {
        const unsigned even_up = j + j % 2;
        const double paired = even_up > kHighestOrder ? kInfinity : 0.5 * (central[j - j % 2] + central[even_up]);
        log_term = std::min(std::log(4.0) + paired, std::log(2.0) + log_moment(j - 1.0));
      }
      log_term += j * std::log(rate) + log_choose(order, j);
      if (log_term > 600.0 || log_above_one > -kInfinity) {
        if (log_above_one == -kInfinity) log_above_one = std::log(std::max(above_one, 1e-300));
        const double top = std::max(log_above_one, log_term);
        log_above_one = top + std::log1p(std::exp(std::min(log_above_one, log_term) - top));
      } else {
        above_one += std::exp(log_term);
      }
    }
    moments[order] =
        log_above_one == -kInfinity ? std::log1p(above_one) : std::log1p(std::exp(-log_above_one)) + log_above_one;
    moments[order] *= 1.0 + kSlack;
  }
  return moments;
}

}  // namespace

RdpCurve FixedBatchRdp(double rate, double noise) {
  SYNOD_CHECK(rate > 0.0 && rate <= 1.0 && noise > 0.0, "a batch of something, with noise");
  auto moments = std::make_shared<const std::array<double, kHighestOrder + 1>>(Moments(rate, noise));
  return [moments = std::move(moments), noise](double order) {
    const double full = 0.5 * order / (noise * noise);  // the whole data set
    const double below = std::floor(order);
    if (!(below < kHighestOrder))
      return order == kHighestOrder ? std::min(full, moments->back() / (order - 1.0)) : full;
    const auto at = static_cast<std::size_t>(below);
    const double part = order - below;  // (order - 1) RDP is convex in the order
    const double moment = (1.0 - part) * (*moments)[at] + part * (*moments)[at + 1];
    return std::min(full, moment / (order - 1.0));
  };
}

}  // namespace synod
