// Coordinator side of independent_columns: asks the histogram as often as the plan allows, retries included (they are
// paid for), and averages. Post-processing of noisy sums.
#pragma once

#include <memory>
#include <vector>

#include "models/family.h"
#include "models/independent_columns/plan.h"

namespace synod::independent_columns {

class MarginalTrainer final : public Trainer {
 public:
  // Fails when the run's options or plan are not those of this family.
  static Result<std::unique_ptr<MarginalTrainer>> Make(const FamilyRun& run);

  std::optional<Query> Next(std::span<const std::uint64_t> left) override;
  Status Absorb(const Query& query, const NoisySum& sum) override;
  TrainingNews news() const override { return {}; }
  Result<GeneratorModel> Finish() override;
  Bytes Checkpoint() const override;
  Status Restore(ByteView bytes) override;

 private:
  MarginalTrainer(const FamilyRun& run, RunParts parts) : run_(run), parts_(std::move(parts)) {}

  FamilyRun run_;
  RunParts parts_;
  std::vector<double> total_;  // of all answers; empty before the first
  double variance_ = 0.0;      // of each number in total_
  std::uint64_t answers_ = 0;
};

}  // namespace synod::independent_columns
