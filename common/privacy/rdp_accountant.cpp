#include "common/privacy/rdp_accountant.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "common/core/check.h"

namespace synod {
namespace {

struct CountedPair {
  DominatingPair pair;
  double count;
};

Result<std::vector<CountedPair>> PairsOf(const PrivacyEvents& events, Adjacency adjacency, unsigned sites) {
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  std::vector<CountedPair> pairs;
  for (const PrivacyEvent& event : MergeEvents(events)) {
    SYNOD_ASSIGN_OR_RETURN(DominatingPair pair, DominatingPair::Of(event, adjacency, sites));
    pairs.push_back({std::move(pair), static_cast<double>(event.count)});
  }
  return pairs;
}

double ComposedRdp(const std::vector<CountedPair>& pairs, double order) {
  double sum = 0.0;
  for (const CountedPair& counted : pairs) sum += counted.count * StepRdp(counted.pair, order);
  return sum;
}

}  // namespace

Result<double> RdpAtOrder(const PrivacyEvents& events, double order, Adjacency adjacency, unsigned sites_per_subject) {
  if (!(order > 1.0 && order <= 1e6)) return BadInput("an RDP order must be in (1, 1e6]");
  SYNOD_ASSIGN_OR_RETURN(const std::vector<CountedPair> pairs, PairsOf(events, adjacency, sites_per_subject));
  return ComposedRdp(pairs, order);
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
  if (!(delta > 0.0 && delta < 1.0)) return BadInput("delta must be in (0, 1)");
  SYNOD_ASSIGN_OR_RETURN(const std::vector<CountedPair> pairs, PairsOf(events, adjacency, sites_per_subject));
  if (pairs.empty()) return RdpBound{};

  RdpBound best{std::numeric_limits<double>::infinity(), 0.0};
  const auto try_order = [&](double log_excess) {  // log_excess = log(order - 1)
    const double order = 1.0 + std::exp(log_excess);
    const double epsilon = EpsilonFromRdp(ComposedRdp(pairs, order), order, delta);
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
  return best;
}

}  // namespace synod
