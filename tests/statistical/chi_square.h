// Pearson's chi-square statistic as the deviation of a normal variable.
#pragma once

#include <vector>

namespace synod::statistical {

// How many standard deviations the statistic is from its mean (Wilson and Hilferty 1931: its cube root is nearly
// normal). Neighbouring cells are joined until at least 20 are expected in each.
double ChiSquareDeviations(const std::vector<double>& observed, const std::vector<double>& expected);

}  // namespace synod::statistical
