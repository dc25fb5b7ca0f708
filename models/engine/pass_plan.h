// Which blocks of a batch go through a network in one pass: memory is bounded by the pass, whatever the batch.
//
// A pass holds whole blocks, so a unit and a block are never split, and what is summed in float32 is the same for every
// bound: only how many rows a forward pass computes side by side changes.
//
// A matrix library may add up a row in another order where the rows are others in number: a unit's vector would depend
// on how many others were drawn, in its last bits for parameters of an honest training, in all of them for parameters
// that cancel. So every pass of a plan has the same number of rows (UnitsOfEveryPass), which follows from public
// numbers alone; the caller fills it up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace synod::engine {

// Blocks [first_block, last_block), units [first_unit, last_unit) of the batch.
struct Pass {
  std::size_t first_block = 0;
  std::size_t last_block = 0;
  std::uint32_t first_unit = 0;
  std::uint32_t last_unit = 0;
};

// The most units of one pass under a memory budget: budget / (`bytes_per_row` * `rows_per_unit`), at least one. All of
// them are public: shapes and settings.
std::size_t UnitsPerPass(std::uint64_t budget_bytes, std::uint64_t bytes_per_row, std::uint64_t rows_per_unit);

// The units that every pass is filled up to, for batches of `expected_units` in the mean: at most `most_units`, or one
// block of `units_per_block` where that is more. As few passes as `most_units` allows, each with room for its share of
// the blocks and three standard deviations of their units.
std::size_t UnitsOfEveryPass(double expected_units, std::size_t units_per_block, std::size_t most_units);

// `block_ends`: for each block one past its last unit, ascending. A pass has at most `most_units` units, or one block
// where that alone has more.
std::vector<Pass> Passes(std::span<const std::uint32_t> block_ends, std::size_t most_units);

}  // namespace synod::engine
