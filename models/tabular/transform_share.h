// How much of the privacy budget the one histogram of all columns gets where the run file does not say. From public
// numbers alone.
//
// Let r be the noise of one cell, if the histogram had the whole budget, against the units that a token of a column
// would hold if its kTokens tokens were equally heavy. A histogram with the share f has the relative error r / sqrt(f),
// and what is left for training shrinks by sqrt(1 - f): many rows need little for their histogram, few rows with many
// columns more. The share is kPerRoot sqrt(r), at least kLeastShare and at most kMostShare.
#pragma once

#include <cstddef>
#include <cstdint>

namespace synod::tabular {

inline constexpr double kLeastShare = 0.1;
inline constexpr double kMostShare = 0.3;

// `columns`: modelled ones, at least 1; `units`: at least 1; `epsilon` and `delta`: the target of the whole run.
double TransformShare(std::size_t columns, std::uint64_t units, double epsilon, double delta);

}  // namespace synod::tabular
