// What an attacker learns from many releases of a mechanism on two neighbouring data sets, as a certified lower bound
// of its epsilon: the Gaussian route.
//
// The releases, projected on the direction in which the neighbours differ, are Gaussian with one variance and two
// means. From n of each: mu = (difference of means) / sigma, the parameter of Gaussian differential privacy (Dong, Roth
// and Su 2022), is at least
//
//     (mean_with - mean_without) / sigma_up - z sqrt(2 / n)
//
// where sigma_up bounds sigma from above by the inequality of Laurent and Massart 2000 (a chi-square of nu degrees of
// freedom is below nu - 2 sqrt(nu x) with probability at most exp(-x)), and z is the normal quantile. Each of the two
// fails with probability at most alpha / 2: nothing is approximated.
#pragma once

#include <cstddef>
#include <functional>

namespace synod::honesty {

struct AuditBound {
  double mu_lower = 0.0;  // at least 0
  double epsilon_lower = 0.0;
};

// Draws `releases` numbers each with and without the unit. With probability at least 1 - alpha the mechanism is not
// better than the bound: one that meets (epsilon, delta) has epsilon_lower <= epsilon.
AuditBound AuditGaussian(const std::function<double(bool with)>& release, std::size_t releases, double alpha,
                         double delta);

// z with P(normal > z) = probability.
double NormalQuantileAbove(double probability);

}  // namespace synod::honesty
