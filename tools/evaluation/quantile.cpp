#include "tools/evaluation/quantile.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/core/check.h"

namespace synod {

std::vector<double> SortedPresent(const std::vector<double>& numbers) {
  std::vector<double> present;
  present.reserve(numbers.size());
  for (const double x : numbers) {
    if (!std::isnan(x)) present.push_back(x);
  }
  std::sort(present.begin(), present.end());
  return present;
}

double Quantile(const std::vector<double>& sorted, double level) {
  SYNOD_CHECK(!sorted.empty() && level >= 0.0 && level <= 1.0, "quantile of nothing, or outside 0 to 1");
  const double position = level * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double t = position - static_cast<double>(below);
  // The two forms of NumPy's interpolation: exact at both ends, also for equal neighbours.
  const double step = sorted[above] - sorted[below];
  return t < 0.5 ? sorted[below] + step * t : sorted[above] - step * (1.0 - t);
}

}  // namespace synod
