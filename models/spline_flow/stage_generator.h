// The published generator of the autoregressive variant: rows of cells, values from cells, and the exact likelihood of
// rows. No LibTorch.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/spline_flow/model_parts.h"
#include "models/spline_flow/stage_batch.h"
#include "models/spline_flow/stage_sampler.h"
#include "models/tabular/row_decoder.h"

namespace synod::spline_flow {

class StageGenerator final : public Generator, public Likelihood {
 public:
  // BadInput where the model does not fit the schema.
  static Result<std::unique_ptr<Generator>> Open(std::shared_ptr<const Schema> schema, const OpenedModel& model,
                                                 const std::vector<float>& parameters);

  // Conditions are exact. Given columns that come first in the order cost nothing; others are met by rejection (a row
  // is drawn with the given cells in place and kept with their probability), which fails where the condition is too
  // rare.
  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override;

  const Likelihood* likelihood() const override { return this; }
  Result<RowLikelihoods> LogLikelihood(const Table& rows) const override;
  std::string Measure() const override;

 private:
  // Conditions by stage.
  struct Conditions {
    std::vector<std::int32_t> cells;
    std::vector<const GivenValue*> values;
    bool by_rejection = false;
  };

  StageGenerator(std::shared_ptr<const Schema> schema, const Options& options, std::vector<tabular::PublicGrid> grids,
                 tabular::TokenTransform transform);
  Result<Conditions> ConditionsOf(std::span<const GivenValue> given) const;

  std::shared_ptr<const Schema> schema_;
  std::vector<tabular::PublicGrid> grids_;
  tabular::TokenTransform transform_;
  std::vector<ColumnBase> bases_;
  StageShape shape_;
  std::unique_ptr<StageSampler> sampler_;
  tabular::RowDecoder decoder_;
};

}  // namespace synod::spline_flow
