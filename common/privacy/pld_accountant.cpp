#include "common/privacy/pld_accountant.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/core/check.h"
#include "common/privacy/dominating_pair.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/loss_source.h"
#include "common/privacy/mechanism_rdp.h"

namespace synod {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr int kMaxWidths = 8;
constexpr double kCutOfDelta = 1e-8;         // mass cut off each single loss, in all, relative to delta
constexpr double kOffsetFailOfDelta = 1e-3;  // failure probability of the offset bound, relative to delta
constexpr double kCloseLower = 0.998;        // of the upper bound
constexpr std::int64_t kCheapSize = std::int64_t{1} << 15;
constexpr double kClosedFormSlack = 1e-12;

struct CountedSource {
  std::unique_ptr<LossSource> source;
  std::uint64_t count;
};

struct Problem {
  std::vector<CountedSource> sources;  // one Gaussian at most for all full batches
  double gaussian_mu = 0.0;
  double uses = 0.0;
  bool symmetric = true;
  double largest_loss = 0.0;  // of the sum; infinite where it has no bound
  double delta = 0.0;
};

// The distance between the neighbours' sums in noise deviations, where the use is a Gaussian mechanism on all units.
std::optional<double> FullBatchDistance(const Mechanism& mechanism, Adjacency adjacency, unsigned sites) {
  const auto* gaussian = std::get_if<GaussianMechanism>(&mechanism);
  if (gaussian == nullptr || gaussian->sampling_rate < 1.0) return std::nullopt;
  return (adjacency == Adjacency::kReplaceOne ? 2.0 : static_cast<double>(sites)) / gaussian->noise_multiplier;
}

// Full-batch events compose to one Gaussian: their squared distances add up.
Result<Problem> Describe(const MechanismUses& uses, double delta, Adjacency adjacency, unsigned sites) {
  Problem problem;
  problem.delta = delta;
  const MechanismUses merged = MergeUses(uses);
  double mu_squared = 0.0;
  for (const MechanismUse& use : merged) {
    if (const auto distance = FullBatchDistance(use.mechanism, adjacency, sites)) {
      SYNOD_RETURN_IF_ERROR(DominatingPair::Of({1.0, 1.0, 1}, adjacency, sites));  // supported at all
      mu_squared += static_cast<double>(use.count) * *distance * *distance;
    } else {
      problem.uses += static_cast<double>(use.count);
    }
  }
  problem.gaussian_mu = std::sqrt(mu_squared);
  if (problem.uses == 0.0) return problem;
  if (mu_squared > 0.0) problem.uses += 1.0;
  const double tail = delta * kCutOfDelta / problem.uses;
  for (const MechanismUse& use : merged) {
    if (FullBatchDistance(use.mechanism, adjacency, sites)) continue;
    SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<LossSource> source, LossSourceOf(use.mechanism, adjacency, sites, tail));
    problem.symmetric = problem.symmetric && source->symmetric();
    problem.largest_loss += static_cast<double>(use.count) * source->LargestLoss();
    problem.sources.push_back({std::move(source), use.count});
  }
  if (mu_squared > 0.0 || !(DeltaLeft(uses, delta) > 0.0)) problem.largest_loss = kInfinity;
  if (mu_squared > 0.0) problem.sources.push_back({PlainGaussianSource(problem.gaussian_mu, tail), 1});
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
  for (const CountedSource& counted : problem.sources) {
    SYNOD_ASSIGN_OR_RETURN(LossCells one, counted.source->Cells(width));
    cells.push_back(std::move(one));
  }
  return cells;
}

Result<LossComposition> Compose(const Problem& problem, const std::vector<LossCells>& cells, double width,
                                bool swapped) {
  std::vector<CountedPmf> losses;
  for (std::size_t j = 0; j < cells.size(); ++j) {
    losses.push_back({swapped ? cells[j].PessimisticSwapped() : cells[j].Pessimistic(), problem.sources[j].count});
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
    const auto count = static_cast<double>(problem.sources[j].count);
    OptimisticPmf optimistic = cells[j].Optimistic(problem.uses, deviations);
    offset += count * optimistic.offset;
    spread_squared += count * optimistic.spread * optimistic.spread;
    dropped += count * optimistic.dropped;
    losses.push_back({std::move(optimistic.pmf), problem.sources[j].count});
  }
  const Result<LossComposition> sum = LossComposition::Of(losses, width, problem.delta);
  if (!sum.ok()) return 0.0;
  const double delta = problem.delta * (1.0 + kOffsetFailOfDelta) + dropped;
  if (!(delta < 1.0)) return 0.0;
  const double lower = sum->EpsilonLower(delta) + offset - deviations * std::sqrt(spread_squared);
  // Offsets add up with a rounding error far below this.
  return std::max(0.0, lower - 1e-12 * problem.uses * width - 1e-14 * std::abs(offset));
}

// The lower bound is of first order in the width: finer than the upper bound needs, as far as that stays cheap.
double BestLowerBound(const Problem& problem, const std::vector<LossCells>& cells, const PldBounds& bounds) {
  double width = cells.front().width();
  double lower = LowerBound(problem, cells, width);
  for (std::int64_t size = 4 * bounds.size; size <= kCheapSize && lower < kCloseLower * bounds.upper; size *= 4) {
    width *= 0.25;
    const Result<std::vector<LossCells>> finer = CellsOf(problem, width);
    if (!finer.ok()) break;
    lower = std::max(lower, LowerBound(problem, *finer, width));
  }
  return lower;
}

// A width at which neither the cells nor the sum come near the memory bounds.
double FirstWidth(const Problem& problem, double over_deviation) {
  double variance = 0.0;
  double widest = 0.0;
  for (const CountedSource& counted : problem.sources) {
    variance += static_cast<double>(counted.count) * std::pow(counted.source->Deviation(), 2.0);
    widest = std::max(widest, counted.source->Range());
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

bool HasLossDistributions(const MechanismUses& uses) {
  const MechanismUses merged = MergeUses(uses);
  return std::all_of(merged.begin(), merged.end(),
                     [](const MechanismUse& use) { return HasLossDistribution(use.mechanism); });
}

Result<PldBounds> PldEpsilon(const PrivacyEvents& events, double delta, Adjacency adjacency, unsigned sites_per_subject,
                             const PldOptions& options) {
  SYNOD_RETURN_IF_ERROR(CheckEvents(events));
  return PldEpsilon(UsesOf(events), delta, adjacency, sites_per_subject, options);
}

Result<PldBounds> PldEpsilon(const MechanismUses& uses, double delta, Adjacency adjacency, unsigned sites_per_subject,
                             const PldOptions& options) {
  if (!(delta > 0.0 && delta < 1.0)) return BadInput("delta must be in (0, 1)");
  SYNOD_RETURN_IF_ERROR(CheckUses(uses, adjacency, sites_per_subject));
  SYNOD_ASSIGN_OR_RETURN(const Problem problem, Describe(uses, delta, adjacency, sites_per_subject));
  if (problem.sources.empty()) return ClosedForm(problem.gaussian_mu, delta);

  // Few outcomes sit anywhere between lattice points: a finer start, lest two bad widths look converged.
  const bool few_outcomes = std::isfinite(problem.largest_loss);
  double width = FirstWidth(problem, few_outcomes ? 0.1 * options.first_width : options.first_width);
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
  bounds.upper = std::min(bounds.upper, problem.largest_loss * (1.0 + kClosedFormSlack));
  if (options.with_lower) bounds.lower = std::min(bounds.upper, BestLowerBound(problem, cells, bounds));
  return bounds;
}

}  // namespace synod
