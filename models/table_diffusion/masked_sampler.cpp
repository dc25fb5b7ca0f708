#include "models/table_diffusion/masked_sampler.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "models/table_diffusion/log_share.h"

namespace synod::table_diffusion {

MaskedSampler::MaskedSampler(const MaskedShape& shape, const Options& options, const tabular::TokenTransform& transform,
                             std::span<const float> parameters, std::vector<float> offsets)
    : shape_(shape), transform_(transform), hidden_(options.hidden), offsets_(std::move(offsets)) {
  SYNOD_CHECK(static_cast<std::int64_t>(parameters.size()) == shape.parameters(), "one value for each parameter");
  SYNOD_CHECK(offsets_.size() == shape.slots(), "one offset for each slot");
  const std::size_t slots = shape.slots();
  const std::size_t columns = shape.columns();
  const auto at = [&](std::int64_t offset) { return parameters.subspan(static_cast<std::size_t>(offset)); };

  const auto input = at(shape.input.weight_offset);  // [hidden, slots]
  input_by_slot_.resize(slots * hidden_);
  for (std::size_t h = 0; h < hidden_; ++h) {
    for (std::size_t s = 0; s < slots; ++s) input_by_slot_[s * hidden_ + h] = input[h * slots + s];
  }
  const auto bias = at(shape.input.bias_offset).first(hidden_);
  input_bias_.assign(bias.begin(), bias.end());
  const auto output = at(shape.output.weight_offset).first(slots * hidden_);  // [slots, hidden]
  output_.assign(output.begin(), output.end());

  const auto output_bias = at(shape.output.bias_offset);
  logit_bias_.assign(slots, 0.0F);
  input_mean_.assign(columns * hidden_, 0.0F);
  for (std::size_t j = 0; j < columns; ++j) {
    const std::vector<float> log_shares = LogShares(transform.column(j));
    const std::vector<double>& p = transform.column(j).probability;
    for (std::size_t v = 0; v < p.size(); ++v) {
      const std::size_t slot = shape.first_slot[j] + v;
      logit_bias_[slot] = log_shares[v] + output_bias[slot];
      for (std::size_t h = 0; h < hidden_; ++h) {
        input_mean_[j * hidden_ + h] += static_cast<float>(p[v]) * input_by_slot_[slot * hidden_ + h];
      }
    }
  }

  const auto time = at(shape.time.weight_offset);  // [hidden, embedding]
  time_by_visible_.assign(columns * hidden_, 0.0F);
  for (std::size_t visible = 0; visible < columns; ++visible) {
    const double t = static_cast<double>(visible) / static_cast<double>(columns);
    const std::vector<float> embedding = TimeEmbedding(t, options.time_embedding);
    for (std::size_t h = 0; h < hidden_; ++h) {
      float sum = 0.0F;
      for (std::size_t e = 0; e < embedding.size(); ++e) sum += time[h * embedding.size() + e] * embedding[e];
      time_by_visible_[visible * hidden_ + h] = sum;
    }
  }
}

void MaskedSampler::Reveal(std::size_t column, std::uint16_t token, std::span<float> pre_activation) const {
  const float* row = &input_by_slot_[(shape_.first_slot[column] + token) * hidden_];
  const float* mean = &input_mean_[column * hidden_];
  for (std::size_t h = 0; h < hidden_; ++h) pre_activation[h] += row[h] - mean[h];
}

std::uint16_t MaskedSampler::DrawToken(std::size_t column, const Eigen::VectorXf& hidden, double uniform,
                                       Eigen::VectorXf& logits) const {
  const auto first = static_cast<Eigen::Index>(shape_.first_slot[column]);
  const auto tokens = static_cast<Eigen::Index>(transform_.column(column).tokens());
  const auto width = static_cast<Eigen::Index>(hidden_);
  const Eigen::Map<const RowMajor> rows(&output_[static_cast<std::size_t>(first) * hidden_], tokens, width);
  logits.head(tokens).noalias() = rows * hidden;
  logits.head(tokens) += Eigen::Map<const Eigen::VectorXf>(&logit_bias_[static_cast<std::size_t>(first)], tokens) +
                         Eigen::Map<const Eigen::VectorXf>(&offsets_[static_cast<std::size_t>(first)], tokens);
  logits.head(tokens) = (logits.head(tokens).array() - logits.head(tokens).maxCoeff()).exp();
  double threshold = uniform * static_cast<double>(logits.head(tokens).sum());
  for (Eigen::Index v = 0; v < tokens; ++v) {
    threshold -= static_cast<double>(logits[v]);
    if (threshold < 0.0) return static_cast<std::uint16_t>(v);
  }
  return static_cast<std::uint16_t>(tokens - 1);
}

void MaskedSampler::DrawRow(PublicRandom& random, std::span<const GivenToken> given,
                            std::span<std::uint16_t> tokens) const {
  const std::size_t columns = shape_.columns();
  std::vector<float> pre_activation = input_bias_;
  Eigen::VectorXf hidden(static_cast<Eigen::Index>(hidden_));
  Eigen::VectorXf logits(static_cast<Eigen::Index>(shape_.slots()));
  std::vector<bool> visible(columns, false);
  for (const GivenToken& g : given) {
    tokens[g.column] = g.token;
    visible[g.column] = true;
    Reveal(g.column, g.token, pre_activation);
  }
  std::vector<std::size_t> order;
  for (std::size_t j = 0; j < columns; ++j) {
    if (!visible[j]) order.push_back(j);
  }
  std::size_t shown = columns - order.size();
  while (!order.empty()) {
    const std::size_t pick = random.IntegerBelow(order.size());
    const std::size_t column = order[pick];
    order[pick] = order.back();
    order.pop_back();
    const Eigen::Map<const Eigen::ArrayXf> time(&time_by_visible_[shown * hidden_], hidden.size());
    const Eigen::Map<const Eigen::ArrayXf> before(pre_activation.data(), hidden.size());
    hidden = (before + time).tanh();
    tokens[column] = DrawToken(column, hidden, random.Uniform(), logits);
    Reveal(column, tokens[column], pre_activation);
    ++shown;
  }
}

std::vector<double> MaskedSampler::DrawnShares(std::uint64_t seed, std::uint64_t stream, std::size_t rows) const {
  PublicRandom random(seed, "table_diffusion.calibrate", stream);
  std::vector<double> shares(shape_.slots(), 0.0);
  std::vector<std::uint16_t> tokens(shape_.columns());
  for (std::size_t row = 0; row < rows; ++row) {
    DrawRow(random, {}, tokens);
    for (std::size_t j = 0; j < tokens.size(); ++j) {
      shares[shape_.first_slot[j] + tokens[j]] += 1.0 / static_cast<double>(rows);
    }
  }
  return shares;
}

void MaskedSampler::Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows) {
  constexpr double kStep = 0.7;            // damping of the fixed point
  constexpr std::uint32_t kFullSteps = 4;  // then the steps shrink, so that the noise of the draws averages out
  constexpr double kFloor = 1e-3;          // shares below it are not worth chasing
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const std::vector<double> drawn = DrawnShares(seed, round, rows);
    const double step = round < kFullSteps ? kStep : kStep / static_cast<double>(round - kFullSteps + 2);
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      const std::vector<double>& wanted = transform_.column(j).probability;
      for (std::size_t v = 0; v < wanted.size(); ++v) {
        const std::size_t slot = shape_.first_slot[j] + v;
        offsets_[slot] += static_cast<float>(step * std::log((wanted[v] + kFloor) / (drawn[slot] + kFloor)));
      }
    }
  }
}

}  // namespace synod::table_diffusion
