// The monotone rational-quadratic spline with linear tails (Durkan et al. 2019) on tensors, and its inverse: the
// identity outside [-tail, tail], a spline of `bins` bins inside.
#pragma once

#include "models/engine/torch.h"

namespace synod::spline_flow {

struct SplineValues {
  torch::Tensor values;     // as the input
  torch::Tensor log_slope;  // of each value: log dy/dx (of the forward direction)
};

// `input` [rows, n]; `parameters` [rows, n, 3 bins - 1]: logits of widths, logits of heights, inner slopes. Zeros are
// the identity. Differentiable by both.
SplineValues ApplySpline(const torch::Tensor& input, const torch::Tensor& parameters, std::int64_t bins, double tail);

// x with ApplySpline(x) = `output`.
torch::Tensor InvertSpline(const torch::Tensor& output, const torch::Tensor& parameters, std::int64_t bins,
                           double tail);

}  // namespace synod::spline_flow
