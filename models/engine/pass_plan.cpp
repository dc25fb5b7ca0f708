#include "models/engine/pass_plan.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::engine {

std::size_t UnitsPerPass(std::uint64_t budget_bytes, std::uint64_t bytes_per_row, std::uint64_t rows_per_unit) {
  SYNOD_CHECK(bytes_per_row >= 1 && rows_per_unit >= 1, "a unit has rows, and a row has bytes");
  return static_cast<std::size_t>(std::max<std::uint64_t>(1, budget_bytes / bytes_per_row / rows_per_unit));
}

std::size_t UnitsOfEveryPass(double expected_units, std::size_t units_per_block, std::size_t most_units) {
  SYNOD_CHECK(expected_units >= 0.0 && units_per_block >= 1 && most_units >= 1, "an impossible pass");
  const std::size_t most = std::max(most_units, units_per_block);
  const auto with_room = [](double units) { return std::ceil(units + 3.0 * std::sqrt(units)); };
  const double passes = std::max(1.0, std::ceil(with_room(expected_units) / static_cast<double>(most)));
  const double units = with_room(expected_units / passes);
  if (units >= static_cast<double>(most)) return most;
  return std::max(static_cast<std::size_t>(units), units_per_block);
}

std::vector<Pass> Passes(std::span<const std::uint32_t> block_ends, std::size_t most_units) {
  std::vector<Pass> passes;
  std::uint32_t begin = 0;
  for (std::size_t block = 0; block < block_ends.size(); ++block) {
    const bool fits = !passes.empty() && block_ends[block] - passes.back().first_unit <= most_units;
    if (!fits) passes.push_back({block, block, begin, begin});
    passes.back().last_block = block + 1;
    passes.back().last_unit = begin = block_ends[block];
  }
  return passes;
}

}  // namespace synod::engine
