// Draws rows from a trained masked denoiser, one column after the other, each given all that are visible.
//
// Plain C++ on one thread: revealing a column changes the hidden pre-activation by one row of the input table, so a row
// costs columns x (hidden + tokens x hidden) multiplications and needs no LibTorch. Same bytes for the same inputs on
// one kind of machine. Threads: Draw is const and may run in many threads.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <span>
#include <vector>

#include "common/query/public_random.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {

// A column whose token is given rather than drawn.
struct GivenToken {
  std::size_t column = 0;
  std::uint16_t token = 0;
};

class MaskedSampler {
 public:
  // `offsets`: one per slot, added to the logits (see Calibrate); may be all zero.
  MaskedSampler(const MaskedShape& shape, const Options& options, const tabular::TokenTransform& transform,
                std::span<const float> parameters, std::vector<float> offsets);

  // One row of tokens, one a column; `given` columns are visible from the start.
  void DrawRow(PublicRandom& random, std::span<const GivenToken> given, std::span<std::uint16_t> tokens) const;

  // Shifts the logits until the one-way shares of what is drawn agree with the noisy shares of the transform:
  // fixed-point rounds on `rows` rows each. Post-processing: it reads noisy shares and the model's own rows.
  void Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows);

  const std::vector<float>& offsets() const { return offsets_; }

 private:
  using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  void Reveal(std::size_t column, std::uint16_t token, std::span<float> pre_activation) const;
  // `logits` is scratch space for one value a slot.
  std::uint16_t DrawToken(std::size_t column, const Eigen::VectorXf& hidden, double uniform,
                          Eigen::VectorXf& logits) const;
  // The share of each slot among `rows` rows of a stream of its own.
  std::vector<double> DrawnShares(std::uint64_t seed, std::uint64_t stream, std::size_t rows) const;

  const MaskedShape& shape_;
  const tabular::TokenTransform& transform_;
  std::size_t hidden_;
  std::vector<float> input_by_slot_;    // [slots][hidden]
  std::vector<float> input_mean_;       // [columns][hidden]: the probability-weighted mean of a column's rows
  std::vector<float> input_bias_;       // [hidden]
  std::vector<float> time_by_visible_;  // [columns][hidden]: the time layer's output for each number of visible columns
  std::vector<float> output_;           // [slots][hidden]
  std::vector<float> logit_bias_;       // [slots]: log p + bias
  std::vector<float> offsets_;          // [slots]
};

}  // namespace synod::table_diffusion
