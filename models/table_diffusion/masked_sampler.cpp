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

std::uint16_t MaskedSampler::DrawToken(std::size_t column, std::span<const float> hidden, double uniform) const {
  const std::size_t first = shape_.first_slot[column];
  const std::size_t tokens = transform_.column(column).tokens();
  std::vector<double> weight(tokens);
  double largest = -1e300;
  for (std::size_t v = 0; v < tokens; ++v) {
    const float* row = &output_[(first + v) * hidden_];
    float dot = 0.0F;
    for (std::size_t h = 0; h < hidden_; ++h) dot += row[h] * hidden[h];
    weight[v] = static_cast<double>(dot + logit_bias_[first + v] + offsets_[first + v]);
    largest = std::max(largest, weight[v]);
  }
  double total = 0.0;
  for (double& w : weight) total += w = std::exp(w - largest);
  double threshold = uniform * total;
  for (std::size_t v = 0; v < tokens; ++v) {
    threshold -= weight[v];
    if (threshold < 0.0) return static_cast<std::uint16_t>(v);
  }
  return static_cast<std::uint16_t>(tokens - 1);
}

void MaskedSampler::DrawRow(PublicRandom& random, std::span<const GivenToken> given,
                            std::span<std::uint16_t> tokens) const {
  const std::size_t columns = shape_.columns();
  std::vector<float> pre_activation = input_bias_;
  std::vector<float> hidden(hidden_);
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
    const float* time = &time_by_visible_[shown * hidden_];
    for (std::size_t h = 0; h < hidden_; ++h) hidden[h] = std::tanh(pre_activation[h] + time[h]);
    tokens[column] = DrawToken(column, hidden, random.Uniform());
    Reveal(column, tokens[column], pre_activation);
    ++shown;
  }
}

void MaskedSampler::Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows) {
  constexpr double kStep = 0.7;    // damping of the fixed point
  constexpr double kFloor = 1e-3;  // shares below it are not worth chasing
  std::vector<std::uint16_t> tokens(shape_.columns());
  for (std::uint32_t round = 0; round < rounds; ++round) {
    PublicRandom random(seed, "table_diffusion.calibrate", round);
    std::vector<double> count(shape_.slots(), 0.0);
    for (std::size_t row = 0; row < rows; ++row) {
      DrawRow(random, {}, tokens);
      for (std::size_t j = 0; j < tokens.size(); ++j) count[shape_.first_slot[j] + tokens[j]] += 1.0;
    }
    for (std::size_t j = 0; j < tokens.size(); ++j) {
      const std::vector<double>& wanted = transform_.column(j).probability;
      for (std::size_t v = 0; v < wanted.size(); ++v) {
        const std::size_t slot = shape_.first_slot[j] + v;
        const double drawn = count[slot] / static_cast<double>(rows);
        offsets_[slot] += static_cast<float>(kStep * std::log((wanted[v] + kFloor) / (drawn + kFloor)));
      }
    }
  }
}

}  // namespace synod::table_diffusion
