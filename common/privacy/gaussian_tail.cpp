#include "common/privacy/gaussian_tail.h"

#include <cmath>

namespace synod {

double NormalDensity(double x) {
  return kInverseSqrtTwoPi * std::exp(-0.5 * x * x);
}

double NormalTail(double x) {
  return 0.5 * std::erfc(x / kSqrtTwo);
}

double NormalMass(double low, double high) {
  if (!(low < high)) return 0.0;
  if (low >= 0.0) return NormalTail(low) - NormalTail(high);
  if (high <= 0.0) return NormalTail(-high) - NormalTail(-low);
  return 1.0 - NormalTail(-low) - NormalTail(high);
}

double MillsRatio(double x) {
  if (x < 8.0) return NormalTail(x) / NormalDensity(x);
  // Laplace's continued fraction 1/(x + 1/(x + 2/(x + 3/...))); 40 terms give full precision from x = 8 on.
  double denominator = x;
  for (int k = 40; k >= 1; --k) denominator = x + k / denominator;
  return 1.0 / denominator;
}

}  // namespace synod
