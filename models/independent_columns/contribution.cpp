#include "models/independent_columns/contribution.h"

#include <vector>

#include "common/query/grid.h"
#include "models/independent_columns/plan.h"
#include "models/tabular/histogram_sum.h"

namespace synod::independent_columns {
namespace {

class HistogramContribution final : public Contribution {
 public:
  HistogramContribution(std::vector<tabular::PublicGrid> grids, std::shared_ptr<const UnitTable> units, double clip)
      : grids_(std::move(grids)), units_(std::move(units)), clip_(clip), cells_(CellsOf(units_->table(), grids_)) {}

  std::uint32_t UnitsPerBlock(const Query&) const override { return kMostRowsPerBlock; }

  Result<ClippedSum> Sum(const Query& query, const BlockedBatch& batch) override {
    if (query.kind != QueryKind::kHistogram) return BadInput("independent_columns answers histogram queries alone");
    if (!query.context.empty() || !query.parameters.empty()) return BadInput("a histogram query carries values");
    return tabular::HistogramSum(grids_, cells_, *units_, batch, clip_);
  }

 private:
  std::vector<tabular::PublicGrid> grids_;
  std::shared_ptr<const UnitTable> units_;
  double clip_;
  std::vector<std::vector<std::uint16_t>> cells_;  // [column][row]
};

}  // namespace

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units) {
  SYNOD_ASSIGN_OR_RETURN(RunParts parts, PartsOf(run));
  return std::unique_ptr<Contribution>(
      std::make_unique<HistogramContribution>(std::move(parts.grids), std::move(units), run.plan->entries()[0].clip));
}

}  // namespace synod::independent_columns
