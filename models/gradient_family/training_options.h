// What every family is told that asks for one histogram and then for gradient sums: how many, how large, how they are
// clipped, and how the coordinator steps.
#pragma once

#include <cstdint>
#include <span>

#include "models/engine/adaptive_clip.h"
#include "models/engine/clip_plan.h"
#include "models/gradient_family/option_keys.h"

namespace synod::gradient_family {

// What depends on the run when the specification is silent.
struct RunSize {
  std::uint64_t units = 0;  // public statement of the number of units
  double epsilon = 1.0;
};

enum class Clipping : std::uint8_t { kFlat, kAutomatic, kAdaptive, kPerLayer, kPerNeuron };

struct TrainingOptions {
  std::uint32_t steps = 0;    // noisy gradient sums
  std::uint32_t batch = 0;    // expected number of units in a batch, over all sites
  std::uint32_t tokens = 16;  // tokens of a wide numeric column
  Clipping clipping = Clipping::kFlat;
  double clip = 1.0;  // L2 bound of one unit's whole vector, side coordinates included: privacy.clip of the run
  double learning_rate = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double average_decay = 0.98;  // of the moving average of the parameters; 0 turns it off
};

// The keys of [model] that every such family has.
OptionKeys<TrainingOptions> TrainingKeys();

// Refuses a clip in the section: it is a statement of the run.
Status ReadTrainingKeys(const TomlSection& section, TrainingOptions& options);
// With the clip.
void TrainingToJson(const TrainingOptions& options, Json& json);
bool TrainingFromJson(const Json& json, TrainingOptions& options);
// How many keys TrainingToJson writes.
std::size_t TrainingJsonSize();

// Bounds of a threshold that adapts: public, from the clip alone.
engine::AdaptiveClipOptions AdaptiveBounds(const TrainingOptions& options);

// How the site clips. `threshold`: 0 unless the clip adapts; BadInput for one that the plan does not allow.
// `gradient_clip`: what is left of the clip beside the side coordinates.
Result<engine::ClipPlan> ClipPlanOf(const TrainingOptions& options, std::span<const engine::ParameterRange> layers,
                                    double gradient_clip, double threshold);

}  // namespace synod::gradient_family
