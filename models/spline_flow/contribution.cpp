#include "models/spline_flow/contribution.h"

#include <algorithm>

#include "models/gradient_family/gradient_contribution.h"
#include "models/spline_flow/coupling_batch.h"
#include "models/spline_flow/coupling_network.h"
#include "models/spline_flow/model_parts.h"
#include "models/spline_flow/neuron_mask.h"
#include "models/spline_flow/stage_batch.h"
#include "models/spline_flow/stage_network.h"

namespace synod::spline_flow {
namespace {

using gradient_family::ContributionParts;
using gradient_family::GradientPass;
using gradient_family::Matrix;
using gradient_family::TableCells;
using gradient_family::TrainingContext;
using gradient_family::UnitDraws;

// What one value of a forward pass takes with its gradient and what lies between, and the memory of one pass.
constexpr std::size_t kBytesPerValue = 24;
constexpr std::size_t kPassBytes = std::size_t{512} << 20;

tabular::TokenTransform TransformOf(const ModelParts& parts, const TrainingContext& context) {
  return tabular::TokenTransform::FromHistogram(parts.grids, context.counts, context.sigma, {parts.options.tokens});
}

class StagePass final : public GradientPass {
 public:
  StagePass(const ModelParts& parts, const TrainingContext& context, const TableCells& cells, const UnitTable& units)
      : shape_(parts.grids, parts.label, parts.options),
        bases_(BasesOf(parts.grids, TransformOf(parts, context))),
        batcher_(shape_, bases_, cells, units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                         std::unique_ptr<engine::PerUnitGradient>& gradient) const override {
    StageBatch batch = batcher_.Make(drawn.units);
    const std::size_t rows = batch.weight.size();
    const torch::Tensor output = StageForward(shape_, tape, Matrix(std::move(batch.visible), rows, tape.device()));
    torch::Tensor by_output = output.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
    std::vector<float> losses = batcher_.LossAndGradient(
        batch, std::span(by_output.data_ptr<float>(), static_cast<std::size_t>(by_output.numel())));
    gradient = std::make_unique<engine::PerUnitGradient>(tape, output, by_output.to(tape.device()), clip);
    return losses;
  }

 private:
  StageShape shape_;
  std::vector<ColumnBase> bases_;
  StageBatcher batcher_;
};

class CouplingPass final : public GradientPass {
 public:
  CouplingPass(const ModelParts& parts, const TrainingContext& context, const TableCells& cells, const UnitTable& units)
      : draws_(parts.options.draws_per_row),
        shape_(parts.grids.size(), parts.options),
        scores_(parts.grids, TransformOf(parts, context)),
        cells_(cells),
        units_(units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                         std::unique_ptr<engine::PerUnitGradient>& gradient) const override {
    CouplingBatch batch = MakeCouplingBatch(scores_, cells_, units_, draws_, drawn.units, drawn.streams);
    const std::size_t rows = batch.weight.size();
    const torch::Tensor weight = Matrix(std::move(batch.weight), rows, tape.device()).squeeze(1);
    const torch::Tensor lengths = Matrix(std::move(batch.lengths), rows, tape.device()).squeeze(1);
    const torch::Tensor scores = Matrix(std::move(batch.scores), rows, tape.device());
    const torch::Tensor row_losses = (CouplingLoss(shape_, tape, scores) - lengths) * weight;
    const torch::Tensor losses = row_losses.view({tape.units(), -1}).sum(1);
    gradient = std::make_unique<engine::PerUnitGradient>(tape, losses, clip);
    const torch::Tensor host = losses.detach().to(torch::kCPU).contiguous();
    return {host.data_ptr<float>(), host.data_ptr<float>() + host.numel()};
  }

 private:
  std::uint32_t draws_;
  CouplingShape shape_;
  NormalScores scores_;
  const TableCells& cells_;
  const UnitTable& units_;
};

// A row of a wide network takes more memory than the base reckons with.
std::size_t MostRowsPerPass(const ModelParts& model) {
  const std::size_t columns = model.grids.size();
  std::size_t values = columns * (model.options.hidden + 1);
  if (model.options.variant == Variant::kAutoregressive) {
    const StageShape shape(model.grids, model.label, model.options);
    values = columns * shape.hidden + 2 * shape.slots() + 2 * shape.outputs();
    if (!shape.shared) values += columns * shape.slots();
  } else {
    values = static_cast<std::size_t>(model.options.stages) *
             (2 * model.options.hidden + columns * 6 * model.options.bins + 4 * columns);
  }
  return std::max<std::size_t>(kPassBytes / (kBytesPerValue * values), 1);
}

}  // namespace

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(ModelParts model, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(SideCoordinates side, gradient_family::SideOf(model.options, LossBound(model.grids)));
  const bool coupling = model.options.variant == Variant::kCoupling;
  ContributionParts parts{
      run, "spline_flow", model.options, side, model.grids, model.builder.size(), model.builder.layers(), 1, 1, {}, {}};
  if (coupling) {
    parts.uses_per_row = model.options.draws_per_row;
    parts.products_per_use = model.options.shared ? model.options.stages : 1;
  }
  if (model.options.keep_rate < 1.0) {
    parts.clip_plan = [model, seed = run.seed, clip = side.gradient_clip()](
                          const Query& query, double threshold) -> Result<engine::ClipPlan> {
      if (threshold != 0.0) return BadInput("a query carries a clipping threshold, and the plan's clip does not adapt");
      return engine::ClipPlan::PerNeuron(
          model.builder.layers(), clip,
          KeptNeurons(seed, query.index, NeuronCount(model.builder), model.options.keep_rate));
    };
  }
  parts.make_pass = [model, coupling](const TrainingContext& context, const TableCells& cells,
                                      const UnitTable& table) -> std::unique_ptr<GradientPass> {
    if (coupling) return std::make_unique<CouplingPass>(model, context, cells, table);
    return std::make_unique<StagePass>(model, context, cells, table);
  };
  parts.most_rows_per_pass = MostRowsPerPass(model);
  return gradient_family::MakeGradientContribution(std::move(parts), std::move(units), std::move(random), options);
}

}  // namespace synod::spline_flow
