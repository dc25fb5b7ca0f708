// The questions that a plan answers backwards: what would it take that the answers need no more noise than this?
#pragma once

#include <optional>
#include <string_view>

#include "common/core/result.h"
#include "common/privacy/plan_resolve.h"

namespace synod {

enum class PlanQuestion {
  kEpsilon,  // the smallest target epsilon, a multiple of 0.001
  kUnits,    // the smallest number of units; expected batches stay, so that sampling rates fall
  kSteps,    // the most answers (count) of the gradient entry; default retries follow
};
std::string_view PlanQuestionName(PlanQuestion question);  // "epsilon", "units", "steps"

struct PlanAnswer {
  double value = 0.0;
  Plan plan;                    // resolved with it
  double noise_multiplier = 0;  // of `plan`: see NoiseNeeded
  // The next smaller epsilon or number of units, or the next larger number of steps, with which the noise would be too
  // large, and what it would be; nothing where the answer is the end of the range that a plan may have.
  std::optional<double> beyond;
  std::optional<double> beyond_noise_multiplier;  // nothing where no noise at all would do
};

// The largest noise multiplier among the entries that a request solves for: those without a budget share, or all where
// every entry has one. It counts the noise against the coordinator, as the plan's epsilon does.
double NoiseNeeded(const PlanRequest& request, const Plan& plan);

// Everything that the question does not ask for is held as the request has it. The answer was resolved as the run would
// be, and so was what lies beyond it: the one needs at most `noise_multiplier`, the other more. (Noise is solved to
// within 0.1 % of epsilon; within that, neighbouring answers may hold just as well.)
//
// Fails where the request itself cannot be resolved, where no value in the range of plans will do, and for steps where
// the request has not exactly one gradient entry. Some twenty plans are resolved: seconds.
Result<PlanAnswer> SolvePlan(const PlanRequest& request, PlanQuestion question, double noise_multiplier);

}  // namespace synod
