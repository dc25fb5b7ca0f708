// Which family suits a table of this size at this epsilon: the one that came out best on the measured table that is
// most like it. Public numbers alone go in: the schema, the stated number of units, epsilon.
//
// Likeness. What noise does to a family follows from units x epsilon (the noise in a share of units falls with both)
// and from the number of columns that share a budget; how columns are modelled follows from whether they are numeric:
//   distance = |ln(units epsilon / measured)| + |ln(columns / measured)| + |numeric share - measured|
//
// Best. Within the nearest table and epsilon every family (the mean over its seeds) is ranked by pairs of columns, by
// AUROC and by the discriminator; the smallest sum of ranks wins, and of equals the smaller distance of pairs.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/core/canonical_json.h"
#include "common/data/schema.h"
#include "models/recommendation/measured_results.h"

namespace synod {

struct TableSize {
  std::uint64_t units = 0;
  std::uint32_t columns = 0;  // that are modelled
  std::uint32_t numeric_columns = 0;
  double epsilon = 0.0;
};

TableSize SizeOf(const Schema& schema, std::uint64_t units, double epsilon);

// A family on the measured table, means over its seeds.
struct FamilyScore {
  std::string family;
  std::string variant;
  std::uint32_t seeds = 0;
  double tvd1 = 0.0;
  double tvd2 = 0.0;
  double auroc = 0.0;
  double discriminator = 0.0;
  double train_seconds = 0.0;

  std::string Name() const { return variant.empty() ? family : family + " (" + variant + ")"; }
};

struct Recommendation {
  std::string data;  // the measured table
  TableSize size;    // its size and the epsilon
  double distance = 0.0;
  bool is_near = false;             // a factor of about 3 in all, no more
  std::vector<FamilyScore> ranked;  // best first; never empty
};

// Nothing to recommend from is an error.
Result<Recommendation> Recommend(const TableSize& size, std::span<const MeasuredResult> measured);

// `family` and `variant`: what the run asks for.
std::string RecommendationText(const Recommendation& recommendation, const std::string& family,
                               const std::string& variant);
Json RecommendationJson(const Recommendation& recommendation);

}  // namespace synod
