// One column of the report: real against synthetic, as paired bars for categories and as histograms laid over each
// other for numbers, with the share of missing cells.
#pragma once

#include <string>

#include "tools/evaluation/column_profile.h"

namespace synod {

inline constexpr std::size_t kMaxBarsOfCard = 12;  // more categories: the most frequent, the rest as one

// An <article> with the id `anchor` (a literal of the caller, not escaped).
std::string DistributionCard(const ColumnProfile& profile, const std::string& anchor);

// "categorical", "integer", ...
std::string TypeText(ColumnType type);

}  // namespace synod
