#include "models/engine/unit_influence.h"

#include "common/core/check.h"

namespace synod::engine {

bool KeepsUnitsApart(const std::function<torch::Tensor(Tape&, const torch::Tensor&)>& network,
                     const torch::Tensor& parameters, const torch::Tensor& input, std::int64_t units) {
  SYNOD_CHECK(units >= 2 && input.size(0) % units == 0, "two units at least, of equally many rows");
  const std::int64_t uses = input.size(0) / units;
  Tape tape(parameters, units, uses, /*record=*/false);
  const torch::Tensor rows = input.detach().clone().set_requires_grad(true);
  const torch::Tensor output = network(tape, rows);
  for (const std::int64_t unit : {std::int64_t{0}, units - 1}) {
    // Weights that no symmetry of a network cancels.
    const torch::Tensor own = output.slice(0, unit * uses, (unit + 1) * uses);
    const torch::Tensor weights = torch::linspace(0.3, 1.7, own.numel(), own.options().requires_grad(false));
    torch::Tensor influence =
        torch::autograd::grad({own}, {rows}, {weights.view(own.sizes())}, /*retain_graph=*/true)[0];
    if (influence.slice(0, unit * uses, (unit + 1) * uses).eq(0).all().item<bool>())
      return false;  // nothing was tested
    influence.slice(0, unit * uses, (unit + 1) * uses).zero_();
    if (!influence.eq(0).all().item<bool>()) return false;
  }
  return true;
}

}  // namespace synod::engine
