#include "common/query/grid.h"

#include <cmath>

#include "common/core/check.h"
#include "common/privacy/noise_arithmetic.h"

namespace synod {
namespace {

constexpr double kLargestGamma = 0x1p40;
constexpr double kSmallestGamma = 0x1p-40;
constexpr std::uint64_t kLargestDimension = std::uint64_t{1} << 40;
constexpr double kLargestInteger = 0x1p62;

bool IsPowerOfTwo(double value) {
  int exponent = 0;
  return std::frexp(value, &exponent) == 0.5;
}

}  // namespace

Result<Grid> Grid::Make(double gamma, double clip, std::uint64_t dimension) {
  if (!(clip > 0.0) || !std::isfinite(clip)) return BadInput("the clipping norm must be a positive number");
  if (dimension == 0 || dimension > kLargestDimension) return BadInput("the dimension of a query is out of range");
  if (!(gamma >= kSmallestGamma && gamma <= kLargestGamma) || !IsPowerOfTwo(gamma)) {
    return BadInput("the grid scale must be a power of two from 2^-40 to 2^40");
  }
  const double sensitivity = SensitivityOnGrid(gamma, clip, dimension);
  if (!(sensitivity < kLargestInteger)) return BadInput("the grid is too fine for this clipping norm");
  return Grid(gamma, clip, dimension, sensitivity);
}

GridSum Grid::Encode(ClippedSum&& sum) const {
  SYNOD_CHECK(sum.values_.size() == dimension_ && sum.clip_ == clip_, "a sum of another query than its grid");
  std::vector<std::int64_t> integers(sum.values_.size());
  for (std::size_t i = 0; i < integers.size(); ++i) {
    const double scaled = sum.values_[i] * gamma_;  // exact: gamma is a power of two
    SYNOD_CHECK(std::isfinite(scaled) && std::fabs(scaled) < kLargestInteger, "a sum beyond the integers");
    integers[i] = static_cast<std::int64_t>(std::nearbyint(scaled));
  }
  sum.values_.clear();
  return {std::move(integers), sensitivity_};
}

}  // namespace synod
