// One micro-batch of the variants with Gaussian noise: every level of noise of every row, all inside the unit's one
// clip.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/data/unit_table.h"
#include "models/table_diffusion/published_codec.h"
#include "models/table_diffusion/published_shape.h"

namespace synod::table_diffusion {

struct PublishedBatch {
  std::vector<float> noisy;   // [units * uses][coordinates]: row + noise
  std::vector<float> target;  // [units * uses][coordinates]: what is to be predicted, the scaled noise or the clean row
  std::vector<float> weight;  // [units * uses]: 1 / (rows of the unit x levels); 0 for uses that a unit lacks
};

class PublishedBatcher {
 public:
  PublishedBatcher(const PublishedShape& shape, const Options& options, const PublishedCodec& codec,
                   const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units);

  // `streams`: one word for each of `units`, where its draws begin.
  PublishedBatch Make(std::span<const std::uint32_t> units, std::span<const std::uint64_t> streams) const;

 private:
  const PublishedShape& shape_;
  const Options& options_;
  const PublishedCodec& codec_;
  const std::vector<std::vector<std::uint16_t>>& cells_;
  const UnitTable& units_;
};

}  // namespace synod::table_diffusion
