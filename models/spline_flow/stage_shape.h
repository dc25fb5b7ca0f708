// The network of the autoregressive variant: its stages, one a column in the order in which columns are drawn, and its
// layers, all fixed by the schema and the options.
//
//   hidden_s = tanh(sum over earlier stages t of W_t x_t + stage_s)
//   output_s = V_s hidden_s + c_s
//
// x_t: (one-hot of the token of stage t's column) - (its noisy shares). With a shared conditioner W_t is the same for
// every later stage (Larochelle and Murray 2011), and what tells stages apart is the stage input; otherwise every stage
// has a matrix of its own over all earlier slots. V_s starts at zero: the independent columns of the noisy counts.
//
// A column owns as many outputs as it can have tokens (TokenCapacity); those without a token are never read. Behind
// them, where slopes are learned and tokens may hold several cells, comes one output for each knot.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine/parameter_view.h"
#include "models/spline_flow/options.h"
#include "models/tabular/public_grid.h"

namespace synod::spline_flow {

struct Stage {
  std::size_t column = 0;  // among the modelled ones
  std::size_t tokens = 0;  // the most that there can be
  std::size_t knots = 0;   // outputs for slopes
  std::size_t first_slot = 0;
  std::size_t first_output = 0;
  // Shared conditioner: from this column's slots, absent (in = 0) at the last stage. Otherwise from the slots of all
  // earlier stages, absent at the first.
  engine::LinearLayer input;
  engine::LinearLayer output;

  std::size_t outputs() const { return tokens + knots; }
};

struct StageShape {
  // `label`: the label among the modelled columns, or -1.
  StageShape(const std::vector<tabular::PublicGrid>& grids, int label, const Options& options);

  std::size_t columns() const { return stages.size(); }
  std::size_t slots() const { return stages.back().first_slot + stages.back().tokens; }
  std::size_t outputs() const { return stages.back().first_output + stages.back().outputs(); }
  std::int64_t parameters() const { return builder.size(); }

  bool shared = true;
  std::size_t hidden = 0;
  std::vector<Stage> stages;
  engine::ParameterBuilder builder;
  engine::BiasLayer stage;  // [columns * hidden]
};

// The label among the modelled columns of the schema, or -1.
int ModelledLabel(const Schema& schema);

}  // namespace synod::spline_flow
