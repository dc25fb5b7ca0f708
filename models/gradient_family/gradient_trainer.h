// Coordinator side of the families that ask for one histogram (and its unused retries, averaged) and then for noisy
// gradient sums under Adam with a moving average. Everything here is post-processing of noisy sums; no LibTorch.
//
// A family derives from it, says what it publishes, and may step in around each gradient.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "models/checkpoint.h"
#include "models/engine/adam.h"
#include "models/engine/adaptive_clip.h"
#include "models/family.h"
#include "models/gradient_family/entries.h"

namespace synod::gradient_family {

// What a family says of itself.
struct TrainerParts {
  FamilyRun run;
  std::string family;  // its name in files and checkpoints
  TrainingOptions options;
  SideCoordinates side;
  ParameterLayout layout;      // of the queries
  std::vector<float> initial;  // from public randomness alone
  bool constant_rate = false;  // otherwise: a short warm-up, then linearly down to zero
};

class GradientTrainer : public Trainer {
 public:
  std::optional<Query> Next(std::span<const std::uint64_t> left) override;
  Status Absorb(const Query& query, const NoisySum& sum) override;
  TrainingNews news() const override { return news_; }
  Result<GeneratorModel> Finish() override;
  Bytes Checkpoint() const override;
  Status Restore(ByteView bytes) override;

 protected:
  // CheckPlan has passed for these parts (our own duty).
  explicit GradientTrainer(TrainerParts parts);

  // `gradient`: noisy, divided by the public expected batch and by the clip. `step`: gradient answers so far.
  virtual void OnGradient(const Query&, std::span<double> /*gradient*/) {}
  // Which parameters the step of this query moves, one value each; empty: all. From public inputs alone.
  virtual std::vector<std::uint8_t> Kept(const Query&) const { return {}; }
  // After Adam's step: for what bounds parameters, or trains beside it.
  virtual void OnStep(std::span<float> /*parameters*/) {}
  // The published model but for its family: options, state, layout and parameters. `parameters`: the moving average
  // where one is kept.
  virtual Result<GeneratorModel> Publish(const std::vector<float>& parameters) = 0;
  // What OnGradient and OnStep changed beside the parameters.
  virtual void PutMore(CheckpointWriter&) const {}
  // Takes it up again: reads its fields, finishes the reader, and only then changes anything.
  virtual Status RestoreMore(CheckpointReader& in) { return in.Finish(); }

  const FamilyRun& run() const { return parts_.run; }
  const TrainerParts& parts() const { return parts_; }
  const std::vector<tabular::PublicGrid>& grids() const { return grids_; }
  // Of a gradient query; empty before the first histogram answer.
  const std::vector<float>& context() const { return context_; }
  double expected_batch() const { return expected_batch_; }
  // Gradient answers so far, and those that the plan allows.
  std::uint64_t steps_done() const { return adam_.steps(); }
  std::uint64_t steps_allowed() const { return steps_; }

 private:
  Status AbsorbHistogram(const NoisySum& sum);
  Status AbsorbGradient(const Query& query, const NoisySum& sum);
  double LearningRate() const;

  TrainerParts parts_;
  std::vector<tabular::PublicGrid> grids_;
  double expected_batch_ = 1.0;  // q N: public
  std::uint64_t steps_ = 0;
  engine::AdaptiveClip adaptive_;

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

}  // namespace synod::gradient_family
