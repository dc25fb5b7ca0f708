#include "models/wgan/contribution.h"

#include "models/gradient_family/gradient_contribution.h"
#include "models/wgan/entries.h"
#include "models/wgan/network.h"

namespace synod::wgan {
namespace {

using gradient_family::Matrix;
using gradient_family::TableCells;
using gradient_family::UnitDraws;

// The loss of a unit: -D, a mean over its rows.
class CriticPass final : public gradient_family::GradientPass {
 public:
  CriticPass(const ModelParts& parts, const gradient_family::TrainingContext& context, const TableCells& cells,
             const UnitTable& units)
      : shape_(parts.grids, parts.options),
        transform_(
            tabular::TokenTransform::FromHistogram(parts.grids, context.counts, context.sigma, {parts.options.tokens})),
        cells_(cells),
        units_(units) {}

  std::vector<float> Run(engine::Tape& tape, const UnitDraws& drawn, const engine::ClipPlan& clip,
                         std::unique_ptr<engine::PerUnitGradient>& gradient) const override {
    const auto uses = static_cast<std::size_t>(tape.uses());
    const std::size_t rows = drawn.units.size() * uses;
    std::vector<float> input(rows * shape_.slots(), 0.0F);
    std::vector<float> weight(rows, 0.0F);  // 0 for uses that a unit lacks
    for (std::size_t i = 0; i < drawn.units.size(); ++i) {
      const std::span<const std::uint32_t> own = units_.rows(drawn.units[i]);
      for (std::size_t use = 0; use < own.size(); ++use) {
        const std::size_t at = i * uses + use;
        FillRow(own[use], std::span(input).subspan(at * shape_.slots(), shape_.slots()));
        weight[at] = 1.0F / static_cast<float>(own.size());
      }
    }
    const torch::Tensor output = CriticForward(shape_, tape, Matrix(std::move(input), rows, tape.device()));
    const torch::Tensor weights = Matrix(std::move(weight), rows, tape.device());
    const torch::Tensor losses = ((kLossShift - output.detach()) * weights)
                                     .view({static_cast<std::int64_t>(drawn.units.size()), -1})
                                     .sum(1)
                                     .to(torch::kCPU)
                                     .contiguous();
    gradient = std::make_unique<engine::PerUnitGradient>(tape, output, -weights, clip);
    const float* first = losses.data_ptr<float>();
    return {first, first + losses.numel()};
  }

 private:
  void FillRow(std::uint32_t row, std::span<float> input) const {
    std::vector<std::uint16_t> tokens(shape_.columns());
    for (std::size_t j = 0; j < tokens.size(); ++j) tokens[j] = transform_.column(j).token_of_cell[cells_[j][row]];
    FillCriticInput(shape_, transform_, tokens, input);
  }

  Shape shape_;
  tabular::TokenTransform transform_;
  const TableCells& cells_;
  const UnitTable& units_;
};

}  // namespace

Result<std::unique_ptr<Contribution>> MakeContribution(const FamilyRun& run, std::shared_ptr<const UnitTable> units,
                                                       SecretRandom random,
                                                       const gradient_family::ComputeOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(ModelParts model, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, gradient_family::SideOf(model.options, 2.0 * kLossShift));
  const Shape shape(model.grids, model.options);
  gradient_family::ContributionParts parts{
      run, "wgan", model.options, side, model.grids, shape.critic_builder.size(), shape.critic_builder.layers(), 1, 1,
      {},  {}};
  parts.make_pass = [model = std::move(model)](const gradient_family::TrainingContext& context, const TableCells& cells,
                                               const UnitTable& table) {
    return std::unique_ptr<gradient_family::GradientPass>(std::make_unique<CriticPass>(model, context, cells, table));
  };
  return gradient_family::MakeGradientContribution(std::move(parts), std::move(units), std::move(random), options);
}

}  // namespace synod::wgan
