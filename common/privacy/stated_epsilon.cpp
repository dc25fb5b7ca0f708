#include "common/privacy/stated_epsilon.h"

#include <cmath>

#include "common/core/check.h"

namespace synod {
namespace {

constexpr double kStepsPerUnit = 1000.0;
constexpr double kMaxRounded = 1e9;  // from here on a number of this type has no room for the rounding

}  // namespace

double StatedUpper(double epsilon) {
  SYNOD_CHECK(std::isfinite(epsilon) && epsilon >= 0, "an epsilon that can be stated");
  if (epsilon >= kMaxRounded) return epsilon;
  double steps = std::ceil(epsilon * kStepsPerUnit);
  if (steps / kStepsPerUnit < epsilon) steps += 1;                       // the product rounded down
  if (steps >= 1 && (steps - 1) / kStepsPerUnit >= epsilon) steps -= 1;  // the product rounded up
  return steps / kStepsPerUnit;
}

double StatedLower(double epsilon) {
  SYNOD_CHECK(std::isfinite(epsilon) && epsilon >= 0, "an epsilon that can be stated");
  if (epsilon >= kMaxRounded) return epsilon;
  double steps = std::floor(epsilon * kStepsPerUnit);
  if (steps / kStepsPerUnit > epsilon) steps -= 1;
  if ((steps + 1) / kStepsPerUnit <= epsilon) steps += 1;
  return steps / kStepsPerUnit;
}

bool StatementHolds(double stated, double recomputed) {
  return recomputed <= stated && recomputed > 0.99 * stated - kStatedStep;
}

bool LowerStatementHolds(double stated, double recomputed) {
  return stated >= 0.0 && stated <= recomputed && stated > 0.99 * recomputed - kStatedStep;
}

}  // namespace synod
