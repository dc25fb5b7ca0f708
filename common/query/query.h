// A question that the coordinator asks: a sum over the sampled privacy units, given public state.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace synod {

// The numbers are on the wire and in ledgers; they never change.
enum class QueryKind : std::uint8_t {
  kHistogram = 1,  // concatenated one-hot counts of columns
  kGradient = 2,   // clipped per-unit gradients
};

constexpr std::string_view QueryKindName(QueryKind kind) {
  switch (kind) {
    case QueryKind::kHistogram:
      return "histogram";
    case QueryKind::kGradient:
      return "gradient";
  }
  return "unknown";
}

struct Query {
  std::uint32_t index = 0;  // counts up over the run and is never used again
  std::uint32_t entry = 0;  // of the plan: which sampling rate, clip, grid and noise this query has
  QueryKind kind = QueryKind::kHistogram;
  std::vector<float> context;     // public state, such as the noisy histograms that the transforms come from
  std::vector<float> parameters;  // the flat float32 model vector (ParameterLayout); empty where there is no model
  bool operator==(const Query&) const = default;
};

}  // namespace synod
