#include "models/table_diffusion/denoiser_loss.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::table_diffusion {
namespace {

// Softmax in place; the log of its normaliser.
float Softmax(std::span<float> logits) {
  const float largest = *std::max_element(logits.begin(), logits.end());
  float total = 0.0F;
  for (float& value : logits) total += value = std::exp(value - largest);
  for (float& value : logits) value /= total;
  return largest + std::log(total);
}

float Sigmoid(float logit) {
  return 1.0F / (1.0F + std::exp(-logit));
}

// log(1 + e^x) without overflow.
float SoftPlus(float x) {
  return std::max(x, 0.0F) + std::log1p(std::exp(-std::abs(x)));
}

// Loss of one column and its gradient times `weight` in place of the outputs.
float NumberLoss(std::span<const float> target, float weight, std::span<float> outputs) {
  const bool is_missing = outputs.size() > 1 && target[1] > 0.5F;
  const float error = is_missing ? 0.0F : outputs[0] - target[0];
  float loss = error * error;
  outputs[0] = 2.0F * weight * error;
  if (outputs.size() > 1) {
    loss += SoftPlus(outputs[1]) - target[1] * outputs[1];
    outputs[1] = weight * (Sigmoid(outputs[1]) - target[1]);
  }
  return loss;
}

float BlockLoss(std::span<const float> target, float weight, std::span<float> outputs) {
  const auto code = static_cast<std::size_t>(std::max_element(target.begin(), target.end()) - target.begin());
  const float logit = outputs[code];
  const float loss = Softmax(outputs) - logit;
  for (std::size_t v = 0; v < outputs.size(); ++v) outputs[v] = weight * (outputs[v] - target[v]);
  return loss;
}

}  // namespace

std::vector<float> DenoiserLossAndGradient(const PublishedShape& shape, const std::vector<tabular::PublicGrid>& grids,
                                           const PublishedBatch& batch, std::size_t units, std::span<float> outputs) {
  SYNOD_CHECK(outputs.size() == batch.target.size() && units > 0, "one output for each coordinate of each use");
  const std::size_t uses = batch.weight.size() / units;
  std::vector<float> losses(units, 0.0F);
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    const float weight = batch.weight[use] / static_cast<float>(shape.columns());
    float loss = 0.0F;
    for (std::size_t j = 0; j < shape.columns(); ++j) {
      const std::size_t first = use * shape.coordinates() + shape.first_coordinate[j];
      const std::span<float> own = outputs.subspan(first, shape.width(j));
      const std::span<const float> target = std::span(batch.target).subspan(first, shape.width(j));
      loss += grids[j].numeric() ? NumberLoss(target, weight, own) : BlockLoss(target, weight, own);
    }
    losses[use / uses] += weight * loss;
  }
  return losses;
}

double DenoiserLossBound(const std::vector<tabular::PublicGrid>& grids) {
  double bound = 0.0;
  for (const tabular::PublicGrid& grid : grids) {
    const std::size_t even = grid.numeric() ? 2 : std::max<std::size_t>(2, grid.cells());
    bound += std::log(static_cast<double>(even)) + (grid.numeric() ? 1.0 : 0.0);
  }
  return bound / static_cast<double>(grids.size());
}

void DrawCleanRow(const PublishedShape& shape, const std::vector<tabular::PublicGrid>& grids, PublicRandom& random,
                  std::span<float> outputs) {
  for (std::size_t j = 0; j < shape.columns(); ++j) {
    const std::span<float> own = outputs.subspan(shape.first_coordinate[j], shape.width(j));
    const auto uniform = static_cast<float>(random.Uniform());
    if (grids[j].numeric()) {
      own[0] = std::clamp(own[0], 0.0F, 1.0F);
      if (own.size() == 1) continue;
      own[1] = uniform < Sigmoid(own[1]) ? 1.0F : 0.0F;
      if (own[1] > 0.5F) own[0] = 0.5F;
      continue;
    }
    Softmax(own);
    std::size_t code = 0;
    for (float rest = uniform - own[0]; code + 1 < own.size() && !(rest < 0.0F); rest -= own[code]) ++code;
    std::fill(own.begin(), own.end(), 0.0F);
    own[code] = 1.0F;
  }
}

}  // namespace synod::table_diffusion
