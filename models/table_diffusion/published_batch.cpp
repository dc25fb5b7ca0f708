#include "models/table_diffusion/published_batch.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "models/tabular/mixing_stream.h"

namespace synod::table_diffusion {
namespace {

void FillNoise(tabular::MixingStream& mix, double deviation, std::span<float> noise) {
  for (std::size_t i = 0; i < noise.size(); i += 2) {
    float first = 0.0F;
    float second = 0.0F;
    mix.NormalPair(first, second);
    noise[i] = static_cast<float>(deviation) * first;
    if (i + 1 < noise.size()) noise[i + 1] = static_cast<float>(deviation) * second;
  }
}

}  // namespace

PublishedBatcher::PublishedBatcher(const PublishedShape& shape, const Options& options, const PublishedCodec& codec,
                                   const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units)
    : shape_(shape), options_(options), codec_(codec), cells_(cells), units_(units) {}

PublishedBatch PublishedBatcher::Make(std::span<const std::uint32_t> units,
                                      std::span<const std::uint64_t> streams) const {
  SYNOD_CHECK(streams.size() == units.size(), "one stream for each unit");
  const std::size_t width = shape_.coordinates();
  const std::size_t uses = static_cast<std::size_t>(units_.max_rows_per_unit()) * options_.levels;
  PublishedBatch batch;
  batch.noisy.assign(units.size() * uses * width, 0.0F);
  batch.target.assign(units.size() * uses * width, 0.0F);
  batch.weight.assign(units.size() * uses, 0.0F);
  const bool predicts_row = options_.variant == Variant::kDenoiser;
  std::vector<float> clean(width);
  std::vector<std::uint16_t> row_cells(cells_.size());
  for (std::size_t i = 0; i < units.size(); ++i) {
    tabular::MixingStream mix(streams[i]);
    const std::span<const std::uint32_t> own = units_.rows(units[i]);
    std::size_t use = i * uses;
    for (const std::uint32_t row : own) {
      for (std::size_t j = 0; j < cells_.size(); ++j) row_cells[j] = cells_[j][row];
      codec_.Encode(row_cells, mix.Uniform(), clean);
      for (std::uint32_t level = 0; level < options_.levels; ++level, ++use) {
        const std::span<float> noisy = std::span(batch.noisy).subspan(use * width, width);
        const std::span<float> target = std::span(batch.target).subspan(use * width, width);
        FillNoise(mix, std::sqrt(NoiseVariance(level, options_.levels)), noisy);
        std::copy_n((predicts_row ? clean : noisy).begin(), width, target.begin());
        for (std::size_t x = 0; x < width; ++x) noisy[x] += clean[x];
        batch.weight[use] = 1.0F / static_cast<float>(own.size() * options_.levels);
      }
    }
  }
  return batch;
}

}  // namespace synod::table_diffusion
