#include "models/spline_flow/stage_network.h"

namespace synod::spline_flow {

torch::Tensor StageForward(const StageShape& shape, engine::Tape& tape, const torch::Tensor& visible) {
  const auto hidden = static_cast<std::int64_t>(shape.hidden);
  const auto columns = static_cast<std::int64_t>(shape.columns());
  // What a stage is given by those before it: the first by none.
  std::vector<torch::Tensor> given = {torch::zeros({visible.size(0), hidden}, visible.options())};
  for (std::size_t s = 0; s < shape.columns(); ++s) {
    const Stage& stage = shape.stages[s];
    if (stage.input.in == 0) continue;
    const auto first = static_cast<std::int64_t>(shape.shared ? stage.first_slot : 0);
    given.push_back(tape.Linear(stage.input, visible.narrow(1, first, stage.input.in)));
  }
  torch::Tensor sums = torch::stack(given, 1);
  if (shape.shared) sums = sums.cumsum(1);
  const torch::Tensor states = tape.Bias(shape.stage, sums.view({-1, columns * hidden})).tanh();
  std::vector<torch::Tensor> outputs;
  for (std::size_t s = 0; s < shape.columns(); ++s) {
    outputs.push_back(
        tape.Linear(shape.stages[s].output, states.narrow(1, static_cast<std::int64_t>(s) * hidden, hidden)));
  }
  return torch::cat(outputs, 1);
}

}  // namespace synod::spline_flow
