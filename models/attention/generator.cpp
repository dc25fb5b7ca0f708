#include "models/attention/generator.h"

#include "models/attention/entries.h"
#include "models/gradient_family/model_values.h"
#include "models/tabular/histogram_sum.h"

namespace synod::attention {

AttentionGenerator::AttentionGenerator(std::shared_ptr<const Schema> schema, Options options,
                                       std::vector<tabular::PublicGrid> grids, tabular::TokenTransform transform)
    : schema_(std::move(schema)),
      options_(options),
      grids_(std::move(grids)),
      transform_(std::move(transform)),
      codes_(CodesOf(grids_, transform_)),
      shape_(grids_, options_),
      decoder_(schema_, grids_, transform_) {}

Result<std::unique_ptr<Generator>> AttentionGenerator::Open(std::shared_ptr<const Schema> schema,
                                                            const GeneratorModel& model) {
  SYNOD_ASSIGN_OR_RETURN(const Options options, Options::FromJson(model.options));
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  SYNOD_ASSIGN_OR_RETURN(const ParameterLayout layout, LayoutFor(grids, options));
  SYNOD_RETURN_IF_ERROR(gradient_family::CheckModel(model, layout, 2));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<float> histogram, gradient_family::StateFloats(model, "histogram"));
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> offsets, gradient_family::StateFloats(model, "offsets"));
  SYNOD_ASSIGN_OR_RETURN(const gradient_family::TrainingContext context,
                         gradient_family::DecodeContext(histogram, tabular::HistogramSize(grids)));
  auto transform = tabular::TokenTransform::FromHistogram(grids, context.counts, context.sigma, {options.tokens});
  std::unique_ptr<AttentionGenerator> generator(
      new AttentionGenerator(std::move(schema), options, std::move(grids), std::move(transform)));
  if (offsets.size() != generator->shape_.slots()) return BadInput("the generator's offsets do not fit its schema");
  generator->sampler_ =
      std::make_unique<Sampler>(generator->shape_, options, generator->codes_, model.parameters, std::move(offsets));
  return std::unique_ptr<Generator>(std::move(generator));
}

Result<Table> AttentionGenerator::Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                                        std::span<const GivenValue> given) const {
  if (!given.empty() && (shape_.has_latent() || options_.decoding == Decoding::kTogether)) {
    return BadInput("this generator draws a latent vector before any column: it cannot keep conditions exactly",
                    "train with latent = 0, or draw rows without conditions and keep those that meet them");
  }
  std::vector<GivenCell> cells_given;
  std::vector<const GivenValue*> value_given(grids_.size(), nullptr);
  for (const GivenValue& value : given) {
    SYNOD_ASSIGN_OR_RETURN(const std::size_t column, decoder_.ModelledColumn(value.column));
    SYNOD_ASSIGN_OR_RETURN(const std::size_t cell, decoder_.CellOfGiven(column, value));
    if (value_given[column] != nullptr) return BadInput("two conditions name the same column");
    value_given[column] = &value;
    cells_given.push_back({column, cell});
  }
  PublicRandom random(seed, "synod.sample", block);
  std::vector<ColumnCells> output = decoder_.EmptyOutput();
  std::vector<std::uint16_t> cells(grids_.size());
  Sampler::Workspace work = sampler_->MakeWorkspace();
  for (std::size_t row = 0; row < rows; ++row) {
    sampler_->DrawRow(random, cells_given, work, cells);
    for (std::size_t j = 0; j < grids_.size(); ++j) {
      if (value_given[j] != nullptr) {
        decoder_.AppendGiven(j, *value_given[j], output);
      } else {
        decoder_.AppendCell(j, cells[j], random.Uniform(), output);
      }
    }
  }
  return decoder_.Finish(std::move(output), rows);
}

}  // namespace synod::attention
