// The coordinator's half of the game, free of charge: it sees the critic's public parameters, noisy one-way shares and
// public randomness, never a record.
//
//   critic      the sites sum the clipped gradients of -D over real rows; here those of +D over generated rows are
//               added, clipped by the same rule: where the generator equals the data the two cancel, which they would
//               not if one side alone were clipped
//   generator   Adam on -mean D(x~) + the distance of its mean probabilities from the noisy shares. The critic is shown
//               drawn one-hots, as rows will be, and its gradient by them goes to the probabilities as it is
//               (straight-through: Bengio, Leonard, Courville 2013). Were the critic shown probabilities instead, their
//               softness would tell them from real rows.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/checkpoint.h"
#include "models/engine/adam.h"
#include "models/engine/clip_plan.h"
#include "models/wgan/latent_rows.h"

namespace synod::wgan {

class Adversary {
 public:
  // Parameters from public randomness alone.
  Adversary(const std::vector<tabular::PublicGrid>& grids, const Options& options, std::uint64_t seed);
  Adversary(const Adversary&) = delete;
  Adversary& operator=(const Adversary&) = delete;

  // What the noisy histogram says about tokens; the same for all steps of a run.
  void SetTransform(tabular::TokenTransform transform);
  void ForgetTransform() { rows_.reset(); }
  bool has_transform() const { return rows_ != nullptr; }

  // gradient += the mean over `rows` generated rows of the gradient of D at `critic`, each clipped by `clip`, divided
  // by `unit`. Precondition of this and the next: has_transform().
  void AddGeneratedRows(std::span<const float> critic, const engine::ClipPlan& clip, double unit, std::size_t rows,
                        std::uint64_t step, std::span<double> gradient) const;

  // The updates of one critic step; `rate`: of Adam.
  void TrainGenerator(std::span<const float> critic, double rate, std::uint64_t step);

  // The gradient of one update by the generator's parameters, of rows that `random` draws.
  std::vector<double> GeneratorGradient(std::span<const float> critic, std::span<const float> generator,
                                        PublicRandom& random) const;

  const Shape& shape() const { return shape_; }
  const LatentRows& rows() const { return *rows_; }
  std::span<const float> parameters() const { return parameters_; }
  // The moving average where one is kept: what is published.
  std::vector<float> Published() const { return options_.average_decay > 0.0 ? average_.Values() : parameters_; }

  void Put(CheckpointWriter& out) const;
  // Reads its fields and finishes the reader before it changes anything. Forgets the transform.
  // `most_updates`: gradient answers that the plan allows, retries that were not needed among them.
  Status Restore(CheckpointReader& in, std::uint64_t most_updates);

 private:
  Matrix CriticInput(std::span<const std::uint16_t> tokens) const;

  Shape shape_;
  Options options_;
  std::uint64_t seed_;
  Mlp critic_;
  tabular::TokenTransform transform_;
  std::unique_ptr<LatentRows> rows_;
  std::vector<float> parameters_;
  engine::Adam adam_;
  engine::MovingAverage average_;
};

// The parameters that the critic's training starts from: public randomness within the clamp.
std::vector<float> InitialCritic(const Shape& shape, const Options& options, std::uint64_t seed);
std::vector<float> InitialGenerator(const Shape& shape, std::uint64_t seed);

}  // namespace synod::wgan
