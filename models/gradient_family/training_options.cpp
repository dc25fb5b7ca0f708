#include "models/gradient_family/training_options.h"

namespace synod::gradient_family {
namespace {

using engine::ClipPlan;

constexpr std::string_view kClippings[] = {"flat", "automatic", "adaptive", "per_layer", "per_neuron"};

constexpr IntegerKey<TrainingOptions> kIntegers[] = {
    {"steps", &TrainingOptions::steps, 1, 1000000},
    {"batch", &TrainingOptions::batch, 1, 1 << 22},
    {"tokens", &TrainingOptions::tokens, 2, 256},
};
constexpr RealKey<TrainingOptions> kReals[] = {
    {"learning_rate", &TrainingOptions::learning_rate, 1e-8, 10.0},
    {"beta1", &TrainingOptions::beta1, 0.0, 0.9999},
    {"beta2", &TrainingOptions::beta2, 0.0, 0.99999},
    {"average_decay", &TrainingOptions::average_decay, 0.0, 0.99999},
};
constexpr ChoiceKey<TrainingOptions> kChoices[] = {
    {"clipping", kClippings, [](const TrainingOptions& options) { return static_cast<std::size_t>(options.clipping); },
     [](TrainingOptions& options, std::size_t index) { options.clipping = static_cast<Clipping>(index); }},
};
constexpr RealKey<TrainingOptions> kClip[] = {{"clip", &TrainingOptions::clip, 1e-6, 1e6}};

// Of the clip: below it a gradient's direction counts for less, so that the smallest do not become noise.
constexpr double kAutomaticGamma = 0.01;
constexpr double kAdaptiveRange = 100.0;

// A threshold travels as a float32: the bounds as such a number may lie beyond themselves.
bool AllowsThreshold(const TrainingOptions& options, double threshold) {
  engine::AdaptiveClipOptions bounds = AdaptiveBounds(options);
  bounds.lowest *= 1.0 - 1e-6;
  bounds.highest *= 1.0 + 1e-6;
  return engine::AdaptiveClip::Allows(bounds, threshold);
}

}  // namespace

OptionKeys<TrainingOptions> TrainingKeys() {
  return {kIntegers, kReals, kChoices};
}

Status ReadTrainingKeys(const TomlSection& section, TrainingOptions& options) {
  if (section.Has("clip")) {
    return section.ErrorAt("clip", "is not an option of the model", "the clip of a run is privacy.clip");
  }
  return ReadKeys(section, TrainingKeys(), options);
}

void TrainingToJson(const TrainingOptions& options, Json& json) {
  KeysToJson(TrainingKeys(), options, json);
  KeysToJson<TrainingOptions>({{}, kClip, {}}, options, json);
}

bool TrainingFromJson(const Json& json, TrainingOptions& options) {
  return KeysFromJson(TrainingKeys(), json, options) && KeysFromJson<TrainingOptions>({{}, kClip, {}}, json, options);
}

std::size_t TrainingJsonSize() {
  return TrainingKeys().size() + std::size(kClip);
}

engine::AdaptiveClipOptions AdaptiveBounds(const TrainingOptions& options) {
  engine::AdaptiveClipOptions bounds;
  bounds.lowest = options.clip / kAdaptiveRange;
  bounds.highest = options.clip * kAdaptiveRange;
  bounds.start = options.clip;
  return bounds;
}

Result<ClipPlan> ClipPlanOf(const TrainingOptions& options, std::span<const engine::ParameterRange> layers,
                            double gradient_clip, double threshold) {
  if (options.clipping != Clipping::kAdaptive && threshold != 0.0) {
    return BadInput("a query carries a clipping threshold, and the plan's clip does not adapt");
  }
  switch (options.clipping) {
    case Clipping::kAutomatic:
      return ClipPlan::Automatic(gradient_clip, kAutomaticGamma * gradient_clip);
    case Clipping::kPerLayer:
      return ClipPlan::PerLayer(layers, gradient_clip);
    case Clipping::kPerNeuron:
      return ClipPlan::PerNeuron(layers, gradient_clip);
    case Clipping::kAdaptive:
      if (!AllowsThreshold(options, threshold)) {
        return BadInput("a query's clipping threshold is outside the plan's bounds");
      }
      return ClipPlan::Flat(gradient_clip).WithThreshold(threshold);
    case Clipping::kFlat:
      break;
  }
  return ClipPlan::Flat(gradient_clip);
}

}  // namespace synod::gradient_family
