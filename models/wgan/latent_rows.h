// From latent vectors to rows of tokens: the generator's network, its softmaxes, and the draws from them. Plain Eigen
// on one thread; the same bytes for the same inputs on one kind of machine.
//
// Given its latent vector, the columns of a row are drawn independently of each other: what they have in common comes
// through the latent vector alone. Const: any number of threads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "common/query/public_random.h"
#include "models/tabular/token_transform.h"
#include "models/wgan/mlp.h"
#include "models/wgan/shape.h"

namespace synod::wgan {

class LatentRows {
 public:
  // `shape` and `transform` must outlive it.
  LatentRows(const Shape& shape, const Options& options, const tabular::TokenTransform& transform);

  Matrix Latents(PublicRandom& random, std::size_t rows) const;  // [rows, latent], standard normal

  // latents [rows, latent]; the output of the pass is [rows, slots].
  Mlp::Pass Forward(std::span<const float> parameters, Matrix latents) const;
  const Mlp& network() const { return network_; }

  // From the network's outputs to the probabilities of the tokens, [rows, slots]: the softmax of log share + output +
  // offset in each column; 0 in slots without a token. `offsets`: one a slot, or empty.
  Matrix Probabilities(Matrix outputs, std::span<const float> offsets = {}) const;

  // One token a column and row, [rows][columns]; the draws of a row follow those of the row before it.
  std::vector<std::uint16_t> Draw(const Matrix& probabilities, PublicRandom& random) const;

  // Offsets under which the mean probabilities of fixed latent vectors agree with the noisy shares: damped fixed-point
  // rounds, exact in the end because given the latent vectors every column stands by itself. Post-processing: it reads
  // noisy shares and the model's own rows.
  std::vector<float> FitOffsets(std::span<const float> parameters, std::uint64_t seed, std::uint32_t rounds) const;

 private:
  const Shape& shape_;
  Eigen::Index latent_;
  const tabular::TokenTransform& transform_;
  Mlp network_;
  std::vector<float> log_shares_;  // [slots]
};

}  // namespace synod::wgan
