#include "models/table_diffusion/masked_batch.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/check.h"
#include "models/tabular/mixing_stream.h"

namespace synod::table_diffusion {

MaskedBatcher::MaskedBatcher(const MaskedShape& shape, const Options& options, const tabular::TokenTransform& transform,
                             const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units)
    : shape_(shape), options_(options), transform_(transform), cells_(cells), units_(units) {
  for (std::size_t j = 0; j < shape.columns(); ++j) log_shares_.push_back(LogShares(transform.column(j)));
  for (std::size_t visible = 0; visible < shape.columns(); ++visible) {
    const double t = static_cast<double>(visible) / static_cast<double>(shape.columns());
    time_embeddings_.push_back(TimeEmbedding(t, options.time_embedding));
  }
}

void MaskedBatcher::FillRow(std::uint32_t row, std::uint32_t level, std::uint64_t stream, std::size_t use,
                            MaskedBatch& batch) const {
  const std::size_t columns = shape_.columns();
  tabular::MixingStream mix(stream);
  const double u = (static_cast<double>(level) + mix.Uniform()) / static_cast<double>(options_.levels_per_row);
  const auto shown = std::min(columns - 1, static_cast<std::size_t>(u * static_cast<double>(columns)));

  std::uint8_t* hidden = &batch.hidden[use * columns];
  std::fill_n(hidden, columns, std::uint8_t{1});
  std::vector<std::uint32_t> order(columns);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t i = 0; i < shown; ++i) {
    std::swap(order[i], order[i + mix.Below(static_cast<std::uint32_t>(columns - i))]);
    hidden[order[i]] = 0;
  }

  float* visible = &batch.visible[use * shape_.slots()];
  for (std::size_t j = 0; j < columns; ++j) {
    const tabular::TokenColumn& column = transform_.column(j);
    const std::uint16_t token = column.token_of_cell[cells_[j][row]];
    batch.tokens[use * columns + j] = token;
    if (hidden[j] != 0) continue;
    float* slots = visible + shape_.first_slot[j];
    for (std::size_t v = 0; v < column.tokens(); ++v) slots[v] = -static_cast<float>(column.probability[v]);
    slots[token] += 1.0F;
  }
  std::copy(time_embeddings_[shown].begin(), time_embeddings_[shown].end(),
            batch.time.begin() + static_cast<std::ptrdiff_t>(use * options_.time_embedding));
}

MaskedBatch MaskedBatcher::Make(std::span<const std::uint32_t> units, std::span<const std::uint64_t> streams) const {
  SYNOD_CHECK(streams.size() == units.size(), "one stream for each unit");
  MaskedBatch batch;
  batch.uses = static_cast<std::size_t>(units_.max_rows_per_unit()) * options_.levels_per_row;
  const std::size_t rows = units.size() * batch.uses;
  batch.visible.assign(rows * shape_.slots(), 0.0F);
  batch.time.assign(rows * options_.time_embedding, 0.0F);
  batch.tokens.assign(rows * shape_.columns(), 0);
  batch.hidden.assign(rows * shape_.columns(), 0);
  batch.weight.assign(rows, 0.0F);
  for (std::size_t i = 0; i < units.size(); ++i) {
    tabular::MixingStream mix(streams[i]);
    const std::span<const std::uint32_t> own = units_.rows(units[i]);
    const float weight = 1.0F / static_cast<float>(own.size() * options_.levels_per_row);
    std::size_t use = i * batch.uses;
    for (const std::uint32_t row : own) {
      for (std::uint32_t level = 0; level < options_.levels_per_row; ++level, ++use) {
        FillRow(row, level, mix.Next(), use, batch);
        batch.weight[use] = weight;
      }
    }
  }
  return batch;
}

std::vector<float> MaskedBatcher::LossAndGradient(const MaskedBatch& batch, std::span<float> outputs) const {
  const std::size_t columns = shape_.columns();
  const std::size_t slots = shape_.slots();
  SYNOD_CHECK(outputs.size() == batch.weight.size() * slots, "one output for each slot of each use");
  std::vector<float> losses(batch.weight.size() / batch.uses, 0.0F);
  std::vector<float> scratch(slots);
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    float* output = &outputs[use * slots];
    const float weight = batch.weight[use];
    float loss = 0.0F;
    for (std::size_t j = 0; j < columns; ++j) {
      float* logits = output + shape_.first_slot[j];
      const std::size_t own_slots = shape_.first_slot[j + 1] - shape_.first_slot[j];
      if (batch.hidden[use * columns + j] == 0) {
        std::fill_n(logits, own_slots, 0.0F);
        continue;
      }
      const std::vector<float>& shares = log_shares_[j];
      const std::size_t tokens = shares.size();
      float largest = -INFINITY;
      for (std::size_t v = 0; v < tokens; ++v) largest = std::max(largest, scratch[v] = logits[v] + shares[v]);
      const std::uint16_t target = batch.tokens[use * columns + j];
      const float target_logit = scratch[target];
      float total = 0.0F;
      for (std::size_t v = 0; v < tokens; ++v) total += scratch[v] = std::exp(scratch[v] - largest);
      loss += std::log(total) + largest - target_logit;
      for (std::size_t v = 0; v < tokens; ++v) logits[v] = weight * scratch[v] / total;
      logits[target] -= weight;
      std::fill(logits + tokens, logits + own_slots, 0.0F);
    }
    losses[use / batch.uses] += weight * loss;
  }
  return losses;
}

}  // namespace synod::table_diffusion
