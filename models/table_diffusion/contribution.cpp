#include "models/table_diffusion/contribution.h"

#include "models/gradient_family/gradient_contribution.h"
#include "models/table_diffusion/denoiser_loss.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/masked_batch.h"
#include "models/table_diffusion/model_json.h"
#include "models/table_diffusion/network.h"
#include "models/table_diffusion/published_batch.h"

namespace synod::table_diffusion {
namespace {

using gradient_family::ContributionParts;
using gradient_family::GradientPass;
using gradient_family::Matrix;
using gradient_family::TableCells;
using gradient_family::UnitDraws;

class MaskedPass final : public GradientPass {
 public:
  MaskedPass(const ModelParts& parts, const TrainingContext& context, const TableCells& cells, const UnitTable& units)
      : options_(parts.options),
        shape_(parts.grids, options_),
        transform_(
            tabular::TokenTransform::FromHistogram(parts.grids, context.counts, context.sigma, {options_.tokens})),
        batcher_(shape_, options_, transform_, cells, units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                         std::unique_ptr<engine::PerUnitGradient>& gradient) const override {
    MaskedBatch batch = batcher_.Make(drawn.units, drawn.streams);
    const std::size_t rows = batch.weight.size();
    const torch::Tensor output = MaskedForward(shape_, tape, Matrix(std::move(batch.visible), rows, tape.device()),
                                               Matrix(std::move(batch.time), rows, tape.device()));
    torch::Tensor by_output = output.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
    std::vector<float> losses = batcher_.LossAndGradient(
        batch, std::span(by_output.data_ptr<float>(), static_cast<std::size_t>(by_output.numel())));
    gradient = std::make_unique<engine::PerUnitGradient>(tape, output, by_output.to(tape.device()), clip);
    return losses;
  }

 private:
  Options options_;
  MaskedShape shape_;
  tabular::TokenTransform transform_;
  MaskedBatcher batcher_;
};

// Both variants with Gaussian noise: they differ in what is predicted.
class GaussianPass final : public GradientPass {
 public:
  GaussianPass(const ModelParts& parts, const TrainingContext& context, const TableCells& cells, const UnitTable& units)
      : options_(parts.options),
        grids_(parts.grids),
        shape_(grids_, options_),
        codec_(shape_, grids_, context.counts, context.sigma),
        batcher_(shape_, options_, codec_, cells, units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                         std::unique_ptr<engine::PerUnitGradient>& gradient) const override {
    PublishedBatch batch = batcher_.Make(drawn.units, drawn.streams);
    const std::size_t rows = batch.weight.size();
    const torch::Tensor output = PublishedForward(shape_, tape, Matrix(std::move(batch.noisy), rows, tape.device()));
    if (options_.variant == Variant::kDenoiser) {
      torch::Tensor by_output = output.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true);
      std::vector<float> losses =
          DenoiserLossAndGradient(shape_, grids_, batch, drawn.units.size(),
                                  std::span(by_output.data_ptr<float>(), static_cast<std::size_t>(by_output.numel())));
      gradient = std::make_unique<engine::PerUnitGradient>(tape, output, by_output.to(tape.device()), clip);
      return losses;
    }
    // Mean over coordinates and levels of (prediction - noise)^2: its gradient by the prediction in closed form.
    const torch::Tensor difference = output.detach() - Matrix(std::move(batch.target), rows, tape.device());
    const double scale = 1.0 / static_cast<double>(shape_.coordinates());
    const torch::Tensor weight = Matrix(std::move(batch.weight), rows, tape.device());
    const torch::Tensor row_losses = difference.square().sum(1, true) * weight * scale;
    const torch::Tensor losses =
        row_losses.view({static_cast<std::int64_t>(drawn.units.size()), -1}).sum(1).to(torch::kCPU).contiguous();
    gradient = std::make_unique<engine::PerUnitGradient>(tape, output, difference * weight * (2.0 * scale), clip);
    const float* first = losses.data_ptr<float>();
    return {first, first + losses.numel()};
  }

 private:
  Options options_;
  std::vector<tabular::PublicGrid> grids_;
  PublishedShape shape_;
  PublishedCodec codec_;
  PublishedBatcher batcher_;
};

}  // namespace

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random, const ComputeOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(ModelParts model, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(SideCoordinates side,
                         gradient_family::SideOf(model.options, LossBound(model.grids, model.options)));
  const bool masked = model.options.variant == Variant::kMasked;
  const engine::ParameterBuilder builder =
      masked ? MaskedShape(model.grids, model.options).builder : PublishedShape(model.grids, model.options).builder;
  ContributionParts parts{run,
                          "table_diffusion",
                          model.options,
                          side,
                          model.grids,
                          builder.size(),
                          builder.layers(),
                          static_cast<std::int64_t>(model.options.levels_per_row),
                          1,
                          {},
                          {}};
  parts.make_pass = [model, masked](const TrainingContext& context, const TableCells& cells,
                                    const UnitTable& table) -> std::unique_ptr<GradientPass> {
    if (masked) return std::make_unique<MaskedPass>(model, context, cells, table);
    return std::make_unique<GaussianPass>(model, context, cells, table);
  };
  return gradient_family::MakeGradientContribution(std::move(parts), std::move(units), std::move(random), options);
}

}  // namespace synod::table_diffusion
