// The integer grid on which noise is added: real sums are scaled by gamma and rounded once.
//
// Sensitivity. Neighbouring batches differ in one unit, whose clipped vector has L2 norm at most C. The float sums of
// the two batches then differ by at most C + E, where E bounds the float32 rounding of the one block that changes,
// before and after, and of the float64 addition of block sums; rounding each to the grid moves a coordinate by at most
// 1/2. In grid units the two integer vectors differ by at most
//     Delta = gamma C + sqrt(d) + gamma E      in L2      (SensitivityOnGrid in common/privacy/noise_arithmetic.h).
// E = kFloatErrorShare C: 2 x 255 additions of rows of norm C at unit roundoff 2^-24 in a block of at most 256 rows
// move the sum by at most 2 x 255 x 256 x 2^-24 C < 0.00779 C, in whatever order the rows are added; the rest, 2 x
// 10^-4 C, covers the compensated float64 additions of blocks, of which there are at most as many as units: with u =
// 2^-53 and n <= kMostUnits units, 2 (u + (n u)^2 / (1 - n u)^2) n C < 2^-14 C.
#pragma once

#include <cstdint>

#include "common/core/result.h"
#include "common/query/sums.h"

namespace synod {

inline constexpr std::uint32_t kMostRowsPerBlock = 256;
// Of one site in one query. A table has no more rows (kCsvMaxRows), so that no number of units ends a computation.
inline constexpr std::uint64_t kMostUnits = std::uint64_t{1} << 30;

class Grid {
 public:
  // The grid that a plan entry names. BadInput unless gamma is a power of two from 2^-40 to 2^40, C is positive and
  // finite, d in 1..2^40, and gamma C below 2^62.
  static Result<Grid> Make(double gamma, double clip, std::uint64_t dimension);

  double gamma() const { return gamma_; }  // grid units per unit of the vector
  double clip() const { return clip_; }    // C
  std::uint64_t dimension() const { return dimension_; }
  double sensitivity() const { return sensitivity_; }  // Delta, grid units, rounded up

  // Scales and rounds once, ties to even. The sum must have this dimension and clip (our own duty).
  GridSum Encode(ClippedSum&& sum) const;

  bool operator==(const Grid&) const = default;

 private:
  Grid(double gamma, double clip, std::uint64_t dimension, double sensitivity)
      : gamma_(gamma), clip_(clip), dimension_(dimension), sensitivity_(sensitivity) {}

  double gamma_;
  double clip_;
  std::uint64_t dimension_;
  double sensitivity_;
};

}  // namespace synod
