// Coordinator side of table_diffusion: one histogram query (and its unused retries, averaged), then noisy gradient sums
// under Adam with a moving average. Everything here is post-processing of noisy sums; no LibTorch.
#pragma once

#include <memory>
#include <vector>

#include "models/engine/adam.h"
#include "models/family.h"
#include "models/table_diffusion/entries.h"
#include "models/table_diffusion/options.h"

namespace synod::table_diffusion {

class DiffusionTrainer final : public Trainer {
 public:
  // Fails when the run's options or plan are not those of this family.
  static Result<std::unique_ptr<DiffusionTrainer>> Make(const FamilyRun& run);

  std::optional<Query> Next(std::span<const std::uint64_t> left) override;
  Status Absorb(const Query& query, const NoisySum& sum) override;
  TrainingNews news() const override { return news_; }
  Result<GeneratorModel> Finish() override;
  Bytes Checkpoint() const override;
  Status Restore(ByteView bytes) override;

 private:
  DiffusionTrainer(const FamilyRun& run, Options options, SideCoordinates side, ParameterLayout layout);
  Status AbsorbHistogram(const NoisySum& sum);
  Status AbsorbGradient(const NoisySum& sum);
  double LearningRate() const;
  Result<std::vector<float>> Calibrated(const std::vector<float>& parameters) const;

  FamilyRun run_;
  Options options_;
  SideCoordinates side_;
  ParameterLayout layout_;
  std::vector<tabular::PublicGrid> grids_;
  double expected_batch_ = 1.0;  // q N: public
  std::uint64_t steps_ = 0;      // gradient answers that the plan allows

  // Histogram answers: their sum, and the sum of their noise variances, in units of the vector.
  std::vector<double> histogram_sum_;
  double histogram_variance_ = 0.0;
  std::uint32_t histogram_answers_ = 0;
  std::vector<float> context_;

  std::vector<float> parameters_;
  engine::Adam adam_;
  engine::MovingAverage average_;
  TrainingNews news_;
};

// The parameters that training starts from: from public randomness alone.
std::vector<float> InitialParameters(const Options& options, const ParameterLayout& layout, std::size_t columns,
                                     std::uint64_t seed);

}  // namespace synod::table_diffusion
