// Coordinator side of table_diffusion: what its base asks for, and the published model: for the masked variant with its
// sampler fitted to the noisy one-way counts.
#pragma once

#include <memory>
#include <vector>

#include "models/gradient_family/gradient_trainer.h"
#include "models/table_diffusion/options.h"

namespace synod::table_diffusion {

class DiffusionTrainer final : public gradient_family::GradientTrainer {
 public:
  // Fails when the run's options or plan are not those of this family.
  static Result<std::unique_ptr<DiffusionTrainer>> Make(const FamilyRun& run);

 private:
  DiffusionTrainer(gradient_family::TrainerParts parts, Options options);
  Result<GeneratorModel> Publish(const std::vector<float>& parameters) override;
  Result<std::vector<float>> Calibrated(const std::vector<float>& parameters) const;

  Options options_;
};

// The parameters that training starts from: from public randomness alone.
std::vector<float> InitialParameters(const Options& options, const ParameterLayout& layout, std::size_t columns,
                                     std::uint64_t seed);

}  // namespace synod::table_diffusion
