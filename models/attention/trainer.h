// Coordinator side of attention: what its base asks for, and the published model with its sampler fitted to the noisy
// one-way counts.
#pragma once

#include <memory>
#include <vector>

#include "models/attention/options.h"
#include "models/gradient_family/gradient_trainer.h"

namespace synod::attention {

struct Shape;

class AttentionTrainer final : public gradient_family::GradientTrainer {
 public:
  // Fails when the run's options or plan are not those of this family.
  static Result<std::unique_ptr<AttentionTrainer>> Make(const FamilyRun& run);

 private:
  AttentionTrainer(gradient_family::TrainerParts parts, Options options);
  Result<GeneratorModel> Publish(const std::vector<float>& parameters) override;
  Result<std::vector<float>> Calibrated(const std::vector<float>& parameters) const;

  Options options_;
};

// The parameters that training starts from: from public randomness alone. The decoders start at zero, so that every
// column starts at its noisy one-way shares.
std::vector<float> InitialParameters(const Shape& shape, const Options& options, const ParameterLayout& layout,
                                     std::uint64_t seed);

}  // namespace synod::attention
