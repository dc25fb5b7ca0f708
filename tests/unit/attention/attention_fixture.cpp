#include "tests/unit/attention/attention_fixture.h"

#include "models/attention/entries.h"
#include "models/gradient_family/model_values.h"

namespace synod::testing {
namespace {

std::vector<float> NoisyCounts(const std::vector<tabular::PublicGrid>& grids,
                               const std::vector<std::vector<std::uint16_t>>& cells) {
  PublicRandom random(91, "test.noise");
  std::vector<float> counts;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    std::vector<float> own(grids[j].cells());
    for (float& count : own) count = static_cast<float>(0.5 * random.Normal());
    for (const std::uint16_t cell : cells[j]) own[cell] += 1.0F;
    counts.insert(counts.end(), own.begin(), own.end());
  }
  return counts;
}

UnitTable RowsOrSubjects(const std::shared_ptr<const Table>& table, std::size_t most_rows) {
  if (most_rows == 1) return UnitTable::Records(table);
  return UnitTable::Subjects(table, static_cast<std::uint32_t>(most_rows)).value();
}

}  // namespace

attention::Options SmallAttention(attention::Decoding decoding, std::uint32_t latent) {
  attention::Options options;
  options.steps = 1;
  options.batch = 1;
  options.learning_rate = 0.01;
  options.decoding = decoding;
  options.latent = latent;
  options.draws_per_row = 3;
  options.width = 6;
  options.heads = 2;
  options.hidden = 5;
  options.tokens = 6;
  return options;
}

AttentionWorld::AttentionWorld(const attention::Options& wanted, std::shared_ptr<const Schema> of,
                               std::size_t most_rows)
    : schema(std::move(of)),
      table(std::make_shared<const Table>(RandomTable(schema, 60, 5, most_rows))),
      units(RowsOrSubjects(table, most_rows)),
      options(wanted),
      grids(tabular::GridsOf(*schema)),
      cells(tabular::CellsOf(*table, grids)),
      histogram(NoisyCounts(grids, cells)),
      transform(tabular::TokenTransform::FromHistogram(grids, histogram, 0.5, {options.tokens})),
      codes(attention::CodesOf(grids, transform)),
      shape(grids, options),
      batcher(shape, options, codes, cells, units) {}

std::vector<float> AttentionWorld::Parameters(double size, std::uint64_t seed) const {
  PublicRandom random(seed, "parameters");
  std::vector<float> values(static_cast<std::size_t>(shape.parameters()));
  for (float& value : values) value = static_cast<float>(size * random.Normal());
  return values;
}

GeneratorModel AttentionWorld::Model(std::vector<float> parameters) const {
  GeneratorModel model;
  model.family = "attention";
  model.options = options.ToJson();
  model.layout = attention::LayoutFor(grids, options).value();
  model.parameters = std::move(parameters);
  model.state = {{"histogram", gradient_family::FloatsToJson(gradient_family::EncodeContext(0.5, histogram))},
                 {"offsets", gradient_family::FloatsToJson(std::vector<float>(shape.slots(), 0.0F))}};
  return model;
}

}  // namespace synod::testing
