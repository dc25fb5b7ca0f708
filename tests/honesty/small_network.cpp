#include "tests/honesty/small_network.h"

namespace synod::honesty {

SmallNetwork::SmallNetwork(std::uint64_t seed, double size, Coupling coupling)
    : first_(builder_.Linear("first", kIn, 4)),
      norm_(builder_.Norm("norm", 4)),
      shared_(builder_.Linear("shared", 4, 4)),
      coupling_(coupling) {
  torch::manual_seed(seed);
  parameters_ = torch::randn({builder_.size()}) * size;
}

torch::Tensor SmallNetwork::Losses(engine::Tape& tape, const torch::Tensor& rows) const {
  torch::Tensor h = tape.Linear(first_, rows);
  if (coupling_ == Coupling::kBatchMean) h = h - h.mean(0, /*keepdim=*/true);  // what batch normalisation does
  h = torch::tanh(tape.Linear(shared_, torch::relu(tape.Norm(norm_, h))));
  h = tape.Linear(shared_, h);
  if (coupling_ == Coupling::kLoss) h = h - h.sum(0, /*keepdim=*/true);  // every row against all others
  return (h * (1.0 + rows.sum(1, /*keepdim=*/true))).square().sum(1).view({tape.units(), tape.uses()}).mean(1);
}

Row SmallNetwork::ClippedSum(const torch::Tensor& rows, std::int64_t uses, double clip) const {
  Row sum(dimension());
  const std::int64_t units = rows.size(0) / uses;
  if (units == 0) return sum;
  engine::Tape tape(parameters_, units, uses);
  const torch::Tensor losses = Losses(tape, rows);
  engine::PerUnitGradient(tape, losses, engine::ClipPlan::Flat(clip)).BlockSum(0, units, sum);
  return sum;
}

std::vector<double> SmallNetwork::Norms(const torch::Tensor& rows, std::int64_t uses) const {
  engine::Tape tape(parameters_, rows.size(0) / uses, uses);
  const torch::Tensor losses = Losses(tape, rows);
  const engine::PerUnitGradient gradient(tape, losses, engine::ClipPlan::Flat(1.0));
  const torch::Tensor norms = gradient.norms().contiguous();
  return {norms.data_ptr<double>(), norms.data_ptr<double>() + norms.numel()};
}

}  // namespace synod::honesty
