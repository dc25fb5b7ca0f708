#include "common/query/clipped_summer.h"

#include <cmath>
#include <utility>

#include "common/core/check.h"
#include "common/privacy/noise_arithmetic.h"
#include "common/query/grid.h"

namespace synod {

ClippedSummer::ClippedSummer(std::size_t dimension, double clip) : values_(dimension), rests_(dimension), clip_(clip) {}

void ClippedSummer::AddBlock(std::span<const float> block_sum, std::uint32_t units) {
  SYNOD_CHECK(block_sum.size() == values_.size(), "a block sum of another dimension");
  SYNOD_CHECK(units >= 1 && units <= kMostRowsPerBlock, "a block outside the bound that the float error is proven for");
  units_ += units;
  SYNOD_CHECK(units_ <= kMostUnits, "more units than the float error is proven for");
  double squared = 0.0;
  double finite = 0.0;  // stays 0 unless a value is not finite: x - x is NaN for infinities and NaN
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const double value = block_sum[i];
    finite += value - value;
    squared += value * value;
    // Knuth's sum without an error: what does not fit into the sum is kept beside it.
    const double sum = values_[i] + value;
    const double part = sum - values_[i];
    rests_[i] += (values_[i] - (sum - part)) + (value - part);
    values_[i] = sum;
  }
  SYNOD_CHECK(finite == 0.0, "a block sum that is not finite");
  // The sum of `units` vectors of norm at most C: anything longer was not clipped, or is not a sum of these units.
  const double longest = clip_ * static_cast<double>(units) * (1.0 + kFloatErrorShare);
  SYNOD_CHECK(squared <= longest * longest, "a block sum that is longer than its clipped units can be");
}

ClippedSum ClippedSummer::Finish() && {
  for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += rests_[i];
  return {std::move(values_), clip_};
}

}  // namespace synod
