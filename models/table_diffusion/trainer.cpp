#include "models/table_diffusion/trainer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/query/public_random.h"
#include "models/checkpoint.h"
#include "models/table_diffusion/masked_sampler.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/table_diffusion/model_json.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {
namespace {

constexpr double kWarmUpSteps = 20.0;
constexpr double kNewsMemory = 0.9;  // of the running means that are shown
constexpr std::size_t kCalibrationRows = 32768;
constexpr std::string_view kFamily = "table_diffusion";
constexpr std::uint32_t kCheckpointVersion = 1;

double Blend(const std::optional<double>& before, double now) {
  return before ? kNewsMemory * *before + (1.0 - kNewsMemory) * now : now;
}

}  // namespace

std::vector<float> InitialParameters(const Options& options, const ParameterLayout& layout, std::size_t columns,
                                     std::uint64_t seed) {
  std::vector<float> values(layout.size(), 0.0F);
  for (std::size_t i = 0; i < layout.parts().size(); ++i) {
    const ParameterPart& part = layout.parts()[i];
    const std::span<float> own = std::span(values).subspan(part.offset, part.size);
    PublicRandom random(seed, "table_diffusion.initial", i);
    const bool is_weight = part.name.ends_with(".weight");
    double scale = 0.0;
    if (part.name == "input.weight") scale = 1.0 / std::sqrt(static_cast<double>(columns));
    if (part.name == "time.weight") scale = 0.3 / std::sqrt(static_cast<double>(options.time_embedding));
    // Published variant: uniform in +-1/sqrt(inputs), the usual start of a Linear layer.
    const bool published = options.variant == Variant::kPublished;
    if (published && is_weight) scale = 1.0 / std::sqrt(3.0 * static_cast<double>(part.shape.at(1)));
    if (scale > 0.0) {
      random.FillNormal(own);
      for (float& value : own) value *= static_cast<float>(scale);
    }
    if (part.name.ends_with(".gain")) std::fill(own.begin(), own.end(), 1.0F);
  }
  return values;
}

Result<std::unique_ptr<DiffusionTrainer>> DiffusionTrainer::Make(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const ModelParts parts, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, SideOf(parts.grids, parts.options));
  return std::unique_ptr<DiffusionTrainer>(new DiffusionTrainer(run, parts.options, side, parts.layout));
}

DiffusionTrainer::DiffusionTrainer(const FamilyRun& run, Options options, SideCoordinates side, ParameterLayout layout)
    : run_(run),
      options_(options),
      side_(side),
      layout_(std::move(layout)),
      grids_(tabular::GridsOf(*run.schema)),
      parameters_(InitialParameters(options_, layout_, grids_.size(), run.seed)),
      adam_(parameters_.size(), {options.beta1, options.beta2}),
      average_(parameters_, options.average_decay) {
  const PlanEntry& training = run.plan->entries()[kTrainingEntry];
  expected_batch_ = training.sampling_rate * static_cast<double>(run.plan->facts().units);
  steps_ = training.allowed();
}

std::optional<Query> DiffusionTrainer::Next(std::span<const std::uint64_t> left) {
  SYNOD_CHECK(left.size() == 2, "a table_diffusion plan has two entries");
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

Status DiffusionTrainer::Absorb(const Query& query, const NoisySum& sum) {
  return query.kind == QueryKind::kHistogram ? AbsorbHistogram(sum) : AbsorbGradient(sum);
}

Status DiffusionTrainer::AbsorbHistogram(const NoisySum& sum) {
  const PlanEntry& entry = run_.plan->entries()[kHistogramEntry];
  if (sum.values().size() != entry.dimension) return Failed("a histogram answer has the wrong length");
  histogram_sum_.resize(sum.values().size(), 0.0);
  for (std::size_t i = 0; i < histogram_sum_.size(); ++i) histogram_sum_[i] += sum.values()[i];
  histogram_variance_ += static_cast<double>(sum.answers()) * static_cast<double>(entry.site_variance) /
                         (entry.grid_scale * entry.grid_scale);
  ++histogram_answers_;
  std::vector<float> counts;
  for (const double total : histogram_sum_) counts.push_back(static_cast<float>(total / histogram_answers_));
  context_ = EncodeContext(std::sqrt(histogram_variance_) / histogram_answers_, counts);
  return {};
}

double DiffusionTrainer::LearningRate() const {
  const auto step = static_cast<double>(adam_.steps());
  if (options_.variant == Variant::kPublished) return options_.learning_rate;
  const double warm_up = std::min(1.0, (step + 1.0) / kWarmUpSteps);
  return options_.learning_rate * warm_up * (1.0 - step / static_cast<double>(steps_));
}

Status DiffusionTrainer::AbsorbGradient(const NoisySum& sum) {
  const std::size_t count = parameters_.size();
  if (sum.values().size() != count + SideCoordinates::kCount) return Failed("a gradient answer has the wrong length");
  // Divided by the public expected batch, never by how many were drawn.
  std::vector<double> gradient(sum.values().begin(), sum.values().begin() + static_cast<std::ptrdiff_t>(count));
  for (double& value : gradient) value /= expected_batch_ * options_.clip;
  adam_.Step(gradient, LearningRate(), parameters_);
  average_.Update(parameters_);

  const auto totals =
      side_.Decode(std::span<const double, SideCoordinates::kCount>(sum.values().last(3)), expected_batch_);
  news_.loss = Blend(news_.loss, totals.loss / expected_batch_);
  news_.clipped_fraction = Blend(news_.clipped_fraction, totals.clipped / expected_batch_);
  return {};
}

Result<std::vector<float>> DiffusionTrainer::Calibrated(const std::vector<float>& parameters) const {
  SYNOD_ASSIGN_OR_RETURN(const HistogramContext context, DecodeContext(context_, tabular::HistogramSize(grids_)));
  const auto transform =
      tabular::TokenTransform::FromHistogram(grids_, context.counts, context.sigma, {options_.tokens});
  const MaskedShape shape(grids_, options_);
  MaskedSampler sampler(shape, options_, transform, parameters, std::vector<float>(shape.slots(), 0.0F));
  sampler.Calibrate(run_.seed, options_.calibration_rounds, kCalibrationRows);
  return sampler.offsets();
}

Result<GeneratorModel> DiffusionTrainer::Finish() {
  if (histogram_answers_ == 0 || adam_.steps() == 0) return Failed("training ended before it had any answer");
  GeneratorModel model;
  model.family = kFamily;
  model.layout = layout_;
  model.parameters = options_.average_decay > 0.0 ? average_.Values() : parameters_;
  std::vector<float> offsets;
  if (options_.variant == Variant::kMasked) {
    SYNOD_ASSIGN_OR_RETURN(offsets, Calibrated(model.parameters));
  }
  model.options = options_.ToJson();
  model.state = StateJson(context_, offsets);
  return model;
}

Bytes DiffusionTrainer::Checkpoint() const {
  CheckpointWriter out(kFamily, kCheckpointVersion, run_.plan->Hash());
  out.Put(run_.seed);
  out.Put(std::span(histogram_sum_));
  out.Put(histogram_variance_);
  out.Put(std::uint64_t{histogram_answers_});
  out.Put(std::span(context_));
  out.Put(std::span(parameters_));
  out.Put(adam_.steps());
  out.Put(adam_.first_moments());
  out.Put(adam_.second_moments());
  out.Put(average_.updates());
  out.Put(average_.averages());
  out.Put(news_.loss);
  out.Put(news_.clipped_fraction);
  return std::move(out).Finish();
}

Status DiffusionTrainer::Restore(ByteView bytes) {
  SYNOD_ASSIGN_OR_RETURN(CheckpointReader in,
                         CheckpointReader::Open(bytes, kFamily, kCheckpointVersion, run_.plan->Hash()));
  const std::size_t cells = tabular::HistogramSize(grids_);
  const std::size_t count = parameters_.size();
  const std::uint64_t most_answers = run_.plan->entries()[kHistogramEntry].allowed();
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t seed, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> histogram_sum, in.Doubles(cells, /*may_be_empty=*/true));
  SYNOD_ASSIGN_OR_RETURN(const double histogram_variance, in.Real());
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t histogram_answers, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> context, in.Floats(cells + 1, /*may_be_empty=*/true));
  SYNOD_ASSIGN_OR_RETURN(std::vector<float> parameters, in.Floats(count));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t steps, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> first, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> second, in.Doubles(count));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t updates, in.Whole());
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> averages, in.Doubles(count));
  TrainingNews news;
  SYNOD_ASSIGN_OR_RETURN(news.loss, in.OptionalReal());
  SYNOD_ASSIGN_OR_RETURN(news.clipped_fraction, in.OptionalReal());
  SYNOD_RETURN_IF_ERROR(in.Finish());
  const bool started = histogram_answers > 0;
  if (seed != run_.seed || histogram_sum.empty() == started || context.empty() == started ||
      histogram_answers > most_answers || histogram_variance < 0.0 || steps > steps_ || updates != steps ||
      (steps > 0 && !started)) {
    return BadInput("a trainer's checkpoint does not add up");
  }
  histogram_sum_ = std::move(histogram_sum);
  histogram_variance_ = histogram_variance;
  histogram_answers_ = static_cast<std::uint32_t>(histogram_answers);
  context_ = std::move(context);
  parameters_ = std::move(parameters);
  adam_.Restore(steps, std::move(first), std::move(second));
  average_.Restore(updates, std::move(averages));
  news_ = news;
  return {};
}

}  // namespace synod::table_diffusion
