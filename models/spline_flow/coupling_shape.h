// The network of the coupling variant, fixed by the number of columns and the options: `stages` times
//
//   x <- L U P x + b                      an LU layer of its own; P turns the columns by half their number
//   (a, c) <- (a, spline of c given a)    a: the first half of the columns
//
// on normal scores, the last stage followed by nothing: what comes out is compared with a standard normal. The
// conditioner of the splines is tanh(W [a | one-hot of the stage] + d), then one more such layer, then a linear layer
// that starts at zero: the flow starts as the identity. It is one for all stages, or one for each.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine/parameter_view.h"
#include "models/spline_flow/options.h"

namespace synod::spline_flow {

struct Conditioner {
  engine::LinearLayer first;
  engine::LinearLayer second;
  engine::LinearLayer last;
};

struct CouplingShape {
  // At least two columns (our own duty).
  CouplingShape(std::size_t columns, const Options& options);

  std::int64_t parameters() const { return builder.size(); }
  std::int64_t kept() const { return columns / 2; }                   // a
  std::int64_t transformed() const { return columns - columns / 2; }  // c
  std::int64_t values_per_spline() const { return 3 * bins - 1; }
  const Conditioner& conditioner(std::size_t stage) const { return conditioners[conditioners.size() == 1 ? 0 : stage]; }

  std::int64_t columns = 0;
  std::int64_t stages = 0;
  std::int64_t bins = 0;
  double tail = 0.0;
  bool shared = true;
  std::vector<engine::LuLinearLayer> linear;  // [stage]
  std::vector<Conditioner> conditioners;      // one, or one a stage
  engine::ParameterBuilder builder;
};

// Of the LU layers' diagonals: its softplus plus 1e-3 is 1.
inline constexpr float kIdentityDiagonal = 0.5397424F;

}  // namespace synod::spline_flow
