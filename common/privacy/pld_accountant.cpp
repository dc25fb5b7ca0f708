#include "common/privacy/pld_accountant.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "common/core/check.h"
#include "common/privacy/dominating_pair.h"
#include "common/privacy/epsilon.h"

namespace synod {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMaxWidths = 8;
constexpr double kCutOfDelta = 1e-8;         // mass cut off each single loss, in all, relative to delta
constexpr double kOffsetFailOfDelta = 1e-3;  // failure probability of the offset bound, relative to delta
constexpr double kClosedFormSlack = 1e-12;

struct CountedPair {
  DominatingPair pair;
  std::uint64_t count;
};

struct Problem {
  std::vector<CountedPair> pairs;  // those with a sampling rate below 1, and at most one plain Gaussian for the others
  double gaussian_mu = 0.0;
  double uses = 0.0;
  bool symmetric = true;
  double delta = 0.0;
};

// Full-batch events compose to one Gaussian: their squared distances add up.
Result<Problem> Describe(const PrivacyEvents& events, double delta, Adjacency adjacency, unsigned sites) {
  Problem problem;
  problem.delta = delta;
  double mu_squared = 0.0;
  for (const PrivacyEvent& event : MergeEvents(events)) {
    SYNOD_ASSIGN_OR_RETURN(DominatingPair pair, DominatingPair::Of(event, adjacency, sites));
    if (event.sampling_rate >= 1.0) {
      const double distance = pair.max_shift() + pair.max_shift_q();
      mu_squared += static_cast<double>(event.count) * distance * distance;
      continue;
    }
    problem.symmetric = problem.symmetric && pair.symmetric();
    problem.uses += static_cast<double>(event.count);
    problem.pairs.push_back({std::move(pair), event.count});
  }
  problem.gaussian_mu = std::sqrt(mu_squared);
  if (mu_squared > 0.0 && !problem.pairs.empty()) {
    problem.pairs.push_back({DominatingPair::PlainGaussian(problem.gaussian_mu), 1});
    problem.uses += 1.0;
  }
  return problem;
}

PldBounds ClosedForm(double mu, double delta) {
  const double epsilon = mu > 0.0 ? GaussianEpsilon(mu, delta) : 0.0;
  PldBounds bounds;
  bounds.exact = true;
  bounds.upper = epsilon * (1.0 + kClosedFormSlack);
  bounds.lower = epsilon * (1.0 - kClosedFormSlack);
  return bounds;
}

Result<std::vector<LossCells>> CellsOf(const Problem& problem, double width) {
  std::vector<LossCells> cells;
  for (const CountedPair& counted : problem.pairs) {
    SYNOD_ASSIGN_OR_RETURN(LossCells one,
                           LossCells::Of(counted.pair, width, problem.delta * kCutOfDelta / problem.uses));
    cells.push_back(std::move(one));
  }
  return cells;
}

Result<LossComposition> Compose(const Problem& problem, const std::vector<LossCells>& cells, double width,
                                bool swapped) {
  std::vector<CountedPmf> losses;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    losses.push_back({swapped ? cells[j].PessimisticSwapped() : cells[j].Pessimistic(), problem.pairs[j].count});
  }
  return LossComposition::Of(losses, width, problem.delta);
}

// A certified lower bound of epsilon of REMOVE: see OptimisticPmf.
double LowerBound(const Problem& problem, const std::vector<LossCells>& cells, double width) {
  const double log_fail = std::log(1.0 / (problem.delta * kOffsetFailOfDelta));
  const double deviations = std::sqrt(0.5 * log_fail);
  std::vector<CountedPmf> losses;
  double offset = 0.0;
  double spread_squared = 0.0;
  double dropped = 0.0;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    const auto count = static_cast<double>(problem.pairs[j].count);
    OptimisticPmf optimistic = cells[j].Optimistic(problem.uses, deviations);
    offset += count * optimistic.offset;
    spread_squared += count * optimistic.spread * optimistic.spread;
    dropped += count * optimistic.dropped;
    losses.push_back({std::move(optimistic.pmf), problem.pairs[j].count});
  }
  const Result<LossComposition> sum = LossComposition::Of(losses, width, problem.delta);
  if (!sum.ok()) return 0.0;
  const double delta = problem.delta * (1.0 + kOffsetFailOfDelta) + dropped;
  if (!(delta < 1.0)) return 0.0;
  const double lower = sum->EpsilonLower(delta) + offset - deviations * std::sqrt(spread_squared);
  // Offsets add up with a rounding error far below this.
  return std::max(0.0, lower - 1e-12 * problem.uses * width - 1e-14 * std::abs(offset));
}

// A width at which neither the cells nor the sum come near the memory bounds.
double FirstWidth(const Problem& problem, double over_deviation) {
  double variance = 0.0;
  double widest = 0.0;
  const double reach = std::sqrt(2.0 * std::log(problem.uses / (problem.delta * kCutOfDelta)));
  for (const CountedPair& counted : problem.pairs) {
    variance += static_cast<double>(counted.count) * std::pow(LossDeviation(counted.pair), 2.0);
    const double range =
        counted.pair.Loss(reach + counted.pair.max_shift()) - counted.pair.Loss(-reach - counted.pair.max_shift_q());
    widest = std::max(widest, range);
  }
  const double comfortable = std::max(widest / static_cast<double>(kMaxLossCells / 8),
                                      60.0 * std::sqrt(variance) / static_cast<double>(LossComposition::kMaxSize / 4));
  return std::max(over_deviation * std::sqrt(variance / problem.uses), comfortable);
}

void Record(const LossComposition& sum, double width, bool remove, PldBounds* bounds) {
  bounds->remove_worst = remove;
  bounds->width = width;
  bounds->size = sum.size();
  bounds->theta = sum.theta();
  bounds->errors = sum.errors();
}

// Improves the upper bounds of both directions with this width. Fails when it is beyond the memory bound.
Status Refine(const Problem& problem, const std::vector<LossCells>& cells, double width, double* remove, double* add,
              PldBounds* bounds) {
  SYNOD_ASSIGN_OR_RETURN(const LossComposition removing, Compose(problem, cells, width, false));
  *remove = std::min(*remove, removing.EpsilonUpper(problem.delta));
  if (*remove >= *add || bounds->size == 0) Record(removing, width, true, bounds);
  if (problem.symmetric) {
    *add = *remove;
  } else if (*add > *remove) {  // unknown yet, or still the worse direction
    SYNOD_ASSIGN_OR_RETURN(const LossComposition adding, Compose(problem, cells, width, true));
    *add = std::min(*add, adding.EpsilonUpper(problem.delta));
    if (*add > *remove) Record(adding, width, false, bounds);
  }
  bounds->upper = std::max(*remove, *add);
  return {};
}

}  // namespace

Result<PldBounds> PldEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency, unsigned sites_per_subject,
                             const PldOptions& options) {
  if (!(delta > 0.0 && delta < 1.0)) return BadInput("delta must be in (0, 1)");
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  SYNOD_ASSIGN_OR_RETURN(const Problem problem, Describe(events, delta, adjacency, sites_per_subject));
  if (problem.pairs.empty()) return ClosedForm(problem.gaussian_mu, delta);

  double width = FirstWidth(problem, options.first_width);
  PldBounds bounds;
  double remove = kInfinity;
  double add = kInfinity;
  std::vector<LossCells> cells;
  for (int tries = 0; tries <= kMaxWidths; ++tries) {
    const double before = bounds.upper;
    Result<std::vector<LossCells>> finer = CellsOf(problem, width);
    const Status refined = finer.ok() ? Refine(problem, *finer, width, &remove, &add, &bounds) : Status(finer.error());
    if (!refined.ok()) {
      if (!cells.empty()) break;  // the memory bound is reached: the last width stands
      if (tries == kMaxWidths) return refined.error();
      width *= 4.0;  // a coarse bound is a bound
      continue;
    }
    const bool first = cells.empty();
    cells = std::move(finer).value();
    if (!first && before - bounds.upper <= options.relative_accuracy * bounds.upper) break;
    width *= 0.5;
  }
  if (options.with_lower) bounds.lower = std::min(bounds.upper, LowerBound(problem, cells, cells.front().width()));
  return bounds;
}

}  // namespace synod
