// What the tests of the attention family share: everything that its batcher, sampler and generator need, over random
// rows of the mixed schema.
#pragma once

#include <memory>
#include <vector>

#include "models/attention/batch.h"
#include "models/attention/column_code.h"
#include "models/attention/options.h"
#include "models/attention/shape.h"
#include "models/family.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::testing {

attention::Options SmallAttention(attention::Decoding decoding = attention::Decoding::kOneByOne,
                                  std::uint32_t latent = 2);

struct AttentionWorld {
  explicit AttentionWorld(const attention::Options& wanted, std::shared_ptr<const Schema> of = MixedSchema(),
                          std::size_t most_rows = 1);
  AttentionWorld(const AttentionWorld&) = delete;
  AttentionWorld& operator=(const AttentionWorld&) = delete;

  // Values of this size for every parameter.
  std::vector<float> Parameters(double size, std::uint64_t seed = 1) const;
  // A model as a trainer would publish it, with these parameters.
  GeneratorModel Model(std::vector<float> parameters) const;

  std::shared_ptr<const Schema> schema;
  std::shared_ptr<const Table> table;
  UnitTable units;
  attention::Options options;
  std::vector<tabular::PublicGrid> grids;
  std::vector<std::vector<std::uint16_t>> cells;
  std::vector<float> histogram;
  tabular::TokenTransform transform;
  std::vector<attention::ColumnCode> codes;
  attention::Shape shape;
  attention::Batcher batcher;
};

}  // namespace synod::testing
