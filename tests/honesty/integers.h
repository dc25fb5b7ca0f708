// The integers of a sum before noise, as far as tests may see them: the same noise is added to every sum, so that the
// difference of two readings is exactly the difference of the integers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/query/grid.h"
#include "common/query/noise_share.h"
#include "common/query/sums.h"

namespace synod::honesty {

using Row = std::vector<float>;

class IntegerReader {
 public:
  explicit IntegerReader(const Grid& grid);

  const Grid& grid() const { return grid_; }
  // Integers plus the fixed noise, in grid units; exact while below 2^53.
  std::vector<double> Read(ClippedSum&& sum) const;
  // The integers of a sum of `rows`, in blocks of at most kMostRowsPerBlock, each added up in float32 one after the
  // other.
  std::vector<double> ReadRows(std::span<const Row> rows) const;

 private:
  Grid grid_;
  NoiseShare share_;
};

// The grid that a plan would choose for one noise share.
Grid PlanGrid(double clip, std::uint64_t dimension);

// L2 distance of two readings.
double Moved(std::span<const double> a, std::span<const double> b);

double Norm(std::span<const float> row);

// The row at norm `clip` or below, as an engine leaves it: never longer, rounded down to float32.
Row ClippedTo(Row row, double clip);
Row Scaled(Row row, double factor);
// Adds `row` to `sum` in float32.
void AddTo(Row& sum, std::span<const float> row);

}  // namespace synod::honesty
