#include "models/spline_flow/coupling_batch.h"

#include <numeric>

#include "common/core/check.h"
#include "models/tabular/mixing_stream.h"

namespace synod::spline_flow {

CouplingBatch MakeCouplingBatch(const NormalScores& scores, const std::vector<std::vector<std::uint16_t>>& cells,
                                const UnitTable& table, std::uint32_t draws, std::span<const std::uint32_t> units,
                                std::span<const std::uint64_t> streams) {
  SYNOD_CHECK(streams.size() == units.size(), "one stream for each unit");
  const std::size_t columns = scores.columns();
  CouplingBatch batch;
  batch.uses = static_cast<std::size_t>(table.max_rows_per_unit()) * draws;
  const std::size_t rows = units.size() * batch.uses;
  batch.scores.assign(rows * columns, 0.0F);
  batch.weight.assign(rows, 0.0F);
  batch.lengths.assign(rows, 0.0F);
  std::vector<std::uint32_t> strata(draws);
  for (std::size_t i = 0; i < units.size(); ++i) {
    tabular::MixingStream mix(streams[i]);
    const std::span<const std::uint32_t> own = table.rows(units[i]);
    std::size_t use = i * batch.uses;
    for (const std::uint32_t row : own) {
      for (std::size_t j = 0; j < columns; ++j) {
        const std::uint16_t cell = cells[j][row];
        std::iota(strata.begin(), strata.end(), 0U);
        for (std::uint32_t m = 0; m < draws; ++m) {
          std::swap(strata[m], strata[m + mix.Below(draws - m)]);
          const double position = (strata[m] + mix.Uniform()) / static_cast<double>(draws);
          batch.scores[(use + m) * columns + j] = scores.ScoreOf(j, cell, position);
          batch.lengths[use + m] += static_cast<float>(scores.LogLength(j, cell));
        }
      }
      for (std::uint32_t m = 0; m < draws; ++m) batch.weight[use++] = 1.0F / static_cast<float>(own.size() * draws);
    }
  }
  return batch;
}

}  // namespace synod::spline_flow
