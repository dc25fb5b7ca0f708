#include "models/wgan/trainer.h"

#include <algorithm>

#include "common/core/check.h"
#include "models/gradient_family/model_values.h"
#include "models/tabular/histogram_sum.h"
#include "models/wgan/entries.h"

namespace synod::wgan {
namespace {

constexpr std::size_t kCriticRows = 1024;  // generated ones for each step of the critic

}  // namespace

Result<std::unique_ptr<WganTrainer>> WganTrainer::Make(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const ModelParts model, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, gradient_family::SideOf(model.options, 2.0 * kLossShift));
  const Shape shape(model.grids, model.options);
  SYNOD_ASSIGN_OR_RETURN(ParameterLayout critic, gradient_family::LayoutOf(shape.critic_builder));
  std::vector<float> initial = InitialCritic(shape, model.options, run.seed);
  gradient_family::TrainerParts parts{run, "wgan", model.options, side, std::move(critic), std::move(initial), true};
  return std::unique_ptr<WganTrainer>(new WganTrainer(std::move(parts), model));
}

WganTrainer::WganTrainer(gradient_family::TrainerParts parts, const ModelParts& model)
    : GradientTrainer(std::move(parts)),
      options_(model.options),
      generator_layout_(model.generator_layout),
      adversary_(model.grids, model.options, run().seed) {}

void WganTrainer::OnGradient(const Query& query, std::span<double> gradient) {
  const Result<gradient_family::TrainingContext> now =
      gradient_family::DecodeContext(query.context, tabular::HistogramSize(grids()));
  SYNOD_CHECK(now.ok(), "a query of our own has a context");
  if (!adversary_.has_transform()) {
    adversary_.SetTransform(
        tabular::TokenTransform::FromHistogram(grids(), now->counts, now->sigma, {options_.tokens}));
  }
  const Result<engine::ClipPlan> clip =
      gradient_family::ClipPlanOf(options_, {}, parts().side.gradient_clip(), now->threshold);
  SYNOD_CHECK(clip.ok(), "a query of our own has a threshold that its plan allows");
  adversary_.AddGeneratedRows(query.parameters, *clip, options_.clip, kCriticRows, steps_done(), gradient);
}

void WganTrainer::OnStep(std::span<float> parameters) {
  const auto clamp = static_cast<float>(options_.clamp);
  for (float& value : parameters) value = std::clamp(value, -clamp, clamp);
  const engine::LinearLayer& last = adversary_.shape().critic.back();
  const auto kept = static_cast<float>(1.0 - options_.critic_decay);
  for (float& value :
       parameters.subspan(static_cast<std::size_t>(last.weight_offset), static_cast<std::size_t>(last.in))) {
    value *= kept;
  }
  const double done = static_cast<double>(steps_done()) / static_cast<double>(steps_allowed());
  adversary_.TrainGenerator(parameters, options_.generator_learning_rate * (1.0 - 0.9 * done), steps_done());
}

Result<GeneratorModel> WganTrainer::Publish(const std::vector<float>&) {
  if (!adversary_.has_transform()) {
    SYNOD_ASSIGN_OR_RETURN(const gradient_family::TrainingContext now,
                           gradient_family::DecodeContext(context(), tabular::HistogramSize(grids())));
    adversary_.SetTransform(tabular::TokenTransform::FromHistogram(grids(), now.counts, now.sigma, {options_.tokens}));
  }
  GeneratorModel model;
  model.layout = generator_layout_;
  model.parameters = adversary_.Published();
  const std::vector<float> offsets =
      adversary_.rows().FitOffsets(model.parameters, run().seed, options_.calibration_rounds);
  model.options = options_.ToJson();
  model.state = {{"histogram", gradient_family::FloatsToJson(context())},
                 {"offsets", gradient_family::FloatsToJson(offsets)}};
  return model;
}

}  // namespace synod::wgan
