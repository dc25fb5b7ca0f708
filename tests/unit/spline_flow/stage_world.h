// Generators with random weights for the tests of spline_flow, over random rows of a schema.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/family.h"
#include "models/spline_flow/model_parts.h"
#include "models/spline_flow/stage_batch.h"
#include "tests/unit/models/model_fixture.h"

namespace synod::testing {

struct StageWorld {
  // `rows` random rows; histogram: their exact counts behind a small sigma.
  StageWorld(std::shared_ptr<const Schema> schema, const spline_flow::Options& options, std::size_t rows = 300);
  StageWorld(const StageWorld&) = delete;
  StageWorld& operator=(const StageWorld&) = delete;

  // Parameters and offsets are normal with this deviation.
  GeneratorModel Model(double size, std::uint64_t seed = 1) const;
  std::vector<float> RandomParameters(double size, std::uint64_t seed = 1) const;

  std::shared_ptr<const Schema> schema;
  std::shared_ptr<const Table> table;
  spline_flow::Options options;
  spline_flow::ModelParts parts;
  std::vector<std::vector<std::uint16_t>> cells;
  std::vector<float> histogram;
  tabular::TokenTransform transform;
};

// Small and complete: passes for options of a run.
spline_flow::Options SmallSpline(spline_flow::Variant variant = spline_flow::Variant::kAutoregressive);

Result<std::unique_ptr<Generator>> OpenStages(const std::shared_ptr<const Schema>& schema, const GeneratorModel& model);

}  // namespace synod::testing
