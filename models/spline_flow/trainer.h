// Coordinator side of spline_flow: what its base asks for, which neurons a step moves, and the published model: for the
// autoregressive variant with its stages fitted to the noisy one-way counts.
#pragma once

#include <memory>
#include <vector>

#include "models/gradient_family/gradient_trainer.h"
#include "models/spline_flow/model_parts.h"

namespace synod::spline_flow {

class SplineTrainer final : public gradient_family::GradientTrainer {
 public:
  // Fails when the run's options or plan are not those of this family.
  static Result<std::unique_ptr<SplineTrainer>> Make(const FamilyRun& run);

 private:
  SplineTrainer(gradient_family::TrainerParts parts, ModelParts model);
  std::vector<std::uint8_t> Kept(const Query& query) const override;
  Result<GeneratorModel> Publish(const std::vector<float>& parameters) override;
  Result<std::vector<float>> Calibrated(const std::vector<float>& parameters) const;

  ModelParts model_;
  std::vector<std::uint32_t> neurons_;  // of each parameter; empty where every step keeps all
};

// The parameters that training starts from, from public randomness alone: the independent columns of the noisy counts
// (autoregressive), the identity (coupling).
std::vector<float> InitialParameters(const ModelParts& model, std::uint64_t seed);

}  // namespace synod::spline_flow
