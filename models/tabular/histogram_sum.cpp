#include "models/tabular/histogram_sum.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace synod::tabular {
namespace {

using Coordinates = std::map<std::size_t, double>;

// One unit's vector: sparse, before the clip.
Coordinates UnitVector(const std::vector<PublicGrid>& grids, const std::vector<std::vector<std::uint16_t>>& cells,
                       std::span<const std::uint32_t> rows) {
  Coordinates vector;
  std::size_t offset = 0;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    for (const std::uint32_t row : rows) vector[offset + cells[j][row]] += 1.0 / static_cast<double>(rows.size());
    offset += grids[j].cells();
  }
  return vector;
}

}  // namespace

std::size_t HistogramSize(const std::vector<PublicGrid>& grids) {
  std::size_t size = 0;
  for (const PublicGrid& grid : grids) size += grid.cells();
  return size;
}

ClippedSum HistogramSum(const std::vector<PublicGrid>& grids, const std::vector<std::vector<std::uint16_t>>& cells,
                        const UnitTable& units, const BlockedBatch& batch, double clip) {
  ClippedSummer summer(HistogramSize(grids), clip);
  std::vector<float> sum(HistogramSize(grids));
  for (std::size_t block = 0; block < batch.block_count(); ++block) {
    std::fill(sum.begin(), sum.end(), 0.0F);
    for (const std::uint32_t unit : batch.block(block)) {
      const Coordinates vector = UnitVector(grids, cells, units.rows(unit));
      double squared = 0.0;
      for (const auto& [index, value] : vector) squared += value * value;
      // sqrt(k) of a one-row unit and the clip are the same number up to rounding: only a real excess is scaled.
      const double norm = std::sqrt(squared);
      const double scale = norm > clip * (1.0 + 1e-12) ? clip / norm : 1.0;
      for (const auto& [index, value] : vector) sum[index] += static_cast<float>(scale * value);
    }
    summer.AddBlock(sum, static_cast<std::uint32_t>(batch.block(block).size()));
  }
  return std::move(summer).Finish();
}

}  // namespace synod::tabular
