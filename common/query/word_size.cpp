#include "common/query/word_size.h"

#include <algorithm>
#include <cmath>

namespace synod {

double LargestBatch(SamplingRate rate, std::uint64_t units) {
  const double all = static_cast<double>(units);
  const double expected = rate.AsDouble() * all;
  return std::min(all, std::ceil(expected + 12.0 * std::sqrt(expected) + 72.0));
}

Result<WordBits> ChooseWordBits(const Grid& grid, double largest_batch, std::uint64_t variance, std::uint32_t sites) {
  if (!(largest_batch >= 0.0) || !std::isfinite(largest_batch) || sites == 0) {
    return BadInput("the size of the batch or the number of sites is out of range");
  }
  const double noise = 12.0 * std::sqrt(static_cast<double>(variance) * sites);
  const double largest = largest_batch * std::sqrt(static_cast<double>(grid.delta_squared())) + sites + noise;
  if (largest < 0x1p31) return WordBits::k32;
  if (largest < 0x1p62) return WordBits::k64;  // each site's own sum must also stay below 2^62
  return BadInput("the sum of a query does not fit into 64 bits", "choose a coarser grid or a smaller batch");
}

}  // namespace synod
