#include "models/attention/sampler.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/core/check.h"

namespace synod::attention {
namespace {

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

// The index into `looked_at` that stands for the latent's token.
constexpr std::size_t kLatentToken = static_cast<std::size_t>(-1);

Eigen::Map<const Matrix> View(std::span<const float> parameters, std::int64_t offset, std::size_t rows,
                              std::size_t columns) {
  return {parameters.data() + offset, static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns)};
}

}  // namespace

Sampler::Sampler(const Shape& shape, const Options& options, const std::vector<ColumnCode>& codes,
                 std::span<const float> parameters, std::vector<float> offsets)
    : shape_(shape), codes_(codes), together_(options.decoding == Decoding::kTogether), offsets_(std::move(offsets)) {
  SYNOD_CHECK(static_cast<std::int64_t>(parameters.size()) == shape.parameters(), "one value for each parameter");
  SYNOD_CHECK(offsets_.size() == shape.slots(), "one offset for each slot");
  const auto width = static_cast<std::size_t>(shape.width);
  const auto hidden = static_cast<std::size_t>(shape.hidden_size);
  key_ = View(parameters, shape.key.weight_offset, width, width);
  places_ = View(parameters, shape.places.offset, shape.places_count(), width);
  queries_ = View(parameters, shape.queries.offset, shape.places_count(), width);
  hidden_ = View(parameters, shape.hidden.weight_offset, hidden, width);
  const auto hidden_bias = View(parameters, shape.hidden.bias_offset, 1, hidden);
  hidden_queries_ = (queries_.topRows(static_cast<Eigen::Index>(shape.columns())) * hidden_.transpose()).rowwise() +
                    hidden_bias.row(0);
  if (shape.has_latent()) {
    latent_ = View(parameters, shape.latent.weight_offset, width, static_cast<std::size_t>(shape.latent_size));
    latent_bias_ = View(parameters, shape.latent.bias_offset, width, 1).col(0);
  }

  first_cell_.push_back(0);
  for (const ColumnCode& code : codes) first_cell_.push_back(first_cell_.back() + code.cells());
  tokens_.resize(static_cast<Eigen::Index>(first_cell_.back()), shape.width);
  keys_.resizeLike(tokens_);
  heads_.resize(static_cast<Eigen::Index>(shape.slots()), shape.hidden_size);
  logit_bias_.assign(shape.slots(), 0.0F);
  for (std::size_t j = 0; j < codes.size(); ++j) {
    const ColumnCode& code = codes[j];
    const auto weight = View(parameters, shape.column[j].weight_offset, width, shape.slots_of(j));
    const auto bias = View(parameters, shape.column[j].bias_offset, 1, width);
    Eigen::VectorXf base = Eigen::VectorXf::Zero(static_cast<Eigen::Index>(shape.slots_of(j)));
    for (std::size_t m = 0; m < code.components(); ++m) {
      base[static_cast<Eigen::Index>(m)] = static_cast<float>(code.base()[m]);
    }
    const Eigen::RowVectorXf origin = bias.row(0) - (weight * base).transpose();
    for (std::size_t cell = 0; cell < code.cells(); ++cell) {
      auto token = tokens_.row(static_cast<Eigen::Index>(first_cell_[j] + cell));
      token = origin;
      for (const ColumnCode::Part& part : code.parts(cell)) {
        token += part.share * weight.col(static_cast<Eigen::Index>(part.component)).transpose();
      }
    }
    const auto first = static_cast<Eigen::Index>(first_cell_[j]);
    const auto count = static_cast<Eigen::Index>(code.cells());
    keys_.middleRows(first, count) =
        (tokens_.middleRows(first, count) * key_.transpose()).rowwise() + places_.row(static_cast<Eigen::Index>(j));

    const auto slot = static_cast<Eigen::Index>(shape.first_slot[j]);
    heads_.middleRows(slot, static_cast<Eigen::Index>(shape.slots_of(j))) =
        View(parameters, shape.head[j].weight_offset, shape.slots_of(j), hidden);
    const auto head_bias = View(parameters, shape.head[j].bias_offset, 1, shape.slots_of(j));
    for (std::size_t m = 0; m < code.components(); ++m) {
      logit_bias_[shape.first_slot[j] + m] = code.log_base()[m] + head_bias(0, static_cast<Eigen::Index>(m));
    }
  }
}

Sampler::Workspace Sampler::MakeWorkspace() const {
  Workspace work;
  work.latent_token.resize(shape_.width);
  work.latent_key.resize(shape_.width);
  work.mixed.resize(shape_.width);
  work.hidden.resize(shape_.hidden_size);
  work.logits.resize(static_cast<Eigen::Index>(shape_.slots()));
  work.scores.resize(shape_.places_count());
  return work;
}

void Sampler::DrawLatent(PublicRandom& random, Workspace& work) const {
  Eigen::VectorXf latent(shape_.latent_size);
  for (float& value : latent) value = static_cast<float>(random.Normal());
  work.latent_token.noalias() = latent_ * latent;
  work.latent_token += latent_bias_;
  work.latent_key.noalias() = key_ * work.latent_token;
  work.latent_key += places_.row(static_cast<Eigen::Index>(shape_.columns())).transpose();
  work.looked_at.push_back(kLatentToken);
}

void Sampler::Look(std::size_t column, Workspace& work) const {
  const auto row = static_cast<Eigen::Index>(column);
  const Eigen::Index part = shape_.width / shape_.heads;
  const float scale = 1.0F / std::sqrt(static_cast<float>(part));
  const auto sink = static_cast<float>(SinkScore(shape_));
  const auto mix_scale = static_cast<float>(MixScale(shape_));
  work.mixed.setZero();
  for (Eigen::Index first = 0; first < shape_.width; first += part) {
    const auto query = queries_.row(row).segment(first, part);
    float largest = sink;
    for (std::size_t i = 0; i < work.looked_at.size(); ++i) {
      const std::size_t token = work.looked_at[i];
      const float dot = token == kLatentToken
                            ? query.dot(work.latent_key.segment(first, part).transpose())
                            : query.dot(keys_.row(static_cast<Eigen::Index>(token)).segment(first, part));
      work.scores[i] = dot * scale;
      largest = std::max(largest, work.scores[i]);
    }
    float total = std::exp(sink - largest);
    for (std::size_t i = 0; i < work.looked_at.size(); ++i) {
      total += work.scores[i] = std::exp(work.scores[i] - largest);
    }
    auto mixed = work.mixed.segment(first, part);
    for (std::size_t i = 0; i < work.looked_at.size(); ++i) {
      const std::size_t token = work.looked_at[i];
      const float weight = work.scores[i] / total * mix_scale;
      if (token == kLatentToken) {
        mixed += weight * work.latent_token.segment(first, part);
      } else {
        mixed += weight * tokens_.row(static_cast<Eigen::Index>(token)).segment(first, part).transpose();
      }
    }
  }
  work.hidden.noalias() = hidden_ * work.mixed;
  work.hidden = (work.hidden + hidden_queries_.row(row).transpose()).array().tanh().matrix();
}

std::size_t Sampler::DrawComponent(std::size_t column, double uniform, Workspace& work) const {
  const auto first = static_cast<Eigen::Index>(shape_.first_slot[column]);
  const auto count = static_cast<Eigen::Index>(codes_[column].components());
  auto logits = work.logits.head(count);
  logits.noalias() = heads_.middleRows(first, count) * work.hidden;
  logits += Eigen::Map<const Eigen::VectorXf>(&logit_bias_[static_cast<std::size_t>(first)], count) +
            Eigen::Map<const Eigen::VectorXf>(&offsets_[static_cast<std::size_t>(first)], count);
  logits = (logits.array() - logits.maxCoeff()).exp();
  double threshold = uniform * static_cast<double>(logits.sum());
  for (Eigen::Index m = 0; m < count; ++m) {
    threshold -= static_cast<double>(logits[m]);
    if (threshold < 0.0) return static_cast<std::size_t>(m);
  }
  return static_cast<std::size_t>(count - 1);
}

void Sampler::DrawRow(PublicRandom& random, std::span<const GivenCell> given, Workspace& work,
                      std::span<std::uint16_t> cells) const {
  SYNOD_CHECK(given.empty() || (!together_ && !shape_.has_latent()), "a latent vector does not know what is given");
  const std::size_t columns = shape_.columns();
  work.looked_at.clear();
  if (shape_.has_latent()) DrawLatent(random, work);
  work.order.resize(columns);
  std::iota(work.order.begin(), work.order.end(), std::size_t{0});
  const auto reveal = [&](std::size_t column, std::size_t cell) {
    cells[column] = static_cast<std::uint16_t>(cell);
    if (!together_) work.looked_at.push_back(first_cell_[column] + cell);
  };
  for (const GivenCell& g : given) {
    reveal(g.column, g.cell);
    std::erase(work.order, g.column);
  }
  while (!work.order.empty()) {
    const std::size_t pick = together_ ? work.order.size() - 1 : random.IntegerBelow(work.order.size());
    const std::size_t column = work.order[pick];
    work.order[pick] = work.order.back();
    work.order.pop_back();
    Look(column, work);
    const std::size_t component = DrawComponent(column, random.Uniform(), work);
    reveal(column, codes_[column].DrawCell(component, random.Uniform()));
  }
}

std::vector<double> Sampler::DrawnShares(std::uint64_t seed, std::uint64_t stream, std::size_t rows) const {
  PublicRandom random(seed, "attention.calibrate", stream);
  std::vector<double> shares(shape_.slots(), 0.0);
  std::vector<std::uint16_t> cells(shape_.columns());
  Workspace work = MakeWorkspace();
  for (std::size_t row = 0; row < rows; ++row) {
    DrawRow(random, {}, work, cells);
    for (std::size_t j = 0; j < cells.size(); ++j) {
      for (const ColumnCode::Part& part : codes_[j].parts(cells[j])) {
        shares[shape_.first_slot[j] + part.component] += static_cast<double>(part.share) / static_cast<double>(rows);
      }
    }
  }
  return shares;
}

void Sampler::Calibrate(std::uint64_t seed, std::uint32_t rounds, std::size_t rows) {
  constexpr double kStep = 0.7;            // damping of the fixed point
  constexpr std::uint32_t kFullSteps = 4;  // then the steps shrink, so that the noise of the draws averages out
  constexpr double kFloor = 1e-3;          // shares below it are not worth chasing
  for (std::uint32_t round = 0; round < rounds; ++round) {
    const std::vector<double> drawn = DrawnShares(seed, round, rows);
    const double step = round < kFullSteps ? kStep : kStep / static_cast<double>(round - kFullSteps + 2);
    for (std::size_t j = 0; j < shape_.columns(); ++j) {
      const std::vector<double>& wanted = codes_[j].base();
      for (std::size_t m = 0; m < wanted.size(); ++m) {
        const std::size_t slot = shape_.first_slot[j] + m;
        offsets_[slot] += static_cast<float>(step * std::log((wanted[m] + kFloor) / (drawn[slot] + kFloor)));
      }
    }
  }
}

}  // namespace synod::attention
