#include "models/table_diffusion/masked_generator.h"

#include "models/table_diffusion/entries.h"
#include "models/tabular/histogram_sum.h"

namespace synod::table_diffusion {

MaskedGenerator::MaskedGenerator(std::shared_ptr<const Schema> schema, Options options,
                                 std::vector<tabular::PublicGrid> grids, tabular::TokenTransform transform)
    : schema_(std::move(schema)),
      options_(options),
      grids_(std::move(grids)),
      transform_(std::move(transform)),
      shape_(grids_, options_),
      decoder_(schema_, grids_, transform_) {}

Result<std::unique_ptr<Generator>> MaskedGenerator::Open(std::shared_ptr<const Schema> schema, const OpenedModel& model,
                                                         const std::vector<float>& parameters) {
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  SYNOD_ASSIGN_OR_RETURN(const TrainingContext context, DecodeContext(model.context, tabular::HistogramSize(grids)));
  auto transform = tabular::TokenTransform::FromHistogram(grids, context.counts, context.sigma, {model.options.tokens});
  std::unique_ptr<MaskedGenerator> generator(
      new MaskedGenerator(std::move(schema), model.options, std::move(grids), std::move(transform)));
  if (static_cast<std::int64_t>(parameters.size()) != generator->shape_.parameters()) {
    return BadInput("the generator's parameters do not fit its schema");
  }
  if (model.offsets.size() != generator->shape_.slots()) {
    return BadInput("the generator's offsets do not fit its schema");
  }
  generator->sampler_ = std::make_unique<MaskedSampler>(generator->shape_, generator->options_, generator->transform_,
                                                        parameters, model.offsets);
  return std::unique_ptr<Generator>(std::move(generator));
}

Result<Table> MaskedGenerator::Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                                     std::span<const GivenValue> given) const {
  std::vector<GivenToken> tokens_given;
  std::vector<const GivenValue*> value_given(grids_.size(), nullptr);
  for (const GivenValue& value : given) {
    SYNOD_ASSIGN_OR_RETURN(const std::size_t column, decoder_.ModelledColumn(value.column));
    SYNOD_ASSIGN_OR_RETURN(const std::size_t cell, decoder_.CellOfGiven(column, value));
    if (value_given[column] != nullptr) return BadInput("two conditions name the same column");
    value_given[column] = &value;
    tokens_given.push_back({column, transform_.column(column).token_of_cell[cell]});
  }
  PublicRandom random(seed, "synod.sample", block);
  std::vector<ColumnCells> output = decoder_.EmptyOutput();
  std::vector<std::uint16_t> tokens(grids_.size());
  for (std::size_t row = 0; row < rows; ++row) {
    sampler_->DrawRow(random, tokens_given, tokens);
    for (std::size_t j = 0; j < grids_.size(); ++j) {
      const std::size_t cell = decoder_.DrawCell(j, tokens[j], random.Uniform());
      const double uniform = random.Uniform();
      if (value_given[j] != nullptr) {
        decoder_.AppendGiven(j, *value_given[j], output);
      } else {
        decoder_.AppendCell(j, cell, uniform, output);
      }
    }
  }
  return decoder_.Finish(std::move(output), rows);
}

}  // namespace synod::table_diffusion
