// One column of a noisy histogram as counts that are not negative and add up to the number of units, with the noise
// taken off as far as the column's structure allows. Post-processing: noisy counts, their standard deviation, the
// public grid.
//
// Numbers: neighbouring cells are smoothed together (segment_average.h) over what they cover on an even and on a
// logarithmic scale; special values and missing stand for themselves. Categories: counts of many of them are learned
// together (count_prior.h); a few stand for themselves. Then the closest vector without negative entries.
#pragma once

#include <span>
#include <vector>

#include "models/tabular/public_grid.h"

namespace synod::tabular {

// Fewer categories say too little about what counts are like.
inline constexpr std::size_t kCategoriesToLearnFrom = 24;

// `noisy_counts`: one finite value a cell, with independent noise of standard deviation `sigma` >= 0; `total` > 0: the
// (noisy or public) number of units. The result sums to `total` up to rounding.
std::vector<double> DenoisedCounts(const PublicGrid& grid, std::span<const double> noisy_counts, double sigma,
                                   double total);

// The closest vector (in L2) with non-negative entries that sum to `total`.
std::vector<double> ProjectToSimplex(std::span<const double> values, double total);

}  // namespace synod::tabular
