// One bin of a monotone rational-quadratic spline (Gregory and Delbourgo 1982; Durkan et al. 2019), brought to
// [0, 1] -> [0, 1]:
//
//   R(x) = (x^2 + l x (1 - x)) / m(x),  m(x) = (1 - x)^2 + x^2 + (l + r) x (1 - x)
//
// with l, r > 0 the slopes at its ends relative to the bin's own. The share of an interval [a, b] of the bin has a form
// without any subtraction of numbers that may be close, so that the probability of the narrowest cell is exact:
//
//   R(b) - R(a) = (b - a) n / (m(a) m(b)),  n = l (1-a)(1-b) + r a b + a (1-b) + b (1-a)
#pragma once

namespace synod::spline_flow {

struct BinSlopes {
  double left = 1.0;
  double right = 1.0;
};

// log(R(b) - R(a)) - log(b - a), and its derivatives by log l and log r. 0 for the whole bin.
struct IntervalShare {
  double log_density = 0.0;
  double by_log_left = 0.0;
  double by_log_right = 0.0;
};
IntervalShare ShareOfInterval(const BinSlopes& slopes, double a, double b);

// x with R(x) = y; y in [0, 1].
double InverseCurve(const BinSlopes& slopes, double y);

}  // namespace synod::spline_flow
