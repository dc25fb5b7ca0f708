// Small networks for the tests of the engine: each twice, over a tape and in plain LibTorch on one flat vector.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "models/engine/tape.h"

namespace synod::engine {

// The rows of a batch in every form that a layer reads. `rows` of each, unit-major.
struct TestBatch {
  std::int64_t units = 0;
  std::int64_t uses = 1;
  torch::Tensor rows;    // [rows, 6]
  torch::Tensor tokens;  // [rows, 3, 4]
  torch::Tensor images;  // [rows, 2, 5, 5]
  torch::Tensor codes;   // [rows, 3], int64 in -1..6

  static TestBatch Random(std::int64_t units, std::int64_t uses, std::uint64_t seed);
  // The units in the order of `order`, which may name some twice.
  TestBatch Select(const std::vector<std::int64_t>& order) const;
  TestBatch Scaled(double factor) const;
};

struct TestNetwork {
  std::string name;
  ParameterBuilder builder;
  std::function<torch::Tensor(Tape&, const TestBatch&)> taped;                      // -> [rows, k]
  std::function<torch::Tensor(const torch::Tensor& flat, const TestBatch&)> plain;  // the same, in flat's precision
};

// One network for each rule, and for each way of using it several times.
const std::vector<TestNetwork>& TestNetworks();

torch::Tensor RandomParameters(const TestNetwork& network, std::uint64_t seed);

// Mean over uses of a loss that is not symmetric in the outputs, [units].
torch::Tensor LossesOf(const torch::Tensor& output, const TestBatch& batch);

// The gradient of one unit's loss by plain autograd in float64.
torch::Tensor UnitGradientOf(const TestNetwork& network, const torch::Tensor& parameters, const TestBatch& batch,
                             std::int64_t unit);

}  // namespace synod::engine
