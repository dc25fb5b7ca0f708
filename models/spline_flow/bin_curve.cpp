#include "models/spline_flow/bin_curve.h"

#include <algorithm>
#include <cmath>

namespace synod::spline_flow {
namespace {

double Divisor(const BinSlopes& slopes, double x) {
  return (1.0 - x) * (1.0 - x) + x * x + (slopes.left + slopes.right) * x * (1.0 - x);
}

}  // namespace

IntervalShare ShareOfInterval(const BinSlopes& slopes, double a, double b) {
  const double from_left = slopes.left * (1.0 - a) * (1.0 - b);
  const double from_right = slopes.right * a * b;
  const double numerator = from_left + from_right + a * (1.0 - b) + b * (1.0 - a);
  const double at_a = Divisor(slopes, a);
  const double at_b = Divisor(slopes, b);
  const double bend = a * (1.0 - a) / at_a + b * (1.0 - b) / at_b;
  IntervalShare share;
  share.log_density = std::log(numerator / (at_a * at_b));
  share.by_log_left = from_left / numerator - slopes.left * bend;
  share.by_log_right = from_right / numerator - slopes.right * bend;
  return share;
}

double InverseCurve(const BinSlopes& slopes, double y) {
  // (1 - l + y q) x^2 + (l - y q) x - y = 0 by the root that loses no digits; q = l + r - 2.
  const double bend = y * (slopes.left + slopes.right - 2.0);
  const double square = 1.0 - slopes.left + bend;
  const double linear = slopes.left - bend;
  const double root = std::sqrt(std::max(0.0, linear * linear + 4.0 * square * y));
  const double divisor = linear + root;
  return divisor > 0.0 ? std::clamp(2.0 * y / divisor, 0.0, 1.0) : 1.0;
}

}  // namespace synod::spline_flow
