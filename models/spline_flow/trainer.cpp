#include "models/spline_flow/trainer.h"

#include <algorithm>
#include <cmath>

#include "common/query/public_random.h"
#include "models/spline_flow/neuron_mask.h"
#include "models/spline_flow/stage_batch.h"
#include "models/spline_flow/stage_sampler.h"
#include "models/tabular/histogram_sum.h"

namespace synod::spline_flow {
namespace {

constexpr std::size_t kCalibrationRows = 32768;
// Rows times tokens that are in memory at once while a stage is fitted.
constexpr std::size_t kMostCalibrationValues = std::size_t{1} << 24;
constexpr double kStageScale = 0.3;

// The deviation of the normal draws that a part starts with; 0: zeros.
double StartScale(const ParameterPart& part, const ModelParts& model) {
  if (part.name == "stage.bias") return kStageScale;
  if (!part.name.ends_with(".weight")) return 0.0;
  if (model.options.variant == Variant::kAutoregressive) {
    return part.name.starts_with("input.") ? 1.0 / std::sqrt(static_cast<double>(model.grids.size())) : 0.0;
  }
  return part.name.ends_with(".last.weight") ? 0.0 : 1.0 / std::sqrt(static_cast<double>(part.shape.at(1)));
}

std::size_t CalibrationRows(const StageShape& shape) {
  std::size_t widest = 1;
  for (const Stage& stage : shape.stages) widest = std::max(widest, stage.outputs());
  return std::clamp(kMostCalibrationValues / std::max(widest, shape.hidden), std::size_t{1024}, kCalibrationRows);
}

std::vector<std::uint32_t> NeuronsFor(const ModelParts& model) {
  if (model.options.keep_rate >= 1.0) return {};
  if (model.options.variant == Variant::kCoupling) return NeuronsOf(CouplingShape(model.grids.size(), model.options));
  return NeuronsOf(StageShape(model.grids, model.label, model.options));
}

}  // namespace

std::vector<float> InitialParameters(const ModelParts& model, std::uint64_t seed) {
  std::vector<float> values(model.layout.size(), 0.0F);
  for (std::size_t i = 0; i < model.layout.parts().size(); ++i) {
    const ParameterPart& part = model.layout.parts()[i];
    const std::span<float> own = std::span(values).subspan(part.offset, part.size);
    if (part.name.ends_with(".diagonal.value")) std::fill(own.begin(), own.end(), kIdentityDiagonal);
    const double scale = StartScale(part, model);
    if (scale == 0.0) continue;
    PublicRandom random(seed, "spline_flow.initial", i);
    random.FillNormal(own);
    for (float& value : own) value *= static_cast<float>(scale);
  }
  return values;
}

Result<std::unique_ptr<SplineTrainer>> SplineTrainer::Make(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(ModelParts model, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side, gradient_family::SideOf(model.options, LossBound(model.grids)));
  gradient_family::TrainerParts parts{run,  "spline_flow", model.options,
                                      side, model.layout,  InitialParameters(model, run.seed)};
  return std::unique_ptr<SplineTrainer>(new SplineTrainer(std::move(parts), std::move(model)));
}

SplineTrainer::SplineTrainer(gradient_family::TrainerParts parts, ModelParts model)
    : GradientTrainer(std::move(parts)), model_(std::move(model)), neurons_(NeuronsFor(model_)) {}

std::vector<std::uint8_t> SplineTrainer::Kept(const Query& query) const {
  if (neurons_.empty()) return {};
  const std::vector<std::uint8_t> mask =
      KeptNeurons(run().seed, query.index, NeuronCount(model_.builder), model_.options.keep_rate);
  std::vector<std::uint8_t> kept;
  for (const std::uint32_t neuron : neurons_) kept.push_back(mask[neuron]);
  return kept;
}

Result<std::vector<float>> SplineTrainer::Calibrated(const std::vector<float>& parameters) const {
  SYNOD_ASSIGN_OR_RETURN(const gradient_family::TrainingContext now,
                         gradient_family::DecodeContext(context(), tabular::HistogramSize(grids())));
  const auto transform =
      tabular::TokenTransform::FromHistogram(grids(), now.counts, now.sigma, {model_.options.tokens});
  const std::vector<ColumnBase> bases = BasesOf(grids(), transform);
  const StageShape shape(grids(), model_.label, model_.options);
  StageSampler sampler(shape, bases, parameters, std::vector<float>(shape.outputs(), 0.0F));
  sampler.Calibrate(run().seed, model_.options.calibration_rounds, CalibrationRows(shape));
  return sampler.offsets();
}

Result<GeneratorModel> SplineTrainer::Publish(const std::vector<float>& parameters) {
  GeneratorModel model;
  model.layout = parts().layout;
  model.parameters = parameters;
  model.options = model_.options.ToJson();
  std::vector<float> offsets;
  if (model_.options.variant == Variant::kAutoregressive) {
    SYNOD_ASSIGN_OR_RETURN(offsets, Calibrated(parameters));
  }
  model.state = StateJson(context(), offsets);
  return model;
}

}  // namespace synod::spline_flow
