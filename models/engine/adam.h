// Adam (Kingma and Ba 2015) and an exponential moving average of the parameters, on flat vectors, at the coordinator.
// Post-processing of noisy sums: neither sees anything else.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace synod::engine {

struct AdamOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

class Adam {
 public:
  Adam(std::size_t parameters, const AdamOptions& options);

  // parameters -= learning_rate * m^ / (sqrt(v^) + epsilon) with bias-corrected moments. `kept`, where not empty: a
  // parameter with 0 is left as it is, its moments too, and its own steps alone count for their correction.
  void Step(std::span<const double> gradient, double learning_rate, std::span<float> parameters,
            std::span<const std::uint8_t> kept = {});

  std::uint64_t steps() const { return steps_; }
  // Mean and mean square of past gradients, for a checkpoint.
  std::span<const double> first_moments() const { return first_; }
  std::span<const double> second_moments() const { return second_; }
  // Steps of each parameter; empty as long as every step kept all of them.
  std::span<const double> own_steps() const { return own_steps_; }
  // Takes up where those were: one number for each parameter (our own duty); `own_steps` may be empty.
  void Restore(std::uint64_t steps, std::vector<double> first, std::vector<double> second,
               std::vector<double> own_steps = {});

 private:
  AdamOptions options_;
  std::uint64_t steps_ = 0;
  std::vector<double> first_;
  std::vector<double> second_;
  std::vector<double> own_steps_;
};

// average <- d average + (1 - d) parameters, with d = min(decay, (1 + t) / (10 + t)) so that the start is forgotten.
class MovingAverage {
 public:
  MovingAverage(std::span<const float> start, double decay);
  void Update(std::span<const float> parameters);
  std::vector<float> Values() const;

  std::uint64_t updates() const { return updates_; }
  std::span<const double> averages() const { return average_; }
  // Takes up where those were: one number for each parameter (our own duty).
  void Restore(std::uint64_t updates, std::vector<double> averages);

 private:
  double decay_;
  std::uint64_t updates_ = 0;
  std::vector<double> average_;
};

}  // namespace synod::engine
