#include "models/wgan/adversary.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"

namespace synod::wgan {
namespace {

constexpr double kPenaltyFloor = 1e-3;  // shares below it count for less in the penalty
constexpr double kGeneratorBeta1 = 0.5;
constexpr double kGeneratorBeta2 = 0.99;

void FillWeight(const engine::LinearLayer& layer, double deviation, PublicRandom& random, std::span<float> parameters) {
  const auto own =
      parameters.subspan(static_cast<std::size_t>(layer.weight_offset), static_cast<std::size_t>(layer.in * layer.out));
  random.FillNormal(own);
  for (float& value : own) value *= static_cast<float>(deviation);
}

// What a row's gradient of norm n is multiplied by.
double ClipWeight(const engine::ClipPlan& clip, double norm) {
  if (clip.gamma() > 0.0) return clip.clip() / (norm + clip.gamma());
  return clip.clip() * std::min(1.0 / clip.threshold(), 1.0 / norm);
}

}  // namespace

std::vector<float> InitialCritic(const Shape& shape, const Options& options, std::uint64_t seed) {
  std::vector<float> parameters(static_cast<std::size_t>(shape.critic_builder.size()), 0.0F);
  PublicRandom random(seed, "wgan.initial_critic");
  // The last layer starts at zero: a generator that follows a critic of no opinion is led astray by its random
  // features.
  for (std::size_t l = 0; l + 1 < shape.critic.size(); ++l) {
    const engine::LinearLayer& layer = shape.critic[l];
    // A row has one large value a column.
    const double inputs = l == 0 ? static_cast<double>(shape.columns()) : static_cast<double>(layer.in);
    FillWeight(layer, 1.0 / std::sqrt(inputs), random, parameters);
  }
  const auto clamp = static_cast<float>(options.clamp);
  for (float& value : parameters) value = std::clamp(value, -clamp, clamp);
  return parameters;
}

std::vector<float> InitialGenerator(const Shape& shape, std::uint64_t seed) {
  std::vector<float> parameters(static_cast<std::size_t>(shape.generator_builder.size()), 0.0F);
  PublicRandom random(seed, "wgan.initial_generator");
  for (std::size_t l = 0; l < shape.generator.size(); ++l) {
    const engine::LinearLayer& layer = shape.generator[l];
    // The last layer starts small: rows begin near independent columns of the noisy shares.
    const double size = l + 1 == shape.generator.size() ? 0.5 : 1.0;
    FillWeight(layer, size / std::sqrt(static_cast<double>(layer.in)), random, parameters);
  }
  return parameters;
}

Adversary::Adversary(const std::vector<tabular::PublicGrid>& grids, const Options& options, std::uint64_t seed)
    : shape_(grids, options),
      options_(options),
      seed_(seed),
      critic_(shape_.critic),
      parameters_(InitialGenerator(shape_, seed)),
      adam_(parameters_.size(), {kGeneratorBeta1, kGeneratorBeta2}),
      average_(parameters_, options.average_decay) {}

void Adversary::SetTransform(tabular::TokenTransform transform) {
  transform_ = std::move(transform);
  rows_ = std::make_unique<LatentRows>(shape_, options_, transform_);
}

Matrix Adversary::CriticInput(std::span<const std::uint16_t> tokens) const {
  const std::size_t rows = tokens.size() / shape_.columns();
  Matrix input(static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(shape_.slots()));
  for (std::size_t row = 0; row < rows; ++row) {
    FillCriticInput(shape_, transform_, tokens.subspan(row * shape_.columns(), shape_.columns()),
                    std::span(input.data() + row * shape_.slots(), shape_.slots()));
  }
  return input;
}

void Adversary::AddGeneratedRows(std::span<const float> critic, const engine::ClipPlan& clip, double unit,
                                 std::size_t rows, std::uint64_t step, std::span<double> gradient) const {
  SYNOD_CHECK(has_transform() && rows > 0 && clip.groups().empty(), "rows are clipped whole");
  PublicRandom random(seed_, "wgan.critic_rows", step);
  const Matrix probabilities = rows_->Probabilities(rows_->Forward(parameters_, rows_->Latents(random, rows)).output);
  const Mlp::Pass pass = critic_.Forward(critic, CriticInput(rows_->Draw(probabilities, random)));
  Mlp::Deltas deltas = critic_.Backward(critic, pass, Matrix::Ones(pass.output.rows(), 1));
  std::vector<double> weights;
  for (const double squared : critic_.SquaredNorms(pass, deltas)) {
    weights.push_back(ClipWeight(clip, std::sqrt(squared)) / (unit * static_cast<double>(rows)));
  }
  critic_.AddGradient(pass, std::move(deltas), weights, gradient);
}

std::vector<double> Adversary::GeneratorGradient(std::span<const float> critic, std::span<const float> generator,
                                                 PublicRandom& random) const {
  const std::size_t rows = options_.generator_rows;
  const Mlp::Pass pass = rows_->Forward(generator, rows_->Latents(random, rows));
  const Matrix probabilities = rows_->Probabilities(pass.output);
  const Mlp::Pass seen = critic_.Forward(critic, CriticInput(rows_->Draw(probabilities, random)));
  // By the probabilities of each row: of -D, and of half the weighted square of (mean probability - share).
  Matrix by_output = critic_.ByInput(critic, critic_.Backward(critic, seen, -Matrix::Ones(seen.output.rows(), 1)));
  Eigen::RowVectorXf pull = probabilities.colwise().mean();
  for (std::size_t j = 0; j < shape_.columns(); ++j) {
    const std::vector<double>& shares = transform_.column(j).probability;
    for (std::size_t v = 0; v < shares.size(); ++v) {
      float& mean = pull[static_cast<Eigen::Index>(shape_.first_slot[j] + v)];
      mean = static_cast<float>(options_.one_way_weight * (static_cast<double>(mean) - shares[v]) /
                                (shares[v] + kPenaltyFloor));
    }
  }
  by_output.rowwise() += pull;
  // Through the softmax of each column: p (b - p . b).
  by_output.array() *= probabilities.array();
  for (std::size_t j = 0; j < shape_.columns(); ++j) {
    const auto first = static_cast<Eigen::Index>(shape_.first_slot[j]);
    const auto width = static_cast<Eigen::Index>(shape_.first_slot[j + 1]) - first;
    const Eigen::VectorXf mean = by_output.middleCols(first, width).rowwise().sum();
    by_output.middleCols(first, width) -=
        (probabilities.middleCols(first, width).array().colwise() * mean.array()).matrix();
  }
  std::vector<double> gradient(generator.size(), 0.0);
  const std::vector<double> weights(rows, 1.0 / static_cast<double>(rows));
  const Mlp& network = rows_->network();
  network.AddGradient(pass, network.Backward(generator, pass, std::move(by_output)), weights, gradient);
  return gradient;
}

void Adversary::TrainGenerator(std::span<const float> critic, double rate, std::uint64_t step) {
  SYNOD_CHECK(has_transform(), "a generator is trained on tokens");
  PublicRandom random(seed_, "wgan.generator", step);
  for (std::uint32_t i = 0; i < options_.generator_steps; ++i) {
    adam_.Step(GeneratorGradient(critic, parameters_, random), rate, parameters_);
  }
  average_.Update(parameters_);
}

void Adversary::Put(CheckpointWriter& out) const {
  out.Put(std::span(parameters_));
  out.Put(adam_.steps());
  out.Put(adam_.first_moments());
  out.Put(adam_.second_moments());
  out.Put(average_.updates());
  out.Put(average_.averages());
}

Status Adversary::Restore(CheckpointReader& in, std::uint64_t most_updates) {
  const std::size_t count = parameters_.size();
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> parameters, in.Floats(count));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t steps, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> first, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> second, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t updates, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> averages, in.Doubles(count));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  if (updates > most_updates || steps != updates * options_.generator_steps) {
    return BadInput("a generator's checkpoint does not add up");
  }
  parameters_ = std::move(parameters);
  adam_.Restore(steps, std::move(first), std::move(second));
  average_.Restore(updates, std::move(averages));
  ForgetTransform();
  return {};
}

}  // namespace synod::wgan
