// Total variation distances between the one-way and two-way marginals of two tables, in the bins of ColumnBins:
// half the sum over the cells of |share in a - share in b|; 0 is equal, 1 is disjoint.
#pragma once

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "tools/evaluation/column_bins.h"

namespace synod {

using BinnedTable = std::vector<BinnedColumn>;

// Both columns come from the same ColumnBins and have at least one row.
double TotalVariation(const BinnedColumn& a, const BinnedColumn& b);

// The same for the joint distribution of two columns of each table.
double PairTotalVariation(const std::pair<const BinnedColumn*, const BinnedColumn*>& a,
                          const std::pair<const BinnedColumn*, const BinnedColumn*>& b);

struct PairDistances {
  double mean = 0.0;
  double maximum = 0.0;
  std::pair<std::size_t, std::size_t> worst;  // positions in the table
};

// All pairs of `columns` (positions in both tables); nothing if there are fewer than two.
std::optional<PairDistances> ComparePairs(const BinnedTable& a, const BinnedTable& b,
                                          const std::vector<std::size_t>& columns);

}  // namespace synod
