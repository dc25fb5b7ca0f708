// The two networks of a wgan run, fixed by the schema and the options.
//
//   critic      [slots -> hidden ... -> 1]   of a row: for each column (one-hot of its token) - (noisy shares)
//   generator   [latent -> hidden ... -> slots]   added to the log of the noisy shares, a softmax for each column
// Leaky ReLU behind every hidden layer. The critic's last layer has no bias: what does not depend on the row cancels
// between real and generated ones.
//
// A column owns as many slots as it can have tokens (TokenCapacity); slots without a token are never read.
#pragma once

#include <vector>

#include "models/engine/parameter_view.h"
#include "models/family.h"
#include "models/tabular/public_grid.h"
#include "models/tabular/token_transform.h"
#include "models/wgan/options.h"

namespace synod::wgan {

inline constexpr double kLeak = 0.2;  // slope of a leaky ReLU below zero

struct Shape {
  Shape(const std::vector<tabular::PublicGrid>& grids, const Options& options);

  std::size_t columns() const { return first_slot.size() - 1; }
  std::size_t slots() const { return first_slot.back(); }

  std::vector<std::size_t> first_slot;  // columns + 1 entries
  engine::ParameterBuilder critic_builder;
  std::vector<engine::LinearLayer> critic;
  engine::ParameterBuilder generator_builder;
  std::vector<engine::LinearLayer> generator;
};

// A row as the critic sees it, into `slots` numbers. `tokens`: one a column.
void FillCriticInput(const Shape& shape, const tabular::TokenTransform& transform,
                     std::span<const std::uint16_t> tokens, std::span<float> input);

// What a run's schema and options say about its networks.
struct ModelParts {
  Options options;
  std::vector<tabular::PublicGrid> grids;
  ParameterLayout generator_layout;  // of what is published
};

// Fails when the options are broken, or the plan is not one of this family on this schema.
Result<ModelParts> PartsOf(const FamilyRun& run);

}  // namespace synod::wgan
