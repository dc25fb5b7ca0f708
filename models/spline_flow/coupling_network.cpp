#include "models/spline_flow/coupling_network.h"

#include "models/engine/lu_linear.h"
#include "models/spline_flow/spline_transform.h"

namespace synod::spline_flow {
namespace {

// Spline parameters of the transformed half, [rows, transformed, 3 bins - 1].
torch::Tensor Condition(const CouplingShape& shape, engine::Tape& tape, std::int64_t stage, const torch::Tensor& kept) {
  torch::Tensor input = kept;
  if (shape.shared) {
    torch::Tensor which = torch::zeros({kept.size(0), shape.stages}, kept.options());
    which.select(1, stage).fill_(1.0);
    input = torch::cat({kept, which}, 1);
  }
  const Conditioner& conditioner = shape.conditioner(static_cast<std::size_t>(stage));
  const torch::Tensor first = tape.Linear(conditioner.first, input).tanh();
  const torch::Tensor second = tape.Linear(conditioner.second, first).tanh();
  return tape.Linear(conditioner.last, second).view({-1, shape.transformed(), shape.values_per_spline()});
}

}  // namespace

FlowOutput CouplingForward(const CouplingShape& shape, engine::Tape& tape, const torch::Tensor& scores) {
  FlowOutput flow{scores, torch::zeros({scores.size(0)}, scores.options())};
  for (std::int64_t stage = 0; stage < shape.stages; ++stage) {
    const engine::LuOutput linear = engine::LuForward(tape, shape.linear[static_cast<std::size_t>(stage)], flow.values);
    const torch::Tensor kept = linear.values.narrow(1, 0, shape.kept());
    const torch::Tensor moved = linear.values.narrow(1, shape.kept(), shape.transformed());
    const SplineValues spline = ApplySpline(moved, Condition(shape, tape, stage, kept), shape.bins, shape.tail);
    flow.values = torch::cat({kept, spline.values}, 1);
    flow.log_determinant = flow.log_determinant + linear.log_determinant + spline.log_slope.sum(1);
  }
  return flow;
}

torch::Tensor CouplingLoss(const CouplingShape& shape, engine::Tape& tape, const torch::Tensor& scores) {
  const FlowOutput flow = CouplingForward(shape, tape, scores);
  return 0.5 * (flow.values.square().sum(1) - scores.square().sum(1)) - flow.log_determinant;
}

torch::Tensor CouplingInverse(const CouplingShape& shape, const torch::Tensor& parameters,
                              const torch::Tensor& values) {
  const torch::NoGradGuard no_gradient;
  engine::Tape tape(parameters, values.size(0), 1, /*record=*/false);
  torch::Tensor now = values;
  for (std::int64_t stage = shape.stages; stage-- > 0;) {
    const torch::Tensor kept = now.narrow(1, 0, shape.kept());
    const torch::Tensor moved = now.narrow(1, shape.kept(), shape.transformed());
    const torch::Tensor back = InvertSpline(moved, Condition(shape, tape, stage, kept), shape.bins, shape.tail);
    now = engine::LuInverse(parameters, shape.linear[static_cast<std::size_t>(stage)], torch::cat({kept, back}, 1));
  }
  return now;
}

}  // namespace synod::spline_flow
