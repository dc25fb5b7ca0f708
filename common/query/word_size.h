// How wide the words of an answer must be so that the total of a query cannot wrap.
#pragma once

#include <cstdint>

#include "common/core/result.h"
#include "common/query/grid.h"
#include "common/query/sampling_rate.h"
#include "common/query/sums.h"

namespace synod {

// A batch size that Poisson sampling of `units` units exceeds with probability below 1e-30: q n + 12 sqrt(q n) + 72,
// but never above n. (Bernstein's inequality: exp(-t^2 / (2 q n + 2 t / 3)) < e^-72 at t = 12 sqrt(q n) + 72.)
double LargestBatch(SamplingRate rate, std::uint64_t units);

// 32 where  largest_batch Delta + 12 sigma_total < 2^31 , else 64 where the same holds with 2^63, else BadInput. All
// sites together: `largest_batch` units, noise of variance `sites` x `variance`, one rounding each. Delta stands for
// gamma C and is a little above it. Wrapping would hurt utility, never privacy.
Result<WordBits> ChooseWordBits(const Grid& grid, double largest_batch, std::uint64_t variance, std::uint32_t sites);

}  // namespace synod
