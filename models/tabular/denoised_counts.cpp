#include "models/tabular/denoised_counts.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/check.h"
#include "models/tabular/count_prior.h"
#include "models/tabular/segment_average.h"

namespace synod::tabular {
namespace {

// Measures far apart in size are no worse for the fits; around 1 they are readable.
void ScaleToMeanOne(std::vector<double>& measure) {
  const double sum = std::accumulate(measure.begin(), measure.end(), 0.0);
  for (double& width : measure) width *= static_cast<double>(measure.size()) / sum;
}

void SmoothNumbers(const PublicGrid& grid, double sigma, std::vector<double>& counts) {
  std::vector<std::size_t> plain;
  std::vector<double> plain_counts;
  std::vector<std::vector<double>> measures(2);
  for (std::size_t cell = 0; cell < grid.value_cells(); ++cell) {
    if (grid.special(cell)) continue;
    plain.push_back(cell);
    plain_counts.push_back(counts[cell]);
    measures[0].push_back(grid.Width(cell));
    measures[1].push_back(grid.LogWidth(cell));
  }
  if (plain.empty()) return;
  for (std::vector<double>& measure : measures) ScaleToMeanOne(measure);
  const std::vector<double> smooth = SegmentAverage(plain_counts, sigma, measures);
  for (std::size_t i = 0; i < plain.size(); ++i) counts[plain[i]] = smooth[i];
}

// Far below what the noise leaves to see. Machines whose mathematical libraries differ in a last digit agree on the
// counts, and so on the tokens that are cut from them.
double Rounded(double count, double sigma) {
  const double step = std::ldexp(sigma, -20);
  const double steps = std::round(count / step);
  return std::isfinite(steps) ? steps * step : count;
}

}  // namespace

std::vector<double> ProjectToSimplex(std::span<const double> values, double total) {
  SYNOD_CHECK(!values.empty() && total > 0.0, "a simplex has at least one corner and a positive total");
  // The projection does not change when all values move together: counted from the largest, values far from zero do not
  // swallow the total.
  const double largest = *std::max_element(values.begin(), values.end());
  std::vector<double> sorted;
  for (const double value : values) sorted.push_back(value - largest);
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  double sum = 0.0;
  double shift = 0.0;
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    sum += sorted[k];
    const double candidate = (sum - total) / static_cast<double>(k + 1);
    if (sorted[k] - candidate > 0.0) shift = candidate;
  }
  std::vector<double> projected;
  for (const double value : values) projected.push_back(std::max(0.0, (value - largest) - shift));
  return projected;
}

std::vector<double> DenoisedCounts(const PublicGrid& grid, std::span<const double> noisy_counts, double sigma,
                                   double total) {
  SYNOD_CHECK(noisy_counts.size() == grid.cells() && sigma >= 0.0, "one count for each cell, and their noise");
  std::vector<double> counts(noisy_counts.begin(), noisy_counts.end());
  if (sigma > 0.0) {
    if (grid.numeric()) {
      SmoothNumbers(grid, sigma, counts);
    } else if (grid.value_cells() >= kCategoriesToLearnFrom) {
      const std::vector<double> learned = LearnedCounts(std::span(counts).first(grid.value_cells()), sigma);
      std::copy(learned.begin(), learned.end(), counts.begin());
    }
    for (double& count : counts) count = Rounded(count, sigma);
  }
  return ProjectToSimplex(counts, total);
}

}  // namespace synod::tabular
