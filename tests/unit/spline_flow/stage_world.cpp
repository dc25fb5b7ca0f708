#include "tests/unit/spline_flow/stage_world.h"

#include "common/query/public_random.h"
#include "models/spline_flow/stage_generator.h"

namespace synod::testing {
namespace {

std::vector<float> ExactCounts(const std::vector<tabular::PublicGrid>& grids,
                               const std::vector<std::vector<std::uint16_t>>& cells) {
  std::vector<float> counts;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    std::vector<float> own(grids[j].cells());
    for (const std::uint16_t cell : cells[j]) own[cell] += 1.0F;
    counts.insert(counts.end(), own.begin(), own.end());
  }
  return counts;
}

}  // namespace

StageWorld::StageWorld(std::shared_ptr<const Schema> own_schema, const spline_flow::Options& own_options,
                       std::size_t rows)
    : schema(std::move(own_schema)),
      table(std::make_shared<const Table>(RandomTable(schema, rows, 5))),
      options(own_options),
      parts(spline_flow::PartsFor(*schema, options).value()),
      cells(tabular::CellsOf(*table, parts.grids)),
      histogram(ExactCounts(parts.grids, cells)),
      transform(tabular::TokenTransform::FromHistogram(parts.grids, histogram, 0.5, {options.tokens})) {}

std::vector<float> StageWorld::RandomParameters(double size, std::uint64_t seed) const {
  PublicRandom random(seed, "test.parameters");
  std::vector<float> values(parts.layout.size());
  for (float& value : values) value = static_cast<float>(size * random.Normal());
  return values;
}

GeneratorModel StageWorld::Model(double size, std::uint64_t seed) const {
  GeneratorModel model;
  model.family = "spline_flow";
  model.options = options.ToJson();
  model.layout = parts.layout;
  model.parameters = RandomParameters(size, seed);
  std::vector<float> offsets;
  if (options.variant == spline_flow::Variant::kAutoregressive) {
    PublicRandom random(seed, "test.offsets");
    offsets.resize(spline_flow::StageShape(parts.grids, parts.label, options).outputs());
    for (float& offset : offsets) offset = static_cast<float>(0.3 * size * random.Normal());
  }
  model.state = spline_flow::StateJson(gradient_family::EncodeContext(0.5, histogram), offsets);
  return model;
}

spline_flow::Options SmallSpline(spline_flow::Variant variant) {
  spline_flow::Options options;
  options.variant = variant;
  options.steps = 1;
  options.batch = 1;
  options.learning_rate = 0.01;
  options.hidden = 6;
  options.tokens = 6;
  options.stages = 3;
  options.bins = 5;
  return options;
}

Result<std::unique_ptr<Generator>> OpenStages(const std::shared_ptr<const Schema>& schema,
                                              const GeneratorModel& model) {
  SYNOD_ASSIGN_OR_RETURN(const spline_flow::OpenedModel opened, spline_flow::OpenModel(model));
  return spline_flow::StageGenerator::Open(schema, opened, model.parameters);
}

}  // namespace synod::testing
