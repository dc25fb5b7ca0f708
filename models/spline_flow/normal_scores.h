// Rows as the coupling variant sees them, and back: every cell owns an interval of [0, 1] as long as its noisy share; a
// point of it, brought through the inverse of the normal distribution function, is the column's score.
//
// Numeric cells lie in the order of their values, missing last; categories by falling share, so that neighbours on the
// line are alike in size. Every cell keeps a little of the mass (kEvenShare). Post-processing of noisy counts.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/tabular/public_grid.h"
#include "models/tabular/token_transform.h"

namespace synod::spline_flow {

// Scores stay within this distance of 0: farther out a float32 distribution function is flat.
inline constexpr double kMostScore = 5.0;

// The normal distribution function and its inverse (Wichura 1988, AS 241: relative error below 1e-15); `share` in
// (0, 1).
double NormalShare(double score);
double NormalScore(double share);

class NormalScores {
 public:
  NormalScores(const std::vector<tabular::PublicGrid>& grids, const tabular::TokenTransform& transform);

  std::size_t columns() const { return begin_.size(); }
  // The score of the point at `position` of [0, 1] in the cell's interval.
  float ScoreOf(std::size_t column, std::size_t cell, double position) const;
  std::size_t CellOf(std::size_t column, float score) const;
  // The log of the interval's length: the cell's probability under the noisy one-ways.
  double LogLength(std::size_t column, std::size_t cell) const { return log_length_[column][cell]; }

 private:
  std::vector<std::vector<std::uint16_t>> order_;  // [column][rank]: cell
  std::vector<std::vector<double>> ends_;          // [column][rank]
  std::vector<std::vector<double>> begin_;         // [column][cell]
  std::vector<std::vector<double>> length_;        // [column][cell]
  std::vector<std::vector<double>> log_length_;    // [column][cell]
};

}  // namespace synod::spline_flow
