// Rows of a batch seen unit by unit, and the few operations on them that every rule needs.
//
// A batch has `units` * `uses` rows, unit-major, and a layer may read several positions of each row (columns as tokens,
// pixels): a tensor [units, m, n] holds for each unit its m vectors of n values, over uses, then positions.
#pragma once

#include <cstdint>
#include <functional>

#include "models/engine/torch.h"

namespace synod::engine {

struct BatchShape {
  std::int64_t units = 0;
  std::int64_t uses = 1;

  std::int64_t rows() const { return units * uses; }
};

// The smallest normal float32: what a product may lose by underflow, also where denormal numbers are flushed to zero.
inline constexpr double kUnderflow = 0x1p-126;

// [units, m, n] -> [units, m], float64: squared lengths, summed in float64 (no overflow, no underflow).
torch::Tensor SquaredLengths(const torch::Tensor& unit_rows);

// Calls `work(first, last)` for consecutive units such that `values_per_unit` * (last - first) floats are a few MiB,
// one unit at least: what a rule builds at once stays small, whatever the batch.
void ForPieces(std::int64_t units, std::int64_t values_per_unit,
               const std::function<void(std::int64_t, std::int64_t)>& work);

// Zeroes the units where `keep` (bool, [units]) is false. A new tensor: autograd may have handed out the old one twice.
torch::Tensor ZeroUnits(const torch::Tensor& unit_rows, const torch::Tensor& keep);

// Sum over units and vectors of weight * vector, [n]. `weights`: float32 [units], or [units, n] with one for each
// value.
torch::Tensor WeightedSum(const torch::Tensor& unit_rows, const torch::Tensor& weights);

// Every vector times its unit's weight; `weights` as above.
torch::Tensor Weighted(const torch::Tensor& unit_rows, const torch::Tensor& weights);

}  // namespace synod::engine
