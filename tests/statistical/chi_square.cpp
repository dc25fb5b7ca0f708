#include "tests/statistical/chi_square.h"

#include <cmath>

namespace synod::statistical {

double ChiSquareDeviations(const std::vector<double>& observed, const std::vector<double>& expected) {
  std::vector<double> seen(1);
  std::vector<double> awaited(1);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    seen.back() += observed[i];
    awaited.back() += expected[i];
    if (awaited.back() >= 20.0 && i + 1 < expected.size()) {
      seen.push_back(0.0);
      awaited.push_back(0.0);
    }
  }
  if (seen.size() > 1 && awaited.back() < 20.0) {
    seen[seen.size() - 2] += seen.back();
    awaited[awaited.size() - 2] += awaited.back();
    seen.pop_back();
    awaited.pop_back();
  }
  double statistic = 0.0;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    statistic += (seen[i] - awaited[i]) * (seen[i] - awaited[i]) / awaited[i];
  }
  const double freedom = static_cast<double>(seen.size()) - 1.0;
  const double spread = 2.0 / (9.0 * freedom);
  return (std::cbrt(statistic / freedom) - (1.0 - spread)) / std::sqrt(spread);
}

}  // namespace synod::statistical
