#include "models/spline_flow/stage_generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/query/public_random.h"
#include "models/tabular/histogram_sum.h"

namespace synod::spline_flow {
namespace {

constexpr std::size_t kMostTriesPerRow = 1000;

}  // namespace

StageGenerator::StageGenerator(std::shared_ptr<const Schema> schema, const Options& options,
                               std::vector<tabular::PublicGrid> grids, tabular::TokenTransform transform)
    : schema_(std::move(schema)),
      grids_(std::move(grids)),
      transform_(std::move(transform)),
      bases_(BasesOf(grids_, transform_)),
      shape_(grids_, ModelledLabel(*schema_), options),
      decoder_(schema_, grids_, transform_) {}

Result<std::unique_ptr<Generator>> StageGenerator::Open(std::shared_ptr<const Schema> schema, const OpenedModel& model,
                                                        const std::vector<float>& parameters) {
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  SYNOD_ASSIGN_OR_RETURN(const gradient_family::TrainingContext context,
                         gradient_family::DecodeContext(model.context, tabular::HistogramSize(grids)));
  auto transform = tabular::TokenTransform::FromHistogram(grids, context.counts, context.sigma, {model.options.tokens});
  std::unique_ptr<StageGenerator> generator(
      new StageGenerator(std::move(schema), model.options, std::move(grids), std::move(transform)));
  if (static_cast<std::int64_t>(parameters.size()) != generator->shape_.parameters()) {
    return BadInput("the generator's parameters do not fit its schema");
  }
  if (model.offsets.size() != generator->shape_.outputs()) {
    return BadInput("the generator's offsets do not fit its schema");
  }
  generator->sampler_ = std::make_unique<StageSampler>(generator->shape_, generator->bases_, parameters, model.offsets);
  return std::unique_ptr<Generator>(std::move(generator));
}

Result<StageGenerator::Conditions> StageGenerator::ConditionsOf(std::span<const GivenValue> given) const {
  Conditions conditions;
  conditions.cells.assign(shape_.columns(), StageSampler::kFree);
  conditions.values.assign(shape_.columns(), nullptr);
  for (const GivenValue& value : given) {
    SYNOD_ASSIGN_OR_RETURN(const std::size_t column, decoder_.ModelledColumn(value.column));
    SYNOD_ASSIGN_OR_RETURN(const std::size_t cell, decoder_.CellOfGiven(column, value));
    std::size_t stage = 0;
    while (shape_.stages[stage].column != column) ++stage;
    if (conditions.values[stage] != nullptr) return BadInput("two conditions name the same column");
    conditions.values[stage] = &value;
    conditions.cells[stage] = static_cast<std::int32_t>(cell);
  }
  bool free = false;
  for (const std::int32_t cell : conditions.cells) {
    conditions.by_rejection = conditions.by_rejection || (free && cell != StageSampler::kFree);
    free = free || cell == StageSampler::kFree;
  }
  return conditions;
}

Result<Table> StageGenerator::Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                                    std::span<const GivenValue> given) const {
  constexpr std::size_t kTile = StageSampler::kTileRows;
  SYNOD_ASSIGN_OR_RETURN(const Conditions conditions, ConditionsOf(given));
  const std::size_t columns = shape_.columns();
  PublicRandom random(seed, "synod.sample", block);
  std::vector<double> uniforms(kTile * columns * StageSampler::kUniformsPerColumn);
  std::vector<std::uint16_t> cells(kTile * columns);
  std::vector<double> log_weights(kTile);
  std::vector<ColumnCells> output = decoder_.EmptyOutput();
  std::size_t made = 0;
  for (std::size_t tried = 0; made < rows; tried += kTile) {
    if (tried >= kMostTriesPerRow * rows + kTile) {
      return Failed(fmt::format("only {} of {} rows met the conditions: too rare behind the columns drawn before them",
                                made, tried),
                    "ask for a more common value, for fewer conditions, or for columns that come first");
    }
    for (double& uniform : uniforms) uniform = random.Uniform();
    sampler_->DrawTile(uniforms, conditions.cells, cells, log_weights);
    for (std::size_t row = 0; row < kTile && made < rows; ++row) {
      if (conditions.by_rejection && random.Uniform() >= std::exp(log_weights[row])) continue;
      for (std::size_t s = 0; s < columns; ++s) {
        const std::size_t column = shape_.stages[s].column;
        const double uniform = random.Uniform();
        if (conditions.values[s] != nullptr) {
          decoder_.AppendGiven(column, *conditions.values[s], output);
        } else {
          decoder_.AppendCell(column, cells[row * columns + s], uniform, output);
        }
      }
      ++made;
    }
  }
  return decoder_.Finish(std::move(output), rows);
}

Result<RowLikelihoods> StageGenerator::LogLikelihood(const Table& rows) const {
  constexpr std::size_t kTile = StageSampler::kTileRows;
  if (rows.schema().Hash() != schema_->Hash()) return BadInput("the rows are of another schema than the generator");
  const std::size_t columns = shape_.columns();
  const auto table_cells = tabular::CellsOf(rows, grids_);
  const std::vector<std::size_t> modelled = tabular::ModelledColumns(*schema_);
  std::vector<std::vector<double>> log_extent(columns);
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t cell = 0; cell < grids_[j].cells(); ++cell) {
      log_extent[j].push_back(std::log(grids_[j].Extent(cell)));
    }
  }
  RowLikelihoods result;
  result.rows.assign(rows.rows(), 0.0);
  std::vector<double> sums(columns, 0.0);
  std::vector<std::uint16_t> cells(kTile * columns);
  std::vector<double> logs(kTile * columns);
  for (std::size_t first = 0; first < rows.rows(); first += kTile) {
    const std::size_t height = std::min(kTile, rows.rows() - first);
    std::fill(cells.begin(), cells.end(), std::uint16_t{0});
    for (std::size_t i = 0; i < height * columns; ++i) {
      cells[i] = table_cells[shape_.stages[i % columns].column][first + i / columns];
    }
    sampler_->LogProbabilities(cells, logs);
    for (std::size_t i = 0; i < height * columns; ++i) {
      const std::size_t column = shape_.stages[i % columns].column;
      const double log_density = logs[i] - log_extent[column][cells[i]];
      result.rows[first + i / columns] += log_density;
      sums[column] += log_density;
    }
  }
  for (std::size_t j = 0; j < columns && rows.rows() > 0; ++j) {
    result.columns.push_back(modelled[j]);
    result.column_means.push_back(sums[j] / static_cast<double>(rows.rows()));
  }
  return result;
}

std::string StageGenerator::Measure() const {
  return "probability of categories, whole numbers, atoms and missing cells; density per unit of a continuous column "
         "between its atoms";
}

}  // namespace synod::spline_flow
