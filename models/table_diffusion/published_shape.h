// The network of the variants with Gaussian noise: a blind residual MLP on [numbers | one-hots] that predicts the added
// noise, or the clean row (Truda 2023). Blocks: Linear -> normalisation over the row -> ReLU -> concatenated with the
// block's input.
//
// Coordinates: a numeric column is one coordinate, its DP quantile in (0, 1), and one more that says "missing" where
// the schema allows that; a categorical column has one coordinate a cell.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine/parameter_view.h"
#include "models/table_diffusion/options.h"
#include "models/tabular/public_grid.h"

namespace synod::table_diffusion {

struct PublishedShape {
  PublishedShape(const std::vector<tabular::PublicGrid>& grids, const Options& options);

  std::size_t columns() const { return first_coordinate.size() - 1; }
  std::size_t coordinates() const { return first_coordinate.back(); }
  std::int64_t parameters() const { return builder.size(); }

  std::size_t width(std::size_t column) const { return first_coordinate[column + 1] - first_coordinate[column]; }

  std::vector<std::size_t> first_coordinate;  // columns + 1 entries
  engine::ParameterBuilder builder;
  engine::LinearLayer first;
  engine::NormLayer first_norm;
  engine::LinearLayer second;
  engine::NormLayer second_norm;
  engine::LinearLayer last;
};

// Variance of the noise of level t of `levels`: (1 - cos(pi t / levels)) / 2 + 0.1.
double NoiseVariance(std::uint32_t level, std::uint32_t levels);

}  // namespace synod::table_diffusion
