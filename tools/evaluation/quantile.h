// Quantiles of the present (not NaN) numbers of a column, with linear interpolation between order statistics
// (type 7 of Hyndman and Fan 1996, the default of NumPy and R).
#pragma once

#include <vector>

namespace synod {

// The present numbers in ascending order.
std::vector<double> SortedPresent(const std::vector<double>& numbers);

// `sorted` is ascending and not empty; `level` in [0, 1].
double Quantile(const std::vector<double>& sorted, double level);

}  // namespace synod
