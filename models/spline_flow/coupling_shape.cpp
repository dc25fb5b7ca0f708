#include "models/spline_flow/coupling_shape.h"

#include <fmt/format.h>

#include "common/core/check.h"

namespace synod::spline_flow {

CouplingShape::CouplingShape(std::size_t column_count, const Options& options)
    : columns(static_cast<std::int64_t>(column_count)),
      stages(options.stages),
      bins(options.bins),
      tail(options.tail),
      shared(options.shared) {
  SYNOD_CHECK(column_count >= 2, "a coupling needs two columns");
  std::vector<std::int64_t> turned;
  for (std::int64_t i = 0; i < columns; ++i) turned.push_back((i + columns / 2) % columns);
  for (std::int64_t s = 0; s < stages; ++s) linear.push_back(builder.LuLinear(fmt::format("linear.{}", s), turned));
  const std::int64_t hidden = options.hidden;
  const std::int64_t conditioner_count = shared ? 1 : stages;
  for (std::int64_t c = 0; c < conditioner_count; ++c) {
    const std::int64_t stage_input = shared ? stages : 0;
    Conditioner own;
    own.first = builder.Linear(fmt::format("conditioner.{}.first", c), kept() + stage_input, hidden);
    own.second = builder.Linear(fmt::format("conditioner.{}.second", c), hidden, hidden);
    own.last = builder.Linear(fmt::format("conditioner.{}.last", c), hidden, transformed() * values_per_spline());
    conditioners.push_back(own);
  }
}

}  // namespace synod::spline_flow
