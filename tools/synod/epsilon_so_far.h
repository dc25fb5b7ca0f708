// Epsilon of what was answered so far, for progress: computed at most once a second, so that accounting does not slow
// down what it reports on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/core/clock.h"
#include "common/privacy/plan.h"

namespace synod {

class EpsilonSoFar {
 public:
  // Plan and clock must outlive it.
  EpsilonSoFar(const Plan& plan, const Clock& clock);
  // "epsilon 1.234 of 3"; `used`: answers of each entry.
  std::string Text(const std::vector<std::uint64_t>& used);

 private:
  const Plan& plan_;
  const Clock& clock_;
  std::string text_;
  double last_ = -1e9;
  std::vector<std::uint64_t> full_;  // what the plan allows: its figure is always the last one shown
};

}  // namespace synod
