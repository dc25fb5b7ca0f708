// A question that the coordinator asks: a sum over the sampled privacy units, given public state.
#pragma once

#include <cstdint>
#include <vector>

#include "common/privacy/query_kind.h"

namespace synod {

struct Query {
  std::uint32_t index = 0;  // counts up over the run and is never used again
  std::uint32_t entry = 0;  // of the plan: which sampling rate, clip, grid and noise this query has
  QueryKind kind = QueryKind::kHistogram;
  std::vector<float> context;     // public state, such as the noisy histograms that the transforms come from
  std::vector<float> parameters;  // the flat float32 model vector (ParameterLayout); empty where there is no model
  bool operator==(const Query&) const = default;
};

}  // namespace synod
