#include "models/engine/lu_linear.h"

namespace synod::engine {
namespace {

constexpr double kLeastDiagonal = 1e-3;

torch::Tensor Diagonal(const torch::Tensor& raw) {
  return torch::softplus(raw) + kLeastDiagonal;
}

torch::Tensor Dense(const torch::Tensor& parameters, const MaskedLinearLayer& layer) {
  const auto count = static_cast<std::int64_t>(layer.positions->size());
  const torch::Tensor positions = torch::tensor(*layer.positions, torch::kInt64).to(parameters.device());
  return torch::zeros({layer.out * layer.in}, parameters.options())
      .index_copy_(0, positions, parameters.narrow(0, layer.values_offset, count))
      .view({layer.out, layer.in});
}

}  // namespace

LuOutput LuForward(Tape& tape, const LuLinearLayer& layer, const torch::Tensor& input) {
  const torch::Tensor order = torch::tensor(layer.permutation, torch::kInt64).to(input.device());
  const torch::Tensor permuted = input.index_select(1, order);
  const torch::Tensor diagonal = Diagonal(tape.Broadcast(layer.diagonal));
  const torch::Tensor upper = permuted * diagonal + tape.MaskedLinear(layer.upper, permuted);
  const torch::Tensor lower = upper + tape.MaskedLinear(layer.lower, upper);
  return {tape.Bias(layer.bias, lower), diagonal.log().sum(1)};
}

torch::Tensor LuInverse(const torch::Tensor& parameters, const LuLinearLayer& layer, const torch::Tensor& output) {
  const auto features = static_cast<std::int64_t>(layer.permutation.size());
  const torch::Tensor eye = torch::eye(features, parameters.options());
  const torch::Tensor diagonal = Diagonal(parameters.narrow(0, layer.diagonal.offset, features));
  const torch::Tensor lower = Dense(parameters, layer.lower) + eye;
  const torch::Tensor upper = Dense(parameters, layer.upper) + torch::diag(diagonal);
  const torch::Tensor shifted = (output - parameters.narrow(0, layer.bias.offset, features)).t();
  const torch::Tensor inner = at::linalg_solve_triangular(lower, shifted, /*upper=*/false, /*left=*/true,
                                                          /*unitriangular=*/true);
  const torch::Tensor permuted = at::linalg_solve_triangular(upper, inner, /*upper=*/true).t();
  std::vector<std::int64_t> inverse(layer.permutation.size());
  for (std::size_t i = 0; i < inverse.size(); ++i) {
    inverse[static_cast<std::size_t>(layer.permutation[i])] = static_cast<std::int64_t>(i);
  }
  return permuted.index_select(1, torch::tensor(inverse, torch::kInt64).to(output.device()));
}

}  // namespace synod::engine
