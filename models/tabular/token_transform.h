// From one noisy histogram of every column to the tokens that a generator works with. Post-processing: it sees noisy
// counts, the schema's grids and public constants, never a record.
//
// A token is a run of neighbouring grid cells. A heavy cell is a token of its own (an atom of the distribution, found
// in the noisy counts); lighter neighbours are merged into tokens of about equal mass; a column of few
// values keeps one token a value. The number of tokens of a column
// never exceeds its capacity, which follows from the schema alone, so that the dimension of every query is known before
// anything runs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/core/canonical_json.h"
#include "models/tabular/public_grid.h"

namespace synod::tabular {

struct TokenColumn {
  std::vector<std::uint16_t> token_of_cell;  // every grid cell, missing included
  std::vector<double> probability;           // of each token; non-negative, sums to 1
  std::vector<double> cell_probability;      // of each cell; non-negative, sums to 1

  std::size_t tokens() const { return probability.size(); }
};

struct TokenOptions {
  std::size_t target_tokens = 16;  // tokens that a wide numeric column is cut into
};

// The most tokens a column can have: public.
std::size_t TokenCapacity(const PublicGrid& grid, const TokenOptions& options);

// `noisy_counts`: one value a cell, of standard deviation `sigma`; `total`: the (noisy or public) number of units.
TokenColumn MakeTokens(const PublicGrid& grid, std::span<const double> noisy_counts, double sigma, double total,
                       const TokenOptions& options);

// The tokens of all columns, laid side by side.
class TokenTransform {
 public:
  // `histogram`: the cells of all columns, one after the other.
  static TokenTransform FromHistogram(const std::vector<PublicGrid>& grids, std::span<const float> histogram,
                                      double sigma, const TokenOptions& options);

  std::size_t columns() const { return columns_.size(); }
  const TokenColumn& column(std::size_t index) const { return columns_[index]; }

 private:
  std::vector<TokenColumn> columns_;
};

}  // namespace synod::tabular
