// Rows as the variants with Gaussian noise see them: [DP quantile of each number | one-hots], and back.
//
// The quantile of a value is the noisy distribution function at its cell plus the cell's share times the position
// within the cell; its inverse finds the cell again. Everything comes from the noisy histogram and the public grids.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/table_diffusion/published_shape.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {

class PublishedCodec {
 public:
  PublishedCodec(const PublishedShape& shape, const std::vector<tabular::PublicGrid>& grids,
                 std::span<const float> histogram, double sigma);

  // One row's cells into `coordinates` numbers. `position`: uniform in [0, 1), where a value lies within its cell.
  void Encode(std::span<const std::uint16_t> cells, double position, std::span<float> coordinates) const;

  // The cell of every column: the largest one-hot coordinate; for a number the cell at its quantile, and missing where
  // that coordinate says so.
  void Decode(std::span<const float> coordinates, std::span<std::uint16_t> cells) const;

  // A row of cells drawn from the noisy shares, every column by itself: where sampling starts from.
  std::uint16_t DrawCell(std::size_t column, double uniform) const;

 private:
  const PublishedShape& shape_;
  const std::vector<tabular::PublicGrid>& grids_;
  std::vector<std::vector<double>> cumulative_;        // [column][cell]: shares of all cells, missing included
  std::vector<std::vector<double>> value_cumulative_;  // [column][cell]: of the value cells alone, ends at 1
};

}  // namespace synod::table_diffusion
