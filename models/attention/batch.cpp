#include "models/attention/batch.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/check.h"
#include "models/tabular/mixing_stream.h"

namespace synod::attention {
namespace {

constexpr float kHidden = -INFINITY;

}  // namespace

Batcher::Batcher(const Shape& shape, const Options& options, const std::vector<ColumnCode>& codes,
                 const std::vector<std::vector<std::uint16_t>>& cells, const UnitTable& units)
    : shape_(shape), options_(options), codes_(codes), cells_(cells), units_(units) {}

void Batcher::Reveal(std::uint32_t draw, std::uint64_t stream, std::span<float> mask) const {
  const std::size_t columns = shape_.columns();
  std::fill_n(mask.begin(), columns, kHidden);
  if (options_.decoding == Decoding::kTogether) return;
  tabular::MixingStream mix(stream);
  const double u = (static_cast<double>(draw) + mix.Uniform()) / static_cast<double>(options_.draws_per_row);
  const auto shown = std::min(columns - 1, static_cast<std::size_t>(u * static_cast<double>(columns)));
  std::vector<std::uint32_t> order(columns);
  std::iota(order.begin(), order.end(), 0U);
  for (std::size_t i = 0; i < shown; ++i) {
    std::swap(order[i], order[i + mix.Below(static_cast<std::uint32_t>(columns - i))]);
    mask[order[i]] = 0.0F;
  }
}

void Batcher::FillRow(std::uint32_t row, std::uint32_t draw, std::uint64_t stream, std::size_t use,
                      Batch& batch) const {
  tabular::MixingStream mix(stream);
  Reveal(draw, mix.Next(), std::span(batch.mask).subspan(use * shape_.places_count(), shape_.places_count()));
  float* shares = &batch.shares[use * shape_.slots()];
  for (std::size_t j = 0; j < shape_.columns(); ++j) {
    const ColumnCode& code = codes_[j];
    const std::uint16_t cell = cells_[j][row];
    batch.cells[use * shape_.columns() + j] = cell;
    float* own = shares + shape_.first_slot[j];
    for (std::size_t m = 0; m < code.components(); ++m) own[m] = -static_cast<float>(code.base()[m]);
    for (const ColumnCode::Part& part : code.parts(cell)) own[part.component] += part.share;
  }
  const std::size_t latent = options_.latent;
  for (std::size_t i = 0; i < latent; i += 2) {
    float a = 0.0F;
    float b = 0.0F;
    mix.NormalPair(a, b);
    batch.noise[use * latent + i] = a;
    if (i + 1 < latent) batch.noise[use * latent + i + 1] = b;
  }
}

Batch Batcher::Make(std::span<const std::uint32_t> units, std::span<const std::uint64_t> streams) const {
  SYNOD_CHECK(streams.size() == units.size(), "one stream for each unit");
  Batch batch;
  batch.uses = static_cast<std::size_t>(units_.max_rows_per_unit()) * options_.draws_per_row;
  const std::size_t rows = units.size() * batch.uses;
  batch.shares.assign(rows * shape_.slots(), 0.0F);
  batch.mask.assign(rows * shape_.places_count(), 0.0F);
  batch.noise.assign(rows * options_.latent, 0.0F);
  batch.cells.assign(rows * shape_.columns(), 0);
  batch.weight.assign(rows, 0.0F);
  for (std::size_t i = 0; i < units.size(); ++i) {
    tabular::MixingStream mix(streams[i]);
    const std::span<const std::uint32_t> own = units_.rows(units[i]);
    const float weight = 1.0F / static_cast<float>(own.size() * options_.draws_per_row);
    std::size_t use = i * batch.uses;
    for (const std::uint32_t row : own) {
      for (std::uint32_t draw = 0; draw < options_.draws_per_row; ++draw, ++use) {
        FillRow(row, draw, mix.Next(), use, batch);
        batch.weight[use] = weight;
      }
    }
  }
  return batch;
}

float CellLoss(const ColumnCode& code, std::size_t cell, float weight, std::span<float> logits) {
  const std::size_t components = code.components();
  float largest = -INFINITY;
  for (std::size_t m = 0; m < components; ++m) largest = std::max(largest, logits[m] += code.log_base()[m]);
  float total = 0.0F;
  for (std::size_t m = 0; m < components; ++m) total += logits[m] = std::exp(logits[m] - largest);
  float inside = 0.0F;
  for (const ColumnCode::Part& part : code.parts(cell)) inside += logits[part.component] * part.mass;
  // Far below every probability that noisy counts can tell; without it one cell could have no gradient at all.
  inside = std::max(inside, 1e-30F * total);
  std::vector<float> within;
  within.reserve(code.parts(cell).size());
  for (const ColumnCode::Part& part : code.parts(cell)) {
    within.push_back(weight * logits[part.component] * part.mass / inside);
  }
  for (std::size_t m = 0; m < components; ++m) logits[m] *= weight / total;
  std::size_t i = 0;
  for (const ColumnCode::Part& part : code.parts(cell)) logits[part.component] -= within[i++];
  return std::log(total / inside);
}

std::vector<float> LossAndGradient(const Shape& shape, const std::vector<ColumnCode>& codes, const Batch& batch,
                                   std::span<float> logits) {
  const std::size_t columns = shape.columns();
  const std::size_t slots = shape.slots();
  SYNOD_CHECK(logits.size() == batch.weight.size() * slots, "one logit for each slot of each use");
  std::vector<float> losses(batch.weight.size() / batch.uses, 0.0F);
  for (std::size_t use = 0; use < batch.weight.size(); ++use) {
    const float weight = batch.weight[use];
    float loss = 0.0F;
    for (std::size_t j = 0; j < columns; ++j) {
      const std::span<float> own = logits.subspan(use * slots + shape.first_slot[j], shape.slots_of(j));
      const bool revealed = batch.mask[use * shape.places_count() + j] == 0.0F;
      if (revealed || weight == 0.0F) {
        std::fill(own.begin(), own.end(), 0.0F);
        continue;
      }
      loss += CellLoss(codes[j], batch.cells[use * columns + j], weight, own.first(codes[j].components()));
      std::fill(own.begin() + static_cast<std::ptrdiff_t>(codes[j].components()), own.end(), 0.0F);
    }
    losses[use / batch.uses] += weight * loss;
  }
  return losses;
}

}  // namespace synod::attention
