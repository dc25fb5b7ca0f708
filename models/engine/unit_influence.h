// Whether a network keeps privacy units apart: the one thing about a network that the engine cannot see by itself.
#pragma once

#include <functional>

#include "models/engine/tape.h"

namespace synod::engine {

// True if the outputs of the first and of the last unit depend on no other unit's rows: their derivatives by the
// others' rows are exactly zero. `network` maps [rows, ...] float32 to [rows, ...]; `input` has units * uses rows, at
// least two units. For the tests of a family.
bool KeepsUnitsApart(const std::function<torch::Tensor(Tape&, const torch::Tensor&)>& network,
                     const torch::Tensor& parameters, const torch::Tensor& input, std::int64_t units);

}  // namespace synod::engine
