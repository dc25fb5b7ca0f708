// A small network through the engine, and the ways of building one that couple records.
#pragma once

#include "models/engine/per_unit_gradient.h"
#include "models/engine/tape.h"
#include "models/engine/torch.h"
#include "tests/honesty/integers.h"

namespace synod::honesty {

// Two linear layers around a normalisation, the second called twice: kIn numbers a row, rows unit-major.
class SmallNetwork {
 public:
  static constexpr std::int64_t kIn = 3;
  enum class Coupling { kNone, kBatchMean, kLoss };

  // `size` of the parameters: gradients grow with it.
  SmallNetwork(std::uint64_t seed, double size, Coupling coupling = Coupling::kNone);

  std::size_t dimension() const { return static_cast<std::size_t>(builder_.size()); }
  // The clipped float32 sum over the units of `rows`, each of `uses` rows: one block. Nothing for no rows.
  Row ClippedSum(const torch::Tensor& rows, std::int64_t uses, double clip) const;
  // Upper bounds of the norms of units.
  std::vector<double> Norms(const torch::Tensor& rows, std::int64_t uses) const;

 private:
  torch::Tensor Losses(engine::Tape& tape, const torch::Tensor& rows) const;

  engine::ParameterBuilder builder_;
  engine::LinearLayer first_;
  engine::NormLayer norm_;
  engine::LinearLayer shared_;
  torch::Tensor parameters_;
  Coupling coupling_;
};

}  // namespace synod::honesty
