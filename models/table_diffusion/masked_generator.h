// The published generator of the masked variant: rows from tokens, cells from tokens, values from cells. No LibTorch.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/table_diffusion/masked_sampler.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/table_diffusion/model_json.h"
#include "models/tabular/row_decoder.h"

namespace synod::table_diffusion {

class MaskedGenerator final : public Generator {
 public:
  // Fails where the model does not fit the schema.
  static Result<std::unique_ptr<Generator>> Open(std::shared_ptr<const Schema> schema, const OpenedModel& model,
                                                 const std::vector<float>& parameters);

  // Conditions are exact: a given column is visible from the start and the rest is drawn given it.
  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override;

 private:
  MaskedGenerator(std::shared_ptr<const Schema> schema, Options options, std::vector<tabular::PublicGrid> grids,
                  tabular::TokenTransform transform);

  std::shared_ptr<const Schema> schema_;
  Options options_;
  std::vector<tabular::PublicGrid> grids_;
  tabular::TokenTransform transform_;
  MaskedShape shape_;
  std::unique_ptr<MaskedSampler> sampler_;
  tabular::RowDecoder decoder_;
};

}  // namespace synod::table_diffusion
