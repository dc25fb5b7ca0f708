// The published generator: cells from the network, values from cells. No LibTorch.
#pragma once

#include <memory>
#include <vector>

#include "models/attention/sampler.h"
#include "models/family.h"
#include "models/tabular/row_decoder.h"

namespace synod::attention {

class AttentionGenerator final : public Generator {
 public:
  // Fails where the model is not one of this family, or does not fit the schema.
  static Result<std::unique_ptr<Generator>> Open(std::shared_ptr<const Schema> schema, const GeneratorModel& model);

  // Conditions are exact where columns are decoded one by one without a latent vector: given columns are revealed from
  // the start. Otherwise they are refused: the latent vector would have to be drawn given them.
  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override;

 private:
  AttentionGenerator(std::shared_ptr<const Schema> schema, Options options, std::vector<tabular::PublicGrid> grids,
                     tabular::TokenTransform transform);

  std::shared_ptr<const Schema> schema_;
  Options options_;
  std::vector<tabular::PublicGrid> grids_;
  tabular::TokenTransform transform_;
  std::vector<ColumnCode> codes_;
  Shape shape_;
  std::unique_ptr<Sampler> sampler_;
  tabular::RowDecoder decoder_;
};

}  // namespace synod::attention
