#include "models/table_diffusion/published_codec.h"

#include <algorithm>
#include <numeric>

namespace synod::table_diffusion {
namespace {

std::vector<double> Cumulative(std::span<const double> shares) {
  std::vector<double> sums(shares.size());
  std::partial_sum(shares.begin(), shares.end(), sums.begin());
  if (!(sums.back() > 0.0)) {
    for (std::size_t i = 0; i < sums.size(); ++i) sums[i] = static_cast<double>(i + 1);
  }
  for (double& sum : sums) sum /= sums.back();
  return sums;
}

std::size_t CellAt(const std::vector<double>& cumulative, double quantile) {
  const auto found = std::upper_bound(cumulative.begin(), cumulative.end(), quantile);
  return std::min<std::size_t>(static_cast<std::size_t>(found - cumulative.begin()), cumulative.size() - 1);
}

}  // namespace

PublishedCodec::PublishedCodec(const PublishedShape& shape, const std::vector<tabular::PublicGrid>& grids,
                               std::span<const float> histogram, double sigma)
    : shape_(shape), grids_(grids) {
  // Only the projected cell shares of the transform are used here, not its tokens.
  const auto transform = tabular::TokenTransform::FromHistogram(grids, histogram, sigma, {});
  for (std::size_t j = 0; j < grids.size(); ++j) {
    const std::vector<double>& shares = transform.column(j).cell_probability;
    cumulative_.push_back(Cumulative(shares));
    value_cumulative_.push_back(Cumulative(std::span(shares).first(grids[j].value_cells())));
  }
}

void PublishedCodec::Encode(std::span<const std::uint16_t> cells, double position, std::span<float> coordinates) const {
  std::fill(coordinates.begin(), coordinates.end(), 0.0F);
  for (std::size_t j = 0; j < grids_.size(); ++j) {
    float* own = &coordinates[shape_.first_coordinate[j]];
    if (!grids_[j].numeric()) {
      own[cells[j]] = 1.0F;
    } else if (grids_[j].has_missing() && cells[j] == grids_[j].missing_cell()) {
      own[0] = 0.5F;
      own[1] = 1.0F;
    } else {
      const double before = cells[j] == 0 ? 0.0 : value_cumulative_[j][cells[j] - 1U];
      own[0] = static_cast<float>(before + position * (value_cumulative_[j][cells[j]] - before));
    }
  }
}

void PublishedCodec::Decode(std::span<const float> coordinates, std::span<std::uint16_t> cells) const {
  for (std::size_t j = 0; j < grids_.size(); ++j) {
    const std::size_t first = shape_.first_coordinate[j];
    const std::span<const float> own = coordinates.subspan(first, shape_.first_coordinate[j + 1] - first);
    if (!grids_[j].numeric()) {
      cells[j] = static_cast<std::uint16_t>(std::max_element(own.begin(), own.end()) - own.begin());
    } else if (grids_[j].has_missing() && own[1] > 0.5F) {
      cells[j] = static_cast<std::uint16_t>(grids_[j].missing_cell());
    } else {
      // A coordinate beyond the quantiles is the outermost cell that has a share, not the bound of the schema.
      constexpr double kLastQuantile = 1.0 - 0x1p-40;
      const double quantile = std::clamp(static_cast<double>(own[0]), 0.0, kLastQuantile);
      cells[j] = static_cast<std::uint16_t>(CellAt(value_cumulative_[j], quantile));
    }
  }
}

std::uint16_t PublishedCodec::DrawCell(std::size_t column, double uniform) const {
  return static_cast<std::uint16_t>(CellAt(cumulative_[column], uniform));
}

}  // namespace synod::table_diffusion
