// Coordinator side of wgan: what its base asks for is the critic's gradient on real rows; around each answer the game
// goes on with generated ones.
#pragma once

#include <memory>

#include "models/gradient_family/gradient_trainer.h"
#include "models/wgan/adversary.h"

namespace synod::wgan {

class WganTrainer final : public gradient_family::GradientTrainer {
 public:
  // Fails when the run's options or plan are not those of this family.
  static Result<std::unique_ptr<WganTrainer>> Make(const FamilyRun& run);

 private:
  WganTrainer(gradient_family::TrainerParts parts, const ModelParts& model);
  void OnGradient(const Query& query, std::span<double> gradient) override;
  void OnStep(std::span<float> parameters) override;
  Result<GeneratorModel> Publish(const std::vector<float>& critic) override;
  void PutMore(CheckpointWriter& out) const override { adversary_.Put(out); }
  Status RestoreMore(CheckpointReader& in) override { return adversary_.Restore(in, steps_allowed()); }

  Options options_;
  ParameterLayout generator_layout_;
  Adversary adversary_;
};

}  // namespace synod::wgan
