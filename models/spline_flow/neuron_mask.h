// Stochastic sparsification (Lee, Kim, Jeong, Ro 2022): each step trains a public random part of the output neurons.
// The clip is shared among those alone, so that the signal of each grows while its noise stays, and the coordinator
// leaves the others where they are. The mask follows from the run's seed and the query's number: it costs no privacy
// and promises none.
#pragma once

#include <cstdint>
#include <vector>

#include "models/engine/parameter_view.h"
#include "models/spline_flow/coupling_shape.h"
#include "models/spline_flow/stage_shape.h"

namespace synod::spline_flow {

// The neuron of every parameter of a network, counted over its layers as ParameterBuilder::layers() does.
std::vector<std::uint32_t> NeuronsOf(const StageShape& shape);
std::vector<std::uint32_t> NeuronsOf(const CouplingShape& shape);

// 1 for each neuron that query number `query` trains: `keep_rate` of them, one at least.
std::vector<std::uint8_t> KeptNeurons(std::uint64_t seed, std::uint32_t query, std::size_t neurons, double keep_rate);

std::size_t NeuronCount(const engine::ParameterBuilder& builder);

}  // namespace synod::spline_flow
