#include "models/tabular/token_transform.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/check.h"
#include "models/tabular/denoised_counts.h"

namespace synod::tabular {
namespace {

// Slack over the target: heavy cells cut the runs between them short.
constexpr std::size_t kSpareTokens = 4;
// A column whose values are this few, relative to the target, keeps one token a value.
constexpr std::size_t kFewValues = 2;

struct Run {
  std::size_t first_cell = 0;
  std::size_t last_cell = 0;  // inclusive
  double mass = 0.0;
  bool heavy = false;
};

// Splits the cells into runs: heavy cells alone, the others filled up to `target` mass.
std::vector<Run> FillRuns(std::span<const double> mass, const std::vector<bool>& heavy, double target) {
  std::vector<Run> runs;
  bool open = false;
  for (std::size_t cell = 0; cell < mass.size(); ++cell) {
    if (heavy[cell]) {
      runs.push_back({cell, cell, mass[cell], true});
      open = false;
      continue;
    }
    if (!open || runs.back().mass >= 0.999 * target) runs.push_back({cell, cell, 0.0, false});
    open = true;
    runs.back().last_cell = cell;
    runs.back().mass += mass[cell];
  }
  return runs;
}

void MergeWithNext(std::vector<Run>& runs, std::size_t index) {
  Run& run = runs[index];
  const Run& next = runs[index + 1];
  run.last_cell = next.last_cell;
  run.mass += next.mass;
  run.heavy = run.heavy || next.heavy;
  runs.erase(runs.begin() + static_cast<std::ptrdiff_t>(index) + 1);
}

// Merges light runs that hold less than `least` into their lighter light neighbour, lightest first.
void MergeLightRuns(std::vector<Run>& runs, double least) {
  while (true) {
    std::size_t best = runs.size();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      const bool has_neighbour = (i > 0 && !runs[i - 1].heavy) || (i + 1 < runs.size() && !runs[i + 1].heavy);
      if (runs[i].heavy || runs[i].mass >= least || !has_neighbour) continue;
      if (best == runs.size() || runs[i].mass < runs[best].mass) best = i;
    }
    if (best == runs.size()) return;
    const bool left = best > 0 && !runs[best - 1].heavy;
    const bool right = best + 1 < runs.size() && !runs[best + 1].heavy;
    const bool go_left = left && (!right || runs[best - 1].mass <= runs[best + 1].mass);
    MergeWithNext(runs, go_left ? best - 1 : best);
  }
}

// Whatever noise did, the capacity holds: the lightest neighbours are merged, heavy or not.
void MergeToCapacity(std::vector<Run>& runs, std::size_t capacity) {
  while (runs.size() > capacity) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < runs.size(); ++i) {
      if (runs[i].mass + runs[i + 1].mass < runs[best].mass + runs[best + 1].mass) best = i;
    }
    MergeWithNext(runs, best);
  }
}

std::vector<Run> NumericRuns(std::span<const double> noisy, std::span<const double> mass, double sigma, double total,
                             const TokenOptions& options, std::size_t capacity) {
  const double wanted = static_cast<double>(options.target_tokens);
  const double heavy_from = std::max(total / wanted, 6.0 * sigma);
  std::vector<bool> heavy(noisy.size());
  double rest = 0.0;
  for (std::size_t cell = 0; cell < noisy.size(); ++cell) {
    heavy[cell] = noisy[cell] >= heavy_from;
    if (!heavy[cell]) rest += mass[cell];
  }
  // As many light tokens as their mass deserves; at least a few if they stand out of the noise.
  double light = std::clamp(std::round(rest / total * wanted), 1.0, wanted);
  light = std::max({light, std::min(6.0, std::floor(rest / std::max(1.0, 5.0 * sigma))), 1.0});
  const double target = rest / light;
  std::vector<Run> runs = FillRuns(mass, heavy, target);
  MergeLightRuns(runs, std::max(0.35 * target, 2.0 * sigma));
  MergeToCapacity(runs, capacity);
  return runs;
}

}  // namespace

std::size_t TokenCapacity(const PublicGrid& grid, const TokenOptions& options) {
  const std::size_t missing = grid.has_missing() ? 1 : 0;
  if (!grid.numeric()) return grid.cells();
  if (grid.value_cells() <= kFewValues * options.target_tokens) return grid.cells();
  return options.target_tokens + kSpareTokens + missing;
}

TokenColumn MakeTokens(const PublicGrid& grid, std::span<const double> noisy_counts, double sigma, double total,
                       const TokenOptions& options) {
  SYNOD_CHECK(noisy_counts.size() == grid.cells(), "one count for each cell");
  TokenColumn column;
  column.cell_probability = DenoisedCounts(grid, noisy_counts, sigma, total);
  const double sum = std::accumulate(column.cell_probability.begin(), column.cell_probability.end(), 0.0);
  for (double& p : column.cell_probability) p /= sum;

  column.token_of_cell.resize(grid.cells());
  const std::size_t capacity = TokenCapacity(grid, options);
  if (grid.cells() <= capacity) {
    std::iota(column.token_of_cell.begin(), column.token_of_cell.end(), std::uint16_t{0});
    column.probability = column.cell_probability;
    return column;
  }
  const std::size_t values = grid.value_cells();
  std::vector<double> mass(column.cell_probability.begin(),
                           column.cell_probability.begin() + static_cast<std::ptrdiff_t>(values));
  for (double& m : mass) m *= total;
  const std::vector<Run> runs =
      NumericRuns(noisy_counts.first(values), mass, sigma, total, options, capacity - (grid.has_missing() ? 1 : 0));
  for (std::size_t token = 0; token < runs.size(); ++token) {
    for (std::size_t cell = runs[token].first_cell; cell <= runs[token].last_cell; ++cell) {
      column.token_of_cell[cell] = static_cast<std::uint16_t>(token);
    }
  }
  if (grid.has_missing()) column.token_of_cell[grid.missing_cell()] = static_cast<std::uint16_t>(runs.size());
  column.probability.assign(runs.size() + (grid.has_missing() ? 1 : 0), 0.0);
  for (std::size_t cell = 0; cell < grid.cells(); ++cell) {
    column.probability[column.token_of_cell[cell]] += column.cell_probability[cell];
  }
  return column;
}

TokenTransform TokenTransform::FromHistogram(const std::vector<PublicGrid>& grids, std::span<const float> histogram,
                                             double sigma, const TokenOptions& options) {
  std::size_t cells = 0;
  for (const PublicGrid& grid : grids) cells += grid.cells();
  SYNOD_CHECK(histogram.size() == cells && !grids.empty(), "one count for each cell of every column");
  // Every column counts every unit once: the mean of the column totals is the best estimate of their number.
  const double sum = std::accumulate(histogram.begin(), histogram.end(), 0.0);
  const double total = std::max(1.0, sum / static_cast<double>(grids.size()));

  TokenTransform transform;
  std::size_t offset = 0;
  for (const PublicGrid& grid : grids) {
    const std::span<const float> own = histogram.subspan(offset, grid.cells());
    const std::vector<double> counts(own.begin(), own.end());
    transform.columns_.push_back(MakeTokens(grid, counts, sigma, total, options));
    offset += grid.cells();
  }
  return transform;
}

}  // namespace synod::tabular
