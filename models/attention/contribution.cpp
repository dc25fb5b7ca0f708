#include "models/attention/contribution.h"

#include <algorithm>

#include "models/attention/batch.h"
#include "models/attention/entries.h"
#include "models/attention/network.h"
#include "models/gradient_family/gradient_contribution.h"

namespace synod::attention {
namespace {

using gradient_family::GradientPass;
using gradient_family::Matrix;
using gradient_family::TableCells;
using gradient_family::TrainingContext;
using gradient_family::UnitDraws;

// Attention scores of one micro-batch: columns^2 of every row and head, and copies of them for the backward pass.
constexpr std::size_t kMostScores = std::size_t{1} << 24;

class AttentionPass final : public GradientPass {
 public:
  AttentionPass(const ModelParts& parts, const TrainingContext& context, const TableCells& cells,
                const UnitTable& units)
      : options_(parts.options),
        shape_(parts.grids, options_),
        codes_(CodesOf(parts.grids, tabular::TokenTransform::FromHistogram(parts.grids, context.counts, context.sigma,
                                                                           {options_.tokens}))),
        batcher_(shape_, options_, codes_, cells, units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                         std::unique_ptr<engine::PerUnitGradient>& gradient) const override {
    Batch batch = batcher_.Make(drawn.units, drawn.streams);
    const std::size_t rows = batch.weight.size();
    const auto units = static_cast<std::int64_t>(drawn.units.size());
    const torch::Device device = tape.device();
    NetworkInput input{Matrix(std::move(batch.shares), rows, device),
                       Matrix(std::vector<float>(batch.mask), rows, device),
                       Matrix(std::move(batch.noise), rows, device)};
    const NetworkOutput output = Forward(shape_, options_.decoding == Decoding::kTogether, tape, input);
    torch::Tensor by_logits = output.logits.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
    std::vector<float> losses = LossAndGradient(
        shape_, codes_, batch, std::span(by_logits.data_ptr<float>(), static_cast<std::size_t>(by_logits.numel())));
    // Its gradient by the network is that of the loss: the gradient by the logits is known in closed form.
    torch::Tensor unit_losses = (output.logits * by_logits.to(device)).sum(1);
    if (output.divergence.defined()) {
      const torch::Tensor weight = Matrix(std::vector<float>(batch.weight), rows, device).squeeze(1);
      const torch::Tensor divergence = output.divergence * weight * options_.kl_weight;
      const torch::Tensor by_unit = divergence.detach().view({units, -1}).sum(1).to(torch::kCPU).contiguous();
      for (std::size_t i = 0; i < losses.size(); ++i) losses[i] += by_unit.data_ptr<float>()[i];
      unit_losses = unit_losses + divergence;
    }
    gradient = std::make_unique<engine::PerUnitGradient>(tape, unit_losses.view({units, -1}).sum(1), clip);
    return losses;
  }

 private:
  Options options_;
  Shape shape_;
  std::vector<ColumnCode> codes_;
  Batcher batcher_;
};

std::size_t RowsPerPass(const Shape& shape) {
  const std::size_t scores = shape.places_count() * shape.places_count() * static_cast<std::size_t>(shape.heads);
  return std::max<std::size_t>(1, kMostScores / scores);
}

}  // namespace

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(ModelParts model, PartsOf(run));
  const Shape shape(model.grids, model.options);
  gradient_family::ContributionParts parts{run,
                                           "attention",
                                           model.options,
                                           model.side,
                                           model.grids,
                                           shape.parameters(),
                                           shape.builder.layers(),
                                           static_cast<std::int64_t>(model.options.draws_per_row),
                                           static_cast<std::int64_t>(shape.columns() + 1),
                                           {},
                                           {}};
  parts.most_rows_per_pass = RowsPerPass(shape);
  parts.make_pass = [model](const TrainingContext& context, const TableCells& cells,
                            const UnitTable& table) -> std::unique_ptr<GradientPass> {
    return std::make_unique<AttentionPass>(model, context, cells, table);
  };
  return gradient_family::MakeGradientContribution(std::move(parts), std::move(units), std::move(random), options);
}

}  // namespace synod::attention
