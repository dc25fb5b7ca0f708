#include "models/engine/unit_rows.h"

#include <algorithm>
#include <array>

#include "common/core/check.h"

namespace synod::engine {
namespace {

constexpr std::size_t kLanes = 8;

// Eight partial sums: the compiler may keep them in vector registers without reordering anything.
double SquaredLength(const float* values, std::size_t count) {
  std::array<double, kLanes> partial{};
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const double value = values[i + lane];
      partial[lane] += value * value;
    }
  }
  for (; i < count; ++i) partial[i % kLanes] += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  double sum = 0.0;
  for (const double part : partial) sum += part;
  return sum;
}

}  // namespace

torch::Tensor SquaredLengths(const torch::Tensor& unit_rows) {
  SYNOD_CHECK(unit_rows.dim() == 3, "rows of units are [units, m, n]");
  if (!unit_rows.device().is_cpu() || unit_rows.scalar_type() != torch::kFloat32) {
    return unit_rows.to(torch::kFloat64).square().sum(2);
  }
  const torch::Tensor rows = unit_rows.contiguous();
  torch::Tensor squared = torch::empty({rows.size(0), rows.size(1)}, torch::kFloat64);
  const float* values = rows.data_ptr<float>();
  double* out = squared.data_ptr<double>();
  const std::int64_t n = rows.size(2);
  constexpr std::int64_t kValuesPerTask = 1 << 15;
  at::parallel_for(0, squared.numel(), std::max<std::int64_t>(1, kValuesPerTask / std::max<std::int64_t>(1, n)),
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t row = begin; row < end; ++row) {
                       out[row] = SquaredLength(values + row * n, static_cast<std::size_t>(n));
                     }
                   });
  return squared;
}

void ForPieces(std::int64_t units, std::int64_t values_per_unit,
               const std::function<void(std::int64_t, std::int64_t)>& work) {
  constexpr std::int64_t kValuesAtOnce = 1 << 20;
  const std::int64_t step = std::max<std::int64_t>(1, kValuesAtOnce / std::max<std::int64_t>(1, values_per_unit));
  for (std::int64_t first = 0; first < units; first += step) work(first, std::min(units, first + step));
}

torch::Tensor ZeroUnits(const torch::Tensor& unit_rows, const torch::Tensor& keep) {
  std::vector<std::int64_t> shape(static_cast<std::size_t>(unit_rows.dim()), 1);
  shape[0] = unit_rows.size(0);
  return torch::where(keep.view(shape), unit_rows, torch::zeros({}, unit_rows.options()));
}

torch::Tensor WeightedSum(const torch::Tensor& unit_rows, const torch::Tensor& weights) {
  if (weights.dim() == 2) return Weighted(unit_rows, weights).sum(at::IntArrayRef({0, 1}));
  const std::int64_t m = unit_rows.size(1);
  const torch::Tensor row_weights = m == 1 ? weights : weights.repeat_interleave(m);
  return torch::mv(unit_rows.reshape({-1, unit_rows.size(2)}).t(), row_weights);
}

torch::Tensor Weighted(const torch::Tensor& unit_rows, const torch::Tensor& weights) {
  if (weights.dim() == 2) return unit_rows * weights.unsqueeze(1);
  return unit_rows * weights.view({-1, 1, 1});
}

}  // namespace synod::engine
