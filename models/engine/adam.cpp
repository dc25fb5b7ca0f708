#include "models/engine/adam.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/core/check.h"

namespace synod::engine {

Adam::Adam(std::size_t parameters, const AdamOptions& options)
    : options_(options), first_(parameters, 0.0), second_(parameters, 0.0) {}

void Adam::Step(std::span<const double> gradient, double learning_rate, std::span<float> parameters,
                std::span<const std::uint8_t> kept) {
  SYNOD_CHECK(gradient.size() == first_.size() && parameters.size() == first_.size(), "one moment for each parameter");
  SYNOD_CHECK(kept.empty() || kept.size() == first_.size(), "whether each parameter is kept");
  if (!kept.empty() && own_steps_.empty()) own_steps_.assign(first_.size(), static_cast<double>(steps_));
  ++steps_;
  double t = static_cast<double>(steps_);
  double first_correction = 1.0 - std::pow(options_.beta1, t);
  double second_correction = 1.0 - std::pow(options_.beta2, t);
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    if (!kept.empty() && kept[i] == 0) continue;
    if (!own_steps_.empty() && (own_steps_[i] += 1.0) != t) {
      t = own_steps_[i];
      first_correction = 1.0 - std::pow(options_.beta1, t);
      second_correction = 1.0 - std::pow(options_.beta2, t);
    }
    first_[i] = options_.beta1 * first_[i] + (1.0 - options_.beta1) * gradient[i];
    second_[i] = options_.beta2 * second_[i] + (1.0 - options_.beta2) * gradient[i] * gradient[i];
    const double scale = std::sqrt(second_[i] / second_correction) + options_.epsilon;
    parameters[i] -= static_cast<float>(learning_rate * first_[i] / first_correction / scale);
  }
}

void Adam::Restore(std::uint64_t steps, std::vector<double> first, std::vector<double> second,
                   std::vector<double> own_steps) {
  SYNOD_CHECK(first.size() == first_.size() && second.size() == second_.size(), "one moment for each parameter");
  SYNOD_CHECK(own_steps.empty() || own_steps.size() == first_.size(), "the steps of each parameter");
  steps_ = steps;
  first_ = std::move(first);
  second_ = std::move(second);
  own_steps_ = std::move(own_steps);
}

MovingAverage::MovingAverage(std::span<const float> start, double decay)
    : decay_(decay), average_(start.begin(), start.end()) {}

void MovingAverage::Update(std::span<const float> parameters) {
  SYNOD_CHECK(parameters.size() == average_.size(), "one average for each parameter");
  const auto t = static_cast<double>(updates_++);
  const double decay = std::min(decay_, (1.0 + t) / (10.0 + t));
  for (std::size_t i = 0; i < average_.size(); ++i) {
    average_[i] = decay * average_[i] + (1.0 - decay) * static_cast<double>(parameters[i]);
  }
}

void MovingAverage::Restore(std::uint64_t updates, std::vector<double> averages) {
  SYNOD_CHECK(averages.size() == average_.size(), "one average for each parameter");
  updates_ = updates;
  average_ = std::move(averages);
}

std::vector<float> MovingAverage::Values() const {
  std::vector<float> values;
  values.reserve(average_.size());
  for (const double value : average_) values.push_back(static_cast<float>(value));
  return values;
}

}  // namespace synod::engine
