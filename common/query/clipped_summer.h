// Adds the block sums of one query in float64, compensated (Ogita, Rump, Oishi, "Accurate sum and dot product", 2005):
// the only maker of ClippedSum. The error does not grow with the number of blocks, so no site has too many.
#pragma once

#include <cstdint>
#include <span>

#include "common/query/sums.h"

namespace synod {

class ClippedSummer {
 public:
  // `clip`: the norm to which every unit's whole vector was clipped (side coordinates included).
  ClippedSummer(std::size_t dimension, double clip);

  // The float32 sum of the clipped vectors of `units` units (1..kMostRowsPerBlock). Every value must be finite: a unit
  // whose gradient is not was replaced by zeros before (privacy is lost by a NaN that blanks a sum). That and the
  // dimension are the engine's duty and are checked.
  void AddBlock(std::span<const float> block_sum, std::uint32_t units);

  std::uint64_t units() const { return units_; }  // secret: how many units were drawn
  ClippedSum Finish() &&;

 private:
  std::vector<double> values_;
  std::vector<double> rests_;  // what rounding took off values_
  double clip_;
  std::uint64_t units_ = 0;
};

}  // namespace synod
