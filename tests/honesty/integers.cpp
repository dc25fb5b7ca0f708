#include "tests/honesty/integers.h"

#include <algorithm>
#include <cmath>

#include "common/privacy/noise_arithmetic.h"
#include "common/query/clipped_summer.h"
#include "common/query/sum_accumulator.h"
#include "tests/support/deterministic_random.h"

namespace synod::honesty {

IntegerReader::IntegerReader(const Grid& grid) : grid_(grid), share_(NoiseShare::Make(grid, 64, 1).value()) {}

std::vector<double> IntegerReader::Read(ClippedSum&& sum) const {
  SecretRandom noise = SecretRandomForTestsOnly::FromSeed(99);
  SumAccumulator total(grid_, WordBits::k64);
  total.Add(share_.Add(grid_.Encode(std::move(sum)), noise));
  const NoisySum noisy = std::move(total).Finish();
  std::vector<double> integers(noisy.values().begin(), noisy.values().end());
  for (double& value : integers) value *= grid_.gamma();
  return integers;
}

std::vector<double> IntegerReader::ReadRows(std::span<const Row> rows) const {
  ClippedSummer summer(grid_.dimension(), grid_.clip());
  for (std::size_t begin = 0; begin < rows.size(); begin += kMostRowsPerBlock) {
    const std::size_t units = std::min<std::size_t>(rows.size() - begin, kMostRowsPerBlock);
    Row sum(grid_.dimension());
    for (const Row& row : rows.subspan(begin, units)) AddTo(sum, row);
    summer.AddBlock(sum, static_cast<std::uint32_t>(units));
  }
  return Read(std::move(summer).Finish());
}

Grid PlanGrid(double clip, std::uint64_t dimension) {
  return Grid::Make(ChooseGamma(clip, dimension), clip, dimension).value();
}

double Moved(std::span<const double> a, std::span<const double> b) {
  double squares = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(squares);
}

double Norm(std::span<const float> row) {
  double squares = 0.0;
  for (const float value : row) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}

Row ClippedTo(Row row, double clip) {
  const double norm = Norm(row);
  return Scaled(std::move(row), std::min(1.0, clip / (norm + 1e-300)) * (1.0 - 0x1p-22));
}

Row Scaled(Row row, double factor) {
  for (float& value : row) value = static_cast<float>(value * factor);
  return row;
}

void AddTo(Row& sum, std::span<const float> row) {
  for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += row[i];
}

}  // namespace synod::honesty
