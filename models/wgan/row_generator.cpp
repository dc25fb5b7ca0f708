#include "models/wgan/row_generator.h"

#include <algorithm>

#include "models/gradient_family/entries.h"
#include "models/gradient_family/model_values.h"
#include "models/tabular/histogram_sum.h"

namespace synod::wgan {
namespace {

// Rows of one matrix product. Always this many: how a product is summed may depend on its size, and a block must begin
// alike however many of its rows are asked for.
constexpr std::size_t kChunkRows = 256;
static_assert(Generator::kBlockRows % kChunkRows == 0);

}  // namespace

Result<std::unique_ptr<Generator>> RowGenerator::Open(std::shared_ptr<const Schema> schema,
                                                      const GeneratorModel& model) {
  SYNOD_ASSIGN_OR_RETURN(const Options options, Options::FromJson(model.options));
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  const Shape shape(grids, options);
  SYNOD_ASSIGN_OR_RETURN(const ParameterLayout layout, gradient_family::LayoutOf(shape.generator_builder));
  SYNOD_RETURN_IF_ERROR(gradient_family::CheckModel(model, layout, 2));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<float> histogram, gradient_family::StateFloats(model, "histogram"));
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> offsets, gradient_family::StateFloats(model, "offsets"));
  SYNOD_ASSIGN_OR_RETURN(const gradient_family::TrainingContext context,
                         gradient_family::DecodeContext(histogram, tabular::HistogramSize(grids)));
  if (offsets.size() != shape.slots()) return BadInput("the generator's offsets do not fit its schema");
  auto transform = tabular::TokenTransform::FromHistogram(grids, context.counts, context.sigma, {options.tokens});
  return std::unique_ptr<Generator>(new RowGenerator(std::move(schema), options, std::move(grids), std::move(transform),
                                                     model.parameters, std::move(offsets)));
}

RowGenerator::RowGenerator(std::shared_ptr<const Schema> schema, const Options& options,
                           std::vector<tabular::PublicGrid> grids, tabular::TokenTransform transform,
                           std::vector<float> parameters, std::vector<float> offsets)
    : grids_(std::move(grids)),
      transform_(std::move(transform)),
      shape_(grids_, options),
      latent_rows_(shape_, options, transform_),
      decoder_(std::move(schema), grids_, transform_),
      parameters_(std::move(parameters)),
      offsets_(std::move(offsets)) {}

Result<Table> RowGenerator::Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                                  std::span<const GivenValue> given) const {
  if (!given.empty()) {
    return BadInput("a wgan generator cannot meet conditions: it makes all columns of a row at once",
                    "draw rows without conditions and keep those that fit, or train a table_diffusion");
  }
  PublicRandom latents(seed, "synod.sample.latents", block);
  PublicRandom random(seed, "synod.sample", block);
  std::vector<ColumnCells> output = decoder_.EmptyOutput();
  for (std::size_t first = 0; first < rows; first += kChunkRows) {
    const Matrix probabilities = latent_rows_.Probabilities(
        latent_rows_.Forward(parameters_, latent_rows_.Latents(latents, kChunkRows)).output, offsets_);
    const std::vector<std::uint16_t> tokens = latent_rows_.Draw(probabilities, random);
    for (std::size_t row = 0; row < std::min(kChunkRows, rows - first); ++row) {
      for (std::size_t j = 0; j < grids_.size(); ++j) {
        const std::size_t cell = decoder_.DrawCell(j, tokens[row * grids_.size() + j], random.Uniform());
        decoder_.AppendCell(j, cell, random.Uniform(), output);
      }
    }
  }
  return decoder_.Finish(std::move(output), rows);
}

}  // namespace synod::wgan
