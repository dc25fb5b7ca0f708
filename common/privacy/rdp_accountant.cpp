#include "common/privacy/rdp_accountant.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "common/core/check.h"
#include "common/privacy/mechanism_rdp.h"

namespace synod {
namespace {

struct CountedCurve {
  RdpCurve curve;
  double count;
};

Result<std::vector<CountedCurve>> CurvesOf(const MechanismUses& uses, Adjacency adjacency, unsigned sites) {
  SYNOD_RETURN_IF_ERROR(CheckUses(uses, adjacency, sites));
  std::vector<CountedCurve> curves;
  for (const MechanismUse& use : MergeUses(uses)) {
    SYNOD_ASSIGN_OR_RETURN(RdpCurve curve, RdpCurveOf(use.mechanism, adjacency, sites));
    curves.push_back({std::move(curve), static_cast<double>(use.count)});
  }
  return curves;
}

double ComposedRdp(const std::vector<CountedCurve>& curves, double order) {
  double sum = 0.0;
  for (const CountedCurve& counted : curves) sum += counted.count * counted.curve(order);
  return sum;
}

}  // namespace

Result<double> RdpAtOrder(const PrivacyEvents& events, double order, Adjacency adjacency, unsigned sites_per_subject) {
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  return RdpAtOrder(UsesOf(events), order, adjacency, sites_per_subject);
}

Result<double> RdpAtOrder(const MechanismUses& uses, double order, Adjacency adjacency, unsigned sites_per_subject) {
  if (!(order > 1.0 && order <= 1e6)) return BadInput("an RDP order must be in (1, 1e6]");
  SYNOD_ASSIGN_OR_RETURN(const std::vector<CountedCurve> curves, CurvesOf(uses, adjacency, sites_per_subject));
  return ComposedRdp(curves, order);
}

double EpsilonFromRdp(double rdp, double order, double delta) {
  SYNOD_CHECK(order > 1.0 && delta > 0.0 && delta < 1.0, "EpsilonFromRdp needs an order above 1 and 0 < delta < 1");
  // Total variation is at most sqrt(1 - e^-KL) (Bretagnolle and Huber), and KL is at most the RDP of any order.
  if (delta * delta + std::expm1(-rdp) > 0.0) return 0.0;
  const double epsilon = rdp + std::log1p(-1.0 / order) - (std::log(delta) + std::log(order)) / (order - 1.0);
  return epsilon > 0.0 ? epsilon : 0.0;
}

Result<RdpBound> RdpEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency,
                            unsigned sites_per_subject) {
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  return RdpEpsilon(UsesOf(events), delta, adjacency, sites_per_subject);
}

Result<RdpBound> RdpEpsilon(const MechanismUses& uses, double delta, Adjacency adjacency, unsigned sites_per_subject) {
  if (!(delta > 0.0 && delta < 1.0)) return BadInput("delta must be in (0, 1)");
  SYNOD_ASSIGN_OR_RETURN(const std::vector<CountedCurve> curves, CurvesOf(uses, adjacency, sites_per_subject));
  if (curves.empty()) return RdpBound{};
  RdpBound best{std::numeric_limits<double>::infinity(), 0.0};
  const double delta_left = DeltaLeft(uses, delta);
  if (!(delta_left > 0.0)) return best;

  const auto try_order = [&](double log_excess) {  // log_excess = log(order - 1)
    const double order = 1.0 + std::exp(log_excess);
    const double epsilon = EpsilonFromRdp(ComposedRdp(curves, order), order, delta_left);
    if (epsilon < best.epsilon) best = {epsilon, order};
    return epsilon;
  };
  // Every order gives a valid bound: a coarse grid finds the neighbourhood, golden section the optimum in it.
  constexpr double kLow = -5.298317366548036;  // order 1.005
  constexpr double kHigh = 9.704060527839234;  // order 16384
  constexpr double kStep = (kHigh - kLow) / 48.0;
  for (int i = 0; i <= 48; ++i) {
    const double epsilon = try_order(kLow + i * kStep);
    if (epsilon > 3.0 * best.epsilon + 1.0) break;  // far beyond the optimum: higher orders only cost more
  }
  if (best.order == 0.0) return best;  // no order has a finite bound
  constexpr double kGolden = 0.6180339887498949;
  double low = std::log(best.order - 1.0) - kStep;
  double high = low + 2.0 * kStep;
  double left = high - kGolden * (high - low);
  double right = low + kGolden * (high - low);
  double at_left = try_order(left);
  double at_right = try_order(right);
  for (int i = 0; i < 24 && best.epsilon > 0.0; ++i) {
    if (at_left <= at_right) {
      high = std::exchange(right, left);
      at_right = at_left;
      at_left = try_order(left = high - kGolden * (high - low));
    } else {
      low = std::exchange(left, right);
      at_left = at_right;
      at_right = try_order(right = low + kGolden * (high - low));
    }
  }
  // Some curves are known at whole orders only, and have their optimum there.
  const double whole = std::floor(best.order);
  for (double order = std::max(2.0, whole - 1.0); order <= whole + 2.0; order += 1.0) try_order(std::log(order - 1.0));
  return best;
}

}  // namespace synod
