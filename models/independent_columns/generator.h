// The published generator of independent_columns: every column drawn on its own from its noisy histogram, made
// non-negative and consistent; a number evenly within its cell. No LibTorch.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/tabular/public_grid.h"
#include "models/tabular/row_decoder.h"
#include "models/tabular/token_transform.h"

namespace synod::independent_columns {

class MarginalGenerator final : public Generator {
 public:
  // Strict; fails where the model does not fit the schema.
  static Result<std::unique_ptr<Generator>> Open(std::shared_ptr<const Schema> schema, const GeneratorModel& model);

  // A condition sets its column and changes nothing else: the columns know nothing of each other.
  Result<Table> Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                      std::span<const GivenValue> given) const override;

 private:
  MarginalGenerator(std::shared_ptr<const Schema> schema, std::vector<tabular::PublicGrid> grids,
                    std::span<const float> counts, double sigma);
  std::size_t DrawCell(std::size_t column, double uniform) const;

  std::vector<tabular::PublicGrid> grids_;
  tabular::TokenTransform transform_;
  tabular::RowDecoder decoder_;
  std::vector<std::vector<double>> cumulative_;  // [column][cell], up to the last cell that has a share
};

}  // namespace synod::independent_columns
