#include "models/engine/pass_plan.h"

#include <algorithm>

#include "common/core/check.h"

namespace synod::engine {

std::size_t UnitsPerPass(std::uint64_t budget_bytes, std::uint64_t bytes_per_row, std::uint64_t rows_per_unit) {
  SYNOD_CHECK(bytes_per_row >= 1 && rows_per_unit >= 1, "a unit has rows, and a row has bytes");
  return static_cast<std::size_t>(std::max<std::uint64_t>(1, budget_bytes / bytes_per_row / rows_per_unit));
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
