// The distribution of one column, given the outputs of its stage: a softmax over its bins, and within a bin of several
// cells the curve of its spline.
//
//   bin v has probability proportional to share_v exp(a_v); a are the outputs of the tokens
//   log slope at the knot between bins v - 1 and v, relative to bin v:  L tanh(((a_{v-1} - a_v) / 2 + b_v) / L)
//
// b are the outputs of the knots (0 where slopes are not learned), L = kMostLogSlope bounds them. Beside an atom, and
// at the ends, the first term is absent: the density there is the bin's own. Zero outputs are the noisy distribution
// itself. Together this is a monotone rational-quadratic spline of the noisy distribution function with knots at the
// ends of the bins; an atom is an interval of it.
#pragma once

#include <cstddef>
#include <span>

#include "models/spline_flow/bin_curve.h"
#include "models/spline_flow/column_base.h"

namespace synod::spline_flow {

inline constexpr double kMostLogSlope = 3.0;

// `outputs`: of the stage's tokens, then, where `knots` is not 0, of its knots.
struct StageOutputs {
  std::span<const float> tokens;
  std::span<const float> knots;
};

BinSlopes SlopesOf(const ColumnBase& base, const StageOutputs& outputs, std::size_t token);

// The log of the share of the cell within its bin; 0 for a bin of one cell.
double LogShareInBin(const ColumnBase& base, const StageOutputs& outputs, std::size_t cell);

// -log P(cell), and its gradient by the outputs times `weight`, written in place of them. `outputs`: tokens, then
// knots; `capacity` of them are the tokens', of which the first base.tokens() are used.
double LossAndGradient(const ColumnBase& base, std::size_t cell, float weight, std::size_t capacity,
                       std::span<float> outputs);

}  // namespace synod::spline_flow
