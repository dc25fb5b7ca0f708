#include "models/table_diffusion/trainer.h"

#include <algorithm>
#include <cmath>

#include "common/query/public_random.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/masked_sampler.h"
#include "models/table_diffusion/masked_shape.h"
#include "models/table_diffusion/model_json.h"
#include "models/tabular/histogram_sum.h"
#include "models/tabular/token_transform.h"

namespace synod::table_diffusion {
namespace {

constexpr std::size_t kCalibrationRows = 32768;

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
    // Gaussian noise: the variance of uniform in +-1/sqrt(inputs), the usual start of a Linear layer.
    if (options.gaussian() && is_weight) scale = 1.0 / std::sqrt(3.0 * static_cast<double>(part.shape.at(1)));
    if (scale > 0.0) {
      random.FillNormal(own);
      for (float& value : own) value *= static_cast<float>(scale);
    }
    if (part.name.ends_with(".gain")) std::fill(own.begin(), own.end(), 1.0F);
  }
  return values;
}

Result<std::unique_ptr<DiffusionTrainer>> DiffusionTrainer::Make(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const ModelParts model, PartsOf(run));
  SYNOD_ASSIGN_OR_RETURN(const SideCoordinates side,
                         gradient_family::SideOf(model.options, LossBound(model.grids, model.options)));
  gradient_family::TrainerParts parts{run,
                                      "table_diffusion",
                                      model.options,
                                      side,
                                      model.layout,
                                      InitialParameters(model.options, model.layout, model.grids.size(), run.seed),
                                      model.options.gaussian()};
  return std::unique_ptr<DiffusionTrainer>(new DiffusionTrainer(std::move(parts), model.options));
}

DiffusionTrainer::DiffusionTrainer(gradient_family::TrainerParts parts, Options options)
    : GradientTrainer(std::move(parts)), options_(options) {}

Result<std::vector<float>> DiffusionTrainer::Calibrated(const std::vector<float>& parameters) const {
  SYNOD_ASSIGN_OR_RETURN(const TrainingContext now, DecodeContext(context(), tabular::HistogramSize(grids())));
  const auto transform = tabular::TokenTransform::FromHistogram(grids(), now.counts, now.sigma, {options_.tokens});
  const MaskedShape shape(grids(), options_);
  MaskedSampler sampler(shape, options_, transform, parameters, std::vector<float>(shape.slots(), 0.0F));
  sampler.Calibrate(run().seed, options_.calibration_rounds, kCalibrationRows);
  return sampler.offsets();
}

Result<GeneratorModel> DiffusionTrainer::Publish(const std::vector<float>& parameters) {
  GeneratorModel model;
  model.layout = parts().layout;
  model.parameters = parameters;
  std::vector<float> offsets;
  if (options_.variant == Variant::kMasked) {
    SYNOD_ASSIGN_OR_RETURN(offsets, Calibrated(parameters));
  }
  model.options = options_.ToJson();
  model.state = StateJson(context(), offsets);
  return model;
}

}  // namespace synod::table_diffusion
