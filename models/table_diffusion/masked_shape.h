// The network of the masked variant: its columns, its token slots and its layers, all fixed by the schema.
//
//   input   [slots -> hidden]          visible columns, each (one-hot of its token) - (noisy probabilities); hidden: 0
//   time    [embedding -> hidden]      share of columns that is visible, no bias; only where asked for
//   output  [hidden -> slots]          added to the log of the noisy probabilities, a softmax for each column
// hidden = tanh(input + time); logits = log p + output(hidden).
//
// A column owns as many slots as it can have tokens (TokenCapacity); slots without a token are never read.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine/parameter_view.h"
#include "models/table_diffusion/options.h"
#include "models/tabular/public_grid.h"

namespace synod::table_diffusion {

struct MaskedShape {
  MaskedShape(const std::vector<tabular::PublicGrid>& grids, const Options& options);

  std::size_t columns() const { return first_slot.size() - 1; }
  std::size_t slots() const { return first_slot.back(); }
  std::int64_t parameters() const { return builder.size(); }

  std::vector<std::size_t> first_slot;  // columns + 1 entries
  engine::ParameterBuilder builder;
  engine::LinearLayer input;
  engine::LinearLayer time;
  engine::LinearLayer output;
};

// cos and sin of (i + 1/2) pi t for i below size / 2; t in [0, 1] is the share of columns that is visible.
std::vector<float> TimeEmbedding(double t, std::uint32_t size);

}  // namespace synod::table_diffusion
