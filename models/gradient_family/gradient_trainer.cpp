#include "models/gradient_family/gradient_trainer.h"

#include <algorithm>
#include <cmath>

#include "common/core/check.h"
#include "models/tabular/histogram_sum.h"

namespace synod::gradient_family {
namespace {

constexpr double kWarmUpSteps = 20.0;
constexpr double kNewsMemory = 0.9;  // of the running means that are shown
constexpr std::uint32_t kCheckpointVersion = 3;

double Blend(const std::optional<double>& before, double now) {
  return before ? kNewsMemory * *before + (1.0 - kNewsMemory) * now : now;
}

engine::AdaptiveClip ThresholdOf(const TrainingOptions& options) {
  Result<engine::AdaptiveClip> made = engine::AdaptiveClip::Make(AdaptiveBounds(options));
  SYNOD_CHECK(made.ok(), "bounds around a positive clip are in order");
  return std::move(made).value();
}

}  // namespace

GradientTrainer::GradientTrainer(TrainerParts parts)
    : parts_(std::move(parts)),
      grids_(tabular::GridsOf(*parts_.run.schema)),
      adaptive_(ThresholdOf(parts_.options)),
      parameters_(parts_.initial),
      adam_(parameters_.size(), {parts_.options.beta1, parts_.options.beta2}),
      average_(parameters_, parts_.options.average_decay) {
  const PlanEntry& training = parts_.run.plan->entries()[kTrainingEntry];
  expected_batch_ = training.sampling_rate * static_cast<double>(parts_.run.plan->facts().units);
  steps_ = training.allowed();
}

std::optional<Query> GradientTrainer::Next(std::span<const std::uint64_t> left) {
  SYNOD_CHECK(left.size() == 2, "a plan of these families has two entries");
  Query query;
  // A histogram retry that was not needed is asked all the same and averaged: it is paid for.
  if (left[kHistogramEntry] > 0 && adam_.steps() == 0) {
    query.entry = kHistogramEntry;
    query.kind = QueryKind::kHistogram;
    return query;
  }
  // Without any histogram answer there is nothing to train on: the round reports what is missing.
  if (left[kTrainingEntry] == 0 || histogram_answers_ == 0) return std::nullopt;
  query.entry = kTrainingEntry;
  query.kind = QueryKind::kGradient;
  query.context = context_;
  query.parameters = parameters_;
  return query;
}

Status GradientTrainer::Absorb(const Query& query, const NoisySum& sum) {
  return query.kind == QueryKind::kHistogram ? AbsorbHistogram(sum) : AbsorbGradient(query, sum);
}

Status GradientTrainer::AbsorbHistogram(const NoisySum& sum) {
  const PlanEntry& entry = parts_.run.plan->entries()[kHistogramEntry];
  if (sum.values().size() != entry.dimension) return Failed("a histogram answer has the wrong length");
  histogram_sum_.resize(sum.values().size(), 0.0);
  for (std::size_t i = 0; i < histogram_sum_.size(); ++i) histogram_sum_[i] += sum.values()[i];
  histogram_variance_ += static_cast<double>(sum.answers()) * static_cast<double>(entry.site_variance) /
                         (entry.grid_scale * entry.grid_scale);
  ++histogram_answers_;
  std::vector<float> counts;
  for (const double total : histogram_sum_) counts.push_back(static_cast<float>(total / histogram_answers_));
  const bool adapts = parts_.options.clipping == Clipping::kAdaptive;
  context_ =
      EncodeContext(std::sqrt(histogram_variance_) / histogram_answers_, counts, adapts ? adaptive_.threshold() : 0.0);
  return {};
}

double GradientTrainer::LearningRate() const {
  if (parts_.constant_rate) return parts_.options.learning_rate;
  const auto step = static_cast<double>(adam_.steps());
  const double warm_up = std::min(1.0, (step + 1.0) / kWarmUpSteps);
  return parts_.options.learning_rate * warm_up * (1.0 - step / static_cast<double>(steps_));
}

Status GradientTrainer::AbsorbGradient(const Query& query, const NoisySum& sum) {
  const std::size_t count = parameters_.size();
  if (sum.values().size() != count + SideCoordinates::kCount) return Failed("a gradient answer has the wrong length");
  // Divided by the public expected batch, never by how many were drawn.
  std::vector<double> gradient(sum.values().begin(), sum.values().begin() + static_cast<std::ptrdiff_t>(count));
  for (double& value : gradient) value /= expected_batch_ * parts_.options.clip;
  OnGradient(query, gradient);
  adam_.Step(gradient, LearningRate(), parameters_, Kept(query));
  OnStep(parameters_);
  average_.Update(parameters_);

  const auto totals =
      parts_.side.Decode(std::span<const double, SideCoordinates::kCount>(sum.values().last(3)), expected_batch_);
  news_.loss = Blend(news_.loss, totals.loss / expected_batch_);
  news_.clipped_fraction = Blend(news_.clipped_fraction, totals.clipped / expected_batch_);
  if (parts_.options.clipping == Clipping::kAdaptive) {
    adaptive_.Update(totals.clipped, expected_batch_);
    SYNOD_ASSIGN_OR_RETURN(const TrainingContext now, DecodeContext(context_, histogram_sum_.size()));
    context_ = EncodeContext(now.sigma, now.counts, adaptive_.threshold());
  }
  return {};
}

Result<GeneratorModel> GradientTrainer::Finish() {
  if (histogram_answers_ == 0 || adam_.steps() == 0) return Failed("training ended before it had any answer");
  SYNOD_ASSIGN_OR_RETURN(GeneratorModel model,
                         Publish(parts_.options.average_decay > 0.0 ? average_.Values() : parameters_));
  model.family = parts_.family;
  return model;
}

Bytes GradientTrainer::Checkpoint() const {
  CheckpointWriter out(parts_.family, kCheckpointVersion, parts_.run.plan->Hash());
  out.Put(parts_.run.seed);
  out.Put(std::span(histogram_sum_));
  out.Put(histogram_variance_);
  out.Put(std::uint64_t{histogram_answers_});
  out.Put(std::span(context_));
  out.Put(std::span(parameters_));
  out.Put(adam_.steps());
  out.Put(adam_.first_moments());
  out.Put(adam_.second_moments());
  out.Put(adam_.own_steps());
  out.Put(average_.updates());
  out.Put(average_.averages());
  out.Put(adaptive_.threshold());
  out.Put(news_.loss);
  out.Put(news_.clipped_fraction);
  PutMore(out);
  return std::move(out).Finish();
}

Status GradientTrainer::Restore(ByteView bytes) {
  SYNOD_ASSIGN_OR_RETURN(CheckpointReader in,
                         CheckpointReader::Open(bytes, parts_.family, kCheckpointVersion, parts_.run.plan->Hash()));
  const std::size_t cells = tabular::HistogramSize(grids_);
  const std::size_t count = parameters_.size();
  const std::uint64_t most_answers = parts_.run.plan->entries()[kHistogramEntry].allowed();
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t seed, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> histogram_sum, in.Doubles(cells, /*may_be_empty=*/true));
  SYNOD_ASSIGN_OR_RETURN(const double histogram_variance, in.Real());
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t histogram_answers, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> context, in.Floats(cells + 2, /*may_be_empty=*/true));
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> parameters, in.Floats(count));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t steps, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> first, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> second, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> own_steps, in.Doubles(count, /*may_be_empty=*/true));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t updates, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> averages, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(const double threshold, in.Real());
  TrainingNews news;
  SYNOD_ASSIGN_OR_RETURN(news.loss, in.OptionalReal());
  SYNOD_ASSIGN_OR_RETURN(news.clipped_fraction, in.OptionalReal());
  const bool started = histogram_answers > 0;
  if (seed != parts_.run.seed || histogram_sum.empty() == started || context.empty() == started ||
      histogram_answers > most_answers || histogram_variance < 0.0 || steps > steps_ || updates != steps ||
      (steps > 0 && !started) || std::any_of(own_steps.begin(), own_steps.end(), [&](double own) {
        return own < 0.0 || own > static_cast<double>(steps);
      })) {
    return BadInput("a trainer's checkpoint does not add up");
  }
  engine::AdaptiveClip adaptive = ThresholdOf(parts_.options);
  SYNOD_RETURN_IF_ERROR(adaptive.Restore(threshold));
  SYNOD_RETURN_IF_ERROR(RestoreMore(in));
  adaptive_ = adaptive;
  histogram_sum_ = std::move(histogram_sum);
  histogram_variance_ = histogram_variance;
  histogram_answers_ = static_cast<std::uint32_t>(histogram_answers);
  context_ = std::move(context);
  parameters_ = std::move(parameters);
  adam_.Restore(steps, std::move(first), std::move(second), std::move(own_steps));
  average_.Restore(updates, std::move(averages));
  news_ = news;
  return {};
}

}  // namespace synod::gradient_family
