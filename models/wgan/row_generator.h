// The published generator of wgan: rows of tokens from latent vectors, cells from tokens, values from cells. No
// LibTorch.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/tabular/row_decoder.h"
#include "models/wgan/latent_rows.h"

namespace synod::wgan {

class RowGenerator final : public Generator {
 public:
  // Fails where the model does not fit the schema.
  static Result<std::unique_ptr<Generator>> Open(std::shared_ptr<const Schema> schema, const GeneratorModel& model);

  // Refuses conditions: all columns of a row come from one latent vector at once.
  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override;

 private:
  RowGenerator(std::shared_ptr<const Schema> schema, const Options& options, std::vector<tabular::PublicGrid> grids,
               tabular::TokenTransform transform, std::vector<float> parameters, std::vector<float> offsets);

  std::vector<tabular::PublicGrid> grids_;
  tabular::TokenTransform transform_;
  Shape shape_;
  LatentRows latent_rows_;
  tabular::RowDecoder decoder_;
  std::vector<float> parameters_;
  std::vector<float> offsets_;
};

}  // namespace synod::wgan
