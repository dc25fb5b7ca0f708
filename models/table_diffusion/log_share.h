// The log of a column's noisy token shares: where the logits of the denoiser start from.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {

// A share of zero would forbid a value that the schema allows; the floor is far below what noisy counts can tell.
inline constexpr double kLeastShare = 1e-5;

inline std::vector<float> LogShares(const tabular::TokenColumn& column) {
  std::vector<float> logs;
  for (const double p : column.probability) logs.push_back(static_cast<float>(std::log(std::max(p, kLeastShare))));
  return logs;
}

}  // namespace synod::table_diffusion
