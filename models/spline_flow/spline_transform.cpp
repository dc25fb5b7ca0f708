#include "models/spline_flow/spline_transform.h"

#include <cmath>

namespace synod::spline_flow {
namespace {

constexpr double kLeastShare = 1e-3;  // of a bin's width and height, of the whole
constexpr double kLeastSlope = 1e-3;

// The bin of every value: its lower corner, size and the slopes at its ends.
struct Bins {
  torch::Tensor x, y, width, height, left, right;
};

// Where the bins end, from -tail to tail: [rows, n, bins + 1].
torch::Tensor Knots(const torch::Tensor& logits, std::int64_t bins, double tail) {
  const torch::Tensor shares =
      kLeastShare + (1.0 - kLeastShare * static_cast<double>(bins)) * torch::softmax(logits, -1);
  const torch::Tensor inner = shares.narrow(-1, 0, bins - 1).cumsum(-1) * (2.0 * tail) - tail;
  const torch::Tensor end = torch::full_like(inner.narrow(-1, 0, 1), tail);
  return torch::cat({-end, inner, end}, -1);
}

// `along_y`: `values` are outputs, to be looked up among the heights.
Bins BinsOf(const torch::Tensor& values, const torch::Tensor& parameters, std::int64_t bins, double tail,
            bool along_y) {
  const torch::Tensor x = Knots(parameters.narrow(-1, 0, bins), bins, tail);
  const torch::Tensor y = Knots(parameters.narrow(-1, bins, bins), bins, tail);
  const double identity = std::log(std::expm1(1.0 - kLeastSlope));
  const torch::Tensor inner = kLeastSlope + torch::softplus(parameters.narrow(-1, 2 * bins, bins - 1) + identity);
  const torch::Tensor end = torch::ones_like(x.narrow(-1, 0, 1));
  const torch::Tensor slopes = torch::cat({end, inner, end}, -1);
  const torch::Tensor own = values.unsqueeze(-1);
  const torch::Tensor index =
      ((along_y ? y : x).detach().narrow(-1, 1, bins - 1) <= own.detach()).sum(-1, /*keepdim=*/true);
  const auto at = [&](const torch::Tensor& knots, std::int64_t step) {
    return knots.gather(-1, index + step).squeeze(-1);
  };
  Bins found;
  found.x = at(x, 0);
  found.y = at(y, 0);
  found.width = at(x, 1) - found.x;
  found.height = at(y, 1) - found.y;
  found.left = at(slopes, 0);
  found.right = at(slopes, 1);
  return found;
}

torch::Tensor Inside(const torch::Tensor& values, double tail) {
  return values.detach().abs() < tail;
}

}  // namespace

SplineValues ApplySpline(const torch::Tensor& input, const torch::Tensor& parameters, std::int64_t bins, double tail) {
  const torch::Tensor inside = Inside(input, tail);
  const torch::Tensor clamped = torch::where(inside, input, torch::zeros_like(input));
  const Bins bin = BinsOf(clamped, parameters, bins, tail, /*along_y=*/false);
  const torch::Tensor slope = bin.height / bin.width;
  const torch::Tensor at = (clamped - bin.x) / bin.width;
  const torch::Tensor rest = 1.0 - at;
  const torch::Tensor divisor = slope + (bin.left + bin.right - 2.0 * slope) * at * rest;
  const torch::Tensor output = bin.y + bin.height * (slope * at.square() + bin.left * at * rest) / divisor;
  const torch::Tensor rising = bin.right * at.square() + 2.0 * slope * at * rest + bin.left * rest.square();
  const torch::Tensor log_slope = 2.0 * slope.log() + rising.log() - 2.0 * divisor.log();
  return {torch::where(inside, output, input), torch::where(inside, log_slope, torch::zeros_like(log_slope))};
}

torch::Tensor InvertSpline(const torch::Tensor& output, const torch::Tensor& parameters, std::int64_t bins,
                           double tail) {
  const torch::Tensor inside = Inside(output, tail);
  const torch::Tensor clamped = torch::where(inside, output, torch::zeros_like(output));
  const Bins bin = BinsOf(clamped, parameters, bins, tail, /*along_y=*/true);
  const torch::Tensor slope = bin.height / bin.width;
  const torch::Tensor above = clamped - bin.y;
  const torch::Tensor bend = above * (bin.left + bin.right - 2.0 * slope);
  const torch::Tensor a = bin.height * (slope - bin.left) + bend;
  const torch::Tensor b = bin.height * bin.left - bend;
  const torch::Tensor c = slope * above;
  // The root that loses no digits: 2c / (b + sqrt(b^2 + 4 a c)).
  const torch::Tensor root = (b.square() + 4.0 * a * c).clamp_min(0.0).sqrt();
  const torch::Tensor at = (2.0 * c / (b + root)).clamp(0.0, 1.0);
  return torch::where(inside, bin.x + at * bin.width, output);
}

}  // namespace synod::spline_flow
