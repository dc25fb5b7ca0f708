#include "models/wgan/latent_rows.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::wgan {
namespace {

// A share of zero would forbid a value that the schema allows; the floor is far below what noisy counts can tell.
constexpr double kLeastShare = 1e-5;

// In place; shifted by the largest, so that no finite logit overflows.
void Softmax(Eigen::Map<Eigen::ArrayXf> logits) {
  logits = (logits - logits.maxCoeff()).exp();
  logits /= logits.sum();
}

}  // namespace

LatentRows::LatentRows(const Shape& shape, const Options& options, const tabular::TokenTransform& transform)
    : shape_(shape),
      latent_(options.latent),
      transform_(transform),
      network_(shape.generator),
      log_shares_(shape.slots(), 0.0F) {
  for (std::size_t j = 0; j < shape.columns(); ++j) {
    const std::vector<double>& shares = transform.column(j).probability;
    for (std::size_t v = 0; v < shares.size(); ++v) {
      log_shares_[shape.first_slot[j] + v] = static_cast<float>(std::log(std::max(shares[v], kLeastShare)));
    }
  }
}

Matrix LatentRows::Latents(PublicRandom& random, std::size_t rows) const {
  Matrix latents(static_cast<Eigen::Index>(rows), latent_);
  random.FillNormal(std::span(latents.data(), static_cast<std::size_t>(latents.size())));
  return latents;
}

Mlp::Pass LatentRows::Forward(std::span<const float> parameters, Matrix latents) const {
  return network_.Forward(parameters, std::move(latents));
}

Matrix LatentRows::Probabilities(Matrix outputs, std::span<const float> offsets) const {
  const auto slots = static_cast<Eigen::Index>(shape_.slots());
  SYNOD_CHECK(outputs.cols() == slots, "one output for each slot");
  outputs.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(log_shares_.data(), slots);
  if (!offsets.empty()) outputs.rowwise() += Eigen::Map<const Eigen::RowVectorXf>(offsets.data(), slots);
  for (Eigen::Index row = 0; row < outputs.rows(); ++row) {
    float* values = outputs.data() + row * slots;
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      const auto tokens = static_cast<Eigen::Index>(transform_.column(j).tokens());
      Softmax(Eigen::Map<Eigen::ArrayXf>(values + shape_.first_slot[j], tokens));
      std::fill(values + shape_.first_slot[j] + tokens, values + shape_.first_slot[j + 1], 0.0F);
    }
  }
  return outputs;
}

std::vector<std::uint16_t> LatentRows::Draw(const Matrix& probabilities, PublicRandom& random) const {
  std::vector<std::uint16_t> tokens;
  tokens.reserve(static_cast<std::size_t>(probabilities.rows()) * shape_.columns());
  for (Eigen::Index row = 0; row < probabilities.rows(); ++row) {
    const float* values = probabilities.data() + row * probabilities.cols();
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      const float* own = values + shape_.first_slot[j];
      const std::size_t last = transform_.column(j).tokens() - 1;
      std::size_t token = 0;
      for (float rest = random.UniformFloat() - own[0]; token < last && !(rest < 0.0F); rest -= own[token]) ++token;
      tokens.push_back(static_cast<std::uint16_t>(token));
    }
  }
  return tokens;
}

std::vector<float> LatentRows::FitOffsets(std::span<const float> parameters, std::uint64_t seed,
                                          std::uint32_t rounds) const {
  constexpr std::size_t kRows = 8192;
  constexpr float kFloor = 1e-5F;  // shares below it are not worth chasing
  std::vector<float> offsets(shape_.slots(), 0.0F);
  if (rounds == 0) return offsets;
  PublicRandom random(seed, "wgan.calibrate");
  const Mlp::Pass pass = Forward(parameters, Latents(random, kRows));
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const Eigen::RowVectorXf mean = Probabilities(pass.output, offsets).colwise().mean();
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      const std::vector<double>& wanted = transform_.column(j).probability;
      for (std::size_t v = 0; v < wanted.size(); ++v) {
        const std::size_t slot = shape_.first_slot[j] + v;
        const float drawn = mean[static_cast<Eigen::Index>(slot)];
        offsets[slot] += std::log((static_cast<float>(wanted[v]) + kFloor) / (drawn + kFloor));
      }
    }
  }
  return offsets;
}

}  // namespace synod::wgan
