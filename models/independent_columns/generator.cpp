#include "models/independent_columns/generator.h"

#include <algorithm>
#include <cmath>

#include "common/query/public_random.h"
#include "models/independent_columns/options.h"
#include "models/independent_columns/plan.h"

namespace synod::independent_columns {

MarginalGenerator::MarginalGenerator(std::shared_ptr<const Schema> schema, std::vector<tabular::PublicGrid> grids,
                                     std::span<const float> counts, double sigma)
    : grids_(std::move(grids)),
      transform_(tabular::TokenTransform::FromHistogram(grids_, counts, sigma, {})),
      decoder_(std::move(schema), grids_, transform_) {
  for (std::size_t j = 0; j < grids_.size(); ++j) {
    std::vector<double> sums;
    std::size_t drawn_cells = 0;
    double sum = 0.0;
    for (const double share : transform_.column(j).cell_probability) {
      sum += share;
      sums.push_back(sum);
      if (share > 0.0) drawn_cells = sums.size();
    }
    sums.resize(drawn_cells);
    cumulative_.push_back(std::move(sums));
  }
}

Result<std::unique_ptr<Generator>> MarginalGenerator::Open(std::shared_ptr<const Schema> schema,
                                                           const GeneratorModel& model) {
  SYNOD_RETURN_IF_ERROR(Options::FromJson(model.options));
  const Json& state = model.state;
  if (!state.is_object() || state.size() != 1 || !state.contains("sigma") || !state["sigma"].is_number() ||
      !(state["sigma"].get<double>() >= 0.0) || !std::isfinite(state["sigma"].get<double>())) {
    return BadInput("the generator's state is not one of independent_columns");
  }
  std::vector<tabular::PublicGrid> grids = tabular::GridsOf(*schema);
  SYNOD_ASSIGN_OR_RETURN(const ParameterLayout layout, LayoutFor(*schema, grids));
  if (model.parameters.size() != layout.size()) return BadInput("the generator's parameters do not fit its schema");
  const bool finite =
      std::all_of(model.parameters.begin(), model.parameters.end(), [](float x) { return std::isfinite(x); });
  if (!finite) return BadInput("the generator has parameters that are not finite");
  return std::unique_ptr<Generator>(
      new MarginalGenerator(std::move(schema), std::move(grids), model.parameters, state["sigma"].get<double>()));
}

std::size_t MarginalGenerator::DrawCell(std::size_t column, double uniform) const {
  const std::vector<double>& sums = cumulative_[column];
  const auto found = std::upper_bound(sums.begin(), sums.end(), uniform * sums.back());
  return std::min<std::size_t>(static_cast<std::size_t>(found - sums.begin()), sums.size() - 1);
}

Result<Table> MarginalGenerator::Block(std::uint64_t seed, std::uint64_t block, std::size_t rows,
                                       std::span<const GivenValue> given) const {
  std::vector<const GivenValue*> value_given(grids_.size(), nullptr);
  for (const GivenValue& value : given) {
    SYNOD_ASSIGN_OR_RETURN(const std::size_t column, decoder_.ModelledColumn(value.column));
    SYNOD_RETURN_IF_ERROR(decoder_.CellOfGiven(column, value));
    if (value_given[column] != nullptr) return BadInput("two conditions name the same column");
    value_given[column] = &value;
  }
  PublicRandom random(seed, "synod.sample", block);
  std::vector<ColumnCells> output = decoder_.EmptyOutput();
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t j = 0; j < grids_.size(); ++j) {
      const std::size_t cell = DrawCell(j, random.Uniform());
      const double within = random.Uniform();
      if (value_given[j] != nullptr) {
        decoder_.AppendGiven(j, *value_given[j], output);
      } else {
        decoder_.AppendCell(j, cell, within, output);
      }
    }
  }
  return decoder_.Finish(std::move(output), rows);
}

}  // namespace synod::independent_columns
