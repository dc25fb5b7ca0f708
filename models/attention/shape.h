// The network: its columns, its component slots and its layers, all fixed by the schema and the options.
//
//   column.j    [components of column j -> width]   a column's token: its shares, less the noisy weights
//   latent      [latent -> width]                   the latent vector's token
//   key         [width -> width], no bias           keys of all tokens; the values are the tokens themselves
//   places      [columns + 1][width]                added to the keys: which column it is; the last is the latent's
//   queries     [columns + 1][width]                what a column looks for; the last is the encoder's
//   hidden      [width -> hidden]                   tanh of it, on query + what attention found
//   posterior   [hidden -> 2 latent]                mean and log variance of q(z | row)
//   head.j      [hidden -> components of column j]  added to the log of the noisy weights
//
// One block of attention serves both directions: the encoder's query looks at all columns of a row, the query of a
// column to be decoded looks at the latent token and at the columns that are revealed. Beside the tokens there is a
// sink of constant score log(columns) and value zero, and what was found is multiplied by the number of columns: a
// token that attends little is little, and what several columns say adds up instead of being averaged.
//
// A column owns as many slots as it can have components (TokenCapacity); slots without a component are never read.
#pragma once

#include <cstdint>
#include <vector>

#include "models/attention/options.h"
#include "models/engine/parameter_view.h"
#include "models/tabular/public_grid.h"

namespace synod::attention {

struct Shape {
  Shape(const std::vector<tabular::PublicGrid>& grids, const Options& options);

  std::size_t columns() const { return first_slot.size() - 1; }
  std::size_t slots() const { return first_slot.back(); }
  std::size_t slots_of(std::size_t j) const { return first_slot[j + 1] - first_slot[j]; }
  std::int64_t parameters() const { return builder.size(); }
  bool has_latent() const { return latent_size > 0; }
  // Tokens that a query can look at: the columns, and the latent.
  std::size_t places_count() const { return columns() + (has_latent() ? 1 : 0); }

  std::int64_t width = 0;
  std::int64_t heads = 1;
  std::int64_t hidden_size = 0;
  std::int64_t latent_size = 0;
  std::vector<std::size_t> first_slot;  // columns + 1 entries
  engine::ParameterBuilder builder;
  std::vector<engine::LinearLayer> column;
  engine::LinearLayer latent;
  engine::LinearLayer key;
  engine::BroadcastLayer places;
  engine::BroadcastLayer queries;
  engine::LinearLayer hidden;
  engine::LinearLayer posterior;
  std::vector<engine::LinearLayer> head;
};

// The score of the sink, and what the mixed values are multiplied by.
double SinkScore(const Shape& shape);
double MixScale(const Shape& shape);

}  // namespace synod::attention
