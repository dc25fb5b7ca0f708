#include "models/spline_flow/stage_shape.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/tabular/token_transform.h"

namespace synod::spline_flow {

StageShape::StageShape(const std::vector<tabular::PublicGrid>& grids, int label, const Options& options)
    : shared(options.shared), hidden(options.hidden) {
  std::vector<std::size_t> order;
  for (std::size_t j = 0; j < grids.size(); ++j) {
    if (static_cast<int>(j) != label) order.push_back(j);
  }
  if (label >= 0) {
    const bool first = options.label == LabelPlace::kFirst;
    order.insert(first ? order.begin() : order.end(), static_cast<std::size_t>(label));
  }
  std::size_t slot = 0;
  std::size_t output = 0;
  for (const std::size_t column : order) {
    const tabular::PublicGrid& grid = grids[column];
    Stage own;
    own.column = column;
    own.tokens = tabular::TokenCapacity(grid, {options.tokens});
    const bool may_be_wide = grid.cells() > own.tokens;
    own.knots = may_be_wide && options.slopes == Slopes::kLearned ? own.tokens - (grid.has_missing() ? 1 : 0) + 1 : 0;
    own.first_slot = slot;
    own.first_output = output;
    slot += own.tokens;
    output += own.outputs();
    stages.push_back(own);
  }
  const auto width = static_cast<std::int64_t>(hidden);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    const bool has_input = shared ? s + 1 < stages.size() : s > 0;
    const std::size_t in = shared ? stages[s].tokens : stages[s].first_slot;
    if (!has_input) continue;
    stages[s].input = builder.Linear(fmt::format("input.{}", s), static_cast<std::int64_t>(in), width,
                                     /*has_bias=*/false);
  }
  stage = builder.Bias("stage", static_cast<std::int64_t>(stages.size()) * width);
  for (std::size_t s = 0; s < stages.size(); ++s) {
    stages[s].output =
        builder.Linear(fmt::format("output.{}", s), width, static_cast<std::int64_t>(stages[s].outputs()));
  }
}

int ModelledLabel(const Schema& schema) {
  const std::vector<std::size_t> modelled = tabular::ModelledColumns(schema);
  for (std::size_t j = 0; j < modelled.size(); ++j) {
    if (static_cast<int>(modelled[j]) == schema.label()) return static_cast<int>(j);
  }
  return -1;
}

}  // namespace synod::spline_flow
