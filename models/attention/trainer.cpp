#include "models/attention/trainer.h"

#include <algorithm>
#include <cmath>

#include "common/query/public_random.h"
#include "models/attention/entries.h"
#include "models/attention/sampler.h"
#include "models/gradient_family/model_values.h"
#include "models/tabular/histogram_sum.h"

namespace synod::attention {
namespace {

using gradient_family::TrainingContext;

// Rows of one round of calibration. A row costs columns^2: wide tables take fewer, a million cells at most.
constexpr std::size_t kMostCalibrationRows = 32768;
constexpr std::size_t kMostCalibrationCells = std::size_t{1} << 20;

// Standard deviation of a part's first values.
double InitialScale(const Shape& shape, const Options& options, const std::string& name) {
  const auto inverse_root = [](double inputs) { return 1.0 / std::sqrt(inputs); };
  const auto width = static_cast<double>(shape.width);
  if (name.starts_with("column.") && name.ends_with(".weight")) {
    return inverse_root(static_cast<double>(shape.columns()));
  }
  // Where columns speak too, the latent token starts as loud as one of them: until it means something it is noise.
  if (name == "latent.weight") {
    const double tokens = options.decoding == Decoding::kTogether ? 1.0 : static_cast<double>(shape.columns());
    return inverse_root(tokens * static_cast<double>(shape.latent_size));
  }
  if (name == "key.weight" || name == "hidden.weight") return inverse_root(width);
  if (name == "places.value") return 0.5;
  if (name == "queries.value") return 0.5;
  if (name == "posterior.weight") return inverse_root(static_cast<double>(shape.hidden_size));
  return 0.0;
}

}  // namespace

std::vector<float> InitialParameters(const Shape& shape, const Options& options, const ParameterLayout& layout,
                                     std::uint64_t seed) {
  std::vector<float> values(layout.size(), 0.0F);
  for (std::size_t i = 0; i < layout.parts().size(); ++i) {
    const ParameterPart& part = layout.parts()[i];
    const double scale = InitialScale(shape, options, part.name);
    if (scale == 0.0) continue;
    const std::span<float> own = std::span(values).subspan(part.offset, part.size);
    PublicRandom random(seed, "attention.initial", i);
    random.FillNormal(own);
    for (float& value : own) value *= static_cast<float>(scale);
  }
  return values;
}

Result<std::unique_ptr<AttentionTrainer>> AttentionTrainer::Make(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(const ModelParts model, PartsOf(run));
  const Shape shape(model.grids, model.options);
  gradient_family::TrainerParts parts{run,           "attention",
                                      model.options, model.side,
                                      model.layout,  InitialParameters(shape, model.options, model.layout, run.seed)};
  return std::unique_ptr<AttentionTrainer>(new AttentionTrainer(std::move(parts), model.options));
}

AttentionTrainer::AttentionTrainer(gradient_family::TrainerParts parts, Options options)
    : GradientTrainer(std::move(parts)), options_(options) {}

Result<std::vector<float>> AttentionTrainer::Calibrated(const std::vector<float>& parameters) const {
  SYNOD_ASSIGN_OR_RETURN(const TrainingContext now,
                         gradient_family::DecodeContext(context(), tabular::HistogramSize(grids())));
  const std::vector<ColumnCode> codes =
      CodesOf(grids(), tabular::TokenTransform::FromHistogram(grids(), now.counts, now.sigma, {options_.tokens}));
  const Shape shape(grids(), options_);
  Sampler sampler(shape, options_, codes, parameters, std::vector<float>(shape.slots(), 0.0F));
  sampler.Calibrate(run().seed, options_.calibration_rounds,
                    std::min(kMostCalibrationRows, kMostCalibrationCells / grids().size() + 1));
  return sampler.offsets();
}

Result<GeneratorModel> AttentionTrainer::Publish(const std::vector<float>& parameters) {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<float> offsets, Calibrated(parameters));
  GeneratorModel model;
  model.layout = parts().layout;
  model.parameters = parameters;
  model.options = options_.ToJson();
  model.state = {{"histogram", gradient_family::FloatsToJson(context())},
                 {"offsets", gradient_family::FloatsToJson(offsets)}};
  return model;
}

}  // namespace synod::attention
