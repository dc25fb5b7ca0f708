#include <algorithm>
#include <cmath>
#include <limits>

#include "common/core/check.h"
#include "common/privacy/rdp_accountant.h"

namespace synod {
namespace {

constexpr double kLogSqrtTwoPi = 0.91893853320467274178;
constexpr double kReach = 13.5;         // deviations beyond which the normal weight is below 1e-39
constexpr double kMaxPoints = 30000.0;  // an order that needs more is bounded by the full-batch mechanism
constexpr double kQuadratureSlack = 1e-9;

// log of (1+u)^b - 1 - b u, which is positive for b > 1 and for b < 0; `log_ratio` = log(1+u).
double LogConvexGap(double u, double log_ratio, double b) {
  if (u == 0.0) return -std::numeric_limits<double>::infinity();
  if (std::abs(u) * std::max(std::abs(b), 5.0) < 1e-2) {
    double tail = 1.0 + (b - 5.0) / 6.0 * u;  // Taylor series, nested
    tail = 1.0 + (b - 4.0) / 5.0 * u * tail;
    tail = 1.0 + (b - 3.0) / 4.0 * u * tail;
    tail = 1.0 + (b - 2.0) / 3.0 * u * tail;
    return std::log(0.5 * b * (b - 1.0) * u * u * tail);
  }
  if (b > 1.0 && b * log_ratio > 40.0) {
    return b * log_ratio + std::log1p(-b * std::exp((1.0 - b) * log_ratio) + (b - 1.0) * std::exp(-b * log_ratio));
  }
  if (b < 0.0 && log_ratio > 40.0) return std::log(-b) + log_ratio;  // e^(b log_ratio) and 1 are below its rounding
  return std::log(std::expm1(b * log_ratio) - b * u);
}

// A running log(sum of exp).
class LogSum {
 public:
  void Add(double log_term) {
    if (log_term == -std::numeric_limits<double>::infinity()) return;
    if (log_term > top_) {
      sum_ = sum_ * std::exp(top_ - log_term) + 1.0;
      top_ = log_term;
    } else {
      sum_ += std::exp(log_term - top_);
    }
  }
  double Value() const { return sum_ > 0.0 ? top_ + std::log(sum_) : -std::numeric_limits<double>::infinity(); }

 private:
  double top_ = -std::numeric_limits<double>::infinity();
  double sum_ = 0.0;
};

// log(1 + e^x)
double LogOnePlusExp(double x) {
  return x > 36.0 ? x : std::log1p(std::exp(x));
}

// log E_Q[(P/Q)^b], from above: b = order for REMOVE, b = 1 - order for ADD.
double LogMoment(const DominatingPair& pair, double b) {
  const double low = -kReach - pair.max_shift_q();
  const double high = kReach + pair.max_shift() * std::max(1.0, b);
  // The integrand is analytic within pi / shift of the real line.
  const double step = std::min(0.25, 0.5 / pair.shift());
  const double points = std::ceil((high - low) / step);
  if (points > kMaxPoints) return std::numeric_limits<double>::infinity();
  LogSum sum;
  for (double i = 0.0; i <= points; i += 1.0) {
    const double y = low + i * step;
    const double log_q = pair.LogQ(y);
    const double log_ratio = pair.LogP(y) - log_q;
    sum.Add(-0.5 * y * y + log_q + LogConvexGap(std::expm1(log_ratio), log_ratio, b));
  }
  return LogOnePlusExp(sum.Value() + std::log(step) - kLogSqrtTwoPi);
}

}  // namespace

double StepRdp(const DominatingPair& pair, double order) {
  SYNOD_CHECK(order > 1.0, "an RDP order is above 1");
  // The full-batch mechanism at the whole distance bounds every sampling rate (quasi-convexity).
  const double distance = pair.max_shift() + pair.max_shift_q();
  const double full_batch = 0.5 * order * distance * distance;
  if (pair.plain_gaussian()) return full_batch;
  double log_moment = LogMoment(pair, order);
  if (!pair.symmetric()) log_moment = std::max(log_moment, LogMoment(pair, 1.0 - order));
  return std::min(full_batch, log_moment / (order - 1.0) * (1.0 + kQuadratureSlack));
}

}  // namespace synod
