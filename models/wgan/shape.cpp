#include "models/wgan/shape.h"

#include <algorithm>

#include "models/gradient_family/entries.h"
#include "models/tabular/histogram_sum.h"

namespace synod::wgan {
namespace {

std::vector<engine::LinearLayer> Layers(engine::ParameterBuilder& builder, std::string_view name, std::size_t in,
                                        std::uint32_t hidden, std::uint32_t hidden_layers, std::size_t out,
                                        bool last_bias) {
  std::vector<engine::LinearLayer> layers;
  auto width = static_cast<std::int64_t>(in);
  for (std::uint32_t i = 0; i < hidden_layers; ++i) {
    layers.push_back(builder.Linear(std::string(name) + std::to_string(i), width, hidden));
    width = hidden;
  }
  layers.push_back(
      builder.Linear(std::string(name).append("_output"), width, static_cast<std::int64_t>(out), last_bias));
  return layers;
}

}  // namespace

Shape::Shape(const std::vector<tabular::PublicGrid>& grids, const Options& options) {
  first_slot.push_back(0);
  for (const tabular::PublicGrid& grid : grids) {
    first_slot.push_back(first_slot.back() + tabular::TokenCapacity(grid, {options.tokens}));
  }
  critic = Layers(critic_builder, "critic", slots(), options.critic_hidden, options.critic_layers, 1, false);
  generator = Layers(generator_builder, "generator", options.latent, options.generator_hidden, options.generator_layers,
                     slots(), true);
}

void FillCriticInput(const Shape& shape, const tabular::TokenTransform& transform,
                     std::span<const std::uint16_t> tokens, std::span<float> input) {
  std::fill(input.begin(), input.end(), 0.0F);
  for (std::size_t j = 0; j < shape.columns(); ++j) {
    const std::span<float> own = input.subspan(shape.first_slot[j]);
    const std::vector<double>& shares = transform.column(j).probability;
    for (std::size_t v = 0; v < shares.size(); ++v) own[v] = -static_cast<float>(shares[v]);
    own[tokens[j]] += 1.0F;
  }
}

Result<ModelParts> PartsOf(const FamilyRun& run) {
  ModelParts parts;
  SYNOD_ASSIGN_OR_RETURN(parts.options, Options::FromJson(run.options));
  parts.grids = tabular::GridsOf(*run.schema);
  const Shape shape(parts.grids, parts.options);
  SYNOD_ASSIGN_OR_RETURN(parts.generator_layout, gradient_family::LayoutOf(shape.generator_builder));
  SYNOD_RETURN_IF_ERROR(gradient_family::CheckPlan(run, "wgan", tabular::HistogramSize(parts.grids),
                                                   static_cast<std::size_t>(shape.critic_builder.size())));
  return parts;
}

}  // namespace synod::wgan
