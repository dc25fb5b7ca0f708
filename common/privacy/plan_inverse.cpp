#include "common/privacy/plan_inverse.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <utility>

#include "common/core/check.h"
#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// A question as the search for the smallest whole number at which the noise is small enough. Steps count downwards from
// the most that a plan may have.
class Search {
 public:
  static Result<Search> Of(const PlanRequest& request, PlanQuestion question) {
    Search search(request, question);
    if (question == PlanQuestion::kEpsilon) {
      search.high_ = static_cast<std::int64_t>(Plan::kMaxEpsilon / kStatedStep);
      search.start_ = std::llround(std::ceil(request.facts.epsilon_target / kStatedStep));
    } else if (question == PlanQuestion::kUnits) {
      double batch = 1.0;
      for (const EntryRequest& entry : request.entries) {
        if (entry.sampling_rate < 1.0) batch = std::max(batch, search.Batch(entry));
      }
      search.low_ = static_cast<std::int64_t>(std::floor(batch)) + 1;  // a rate below 1 stays below it
      const double most = std::min(0x1p48, 1.0 / request.facts.delta);
      search.high_ = static_cast<std::int64_t>(std::floor(most));
      search.start_ = static_cast<std::int64_t>(request.facts.units);
    } else {
      const auto gradients = std::count_if(request.entries.begin(), request.entries.end(), IsGradient);
      if (gradients != 1) {
        return BadInput(fmt::format("the run has {} gradient queries: steps can be solved for one", gradients));
      }
      const auto entry = std::find_if(request.entries.begin(), request.entries.end(), IsGradient);
      search.high_ = PlanEntry::kMaxCount;
      search.start_ = search.high_ + 1 - static_cast<std::int64_t>(entry->count);
    }
    search.start_ = std::clamp(search.start_, search.low_, search.high_);
    return search;
  }

  double Value(std::int64_t n) const {
    if (question_ == PlanQuestion::kEpsilon) return static_cast<double>(n) * kStatedStep;
    return static_cast<double>(question_ == PlanQuestion::kSteps ? high_ + 1 - n : n);
  }

  Result<Plan> Resolve(std::int64_t n) const {
    PlanRequest request = request_;
    switch (question_) {
      case PlanQuestion::kEpsilon:
        request.facts.epsilon_target = Value(n);
        break;
      case PlanQuestion::kUnits:
        request.facts.units = static_cast<std::uint64_t>(n);
        for (EntryRequest& entry : request.entries) {
          if (entry.sampling_rate < 1.0) entry.sampling_rate = std::min(1.0, Batch(entry) / static_cast<double>(n));
        }
        break;
      case PlanQuestion::kSteps:
        std::find_if(request.entries.begin(), request.entries.end(), IsGradient)->count =
            static_cast<std::uint32_t>(Value(n));
        break;
    }
    return ResolvePlan(std::move(request));
  }

  // Infinite where no plan can be resolved; the reason is kept.
  double Noise(std::int64_t n) {
    const auto known = noise_.find(n);
    if (known != noise_.end()) return known->second;
    const Result<Plan> plan = Resolve(n);
    if (!plan.ok()) last_error_ = plan.error();
    return noise_[n] = plan.ok() ? NoiseNeeded(request_, *plan) : kInfinity;
  }

  // The place between low (too much noise) and high (little enough) where a power law through both meets the target.
  std::int64_t Between(std::int64_t low, std::int64_t high, double target, bool halve) {
    const std::int64_t middle = low + (high - low) / 2;
    const double above = Noise(low);
    const double below = Noise(high);
    if (halve || !std::isfinite(above) || !(above > below)) return middle;
    const double part = std::log(above / target) / std::log(above / below);
    const double from = std::log(Value(low));
    const double value = std::exp(from + part * (std::log(Value(high)) - from));
    const double scale = question_ == PlanQuestion::kEpsilon ? 1.0 / kStatedStep : 1.0;
    auto n = static_cast<std::int64_t>(std::round(value * scale));
    if (question_ == PlanQuestion::kSteps) n = high_ + 1 - n;
    return std::clamp(n, low + 1, high - 1);
  }

  // Distance from the far end of the scale, to widen a bracket by factors of the value asked for.
  std::int64_t Wider(std::int64_t n, double factor) const {
    const double value = std::clamp(Value(n) * factor, 0.0, 1e15);
    if (question_ == PlanQuestion::kEpsilon)
      return std::clamp(static_cast<std::int64_t>(std::round(value / kStatedStep)), low_, high_);
    auto next = static_cast<std::int64_t>(std::round(value));
    if (question_ == PlanQuestion::kSteps) next = high_ + 1 - next;
    return std::clamp(next, low_, high_);
  }

  std::int64_t low() const { return low_; }
  std::int64_t high() const { return high_; }
  std::int64_t start() const { return start_; }
  // By which factor the value changes towards less noise.
  double towards_less_noise() const { return question_ == PlanQuestion::kSteps ? 0.25 : 4.0; }
  const std::optional<Error>& last_error() const { return last_error_; }

 private:
  Search(const PlanRequest& request, PlanQuestion question) : request_(request), question_(question) {}
  static bool IsGradient(const EntryRequest& entry) { return entry.kind == QueryKind::kGradient; }
  double Batch(const EntryRequest& entry) const {
    return entry.sampling_rate * static_cast<double>(request_.facts.units);
  }

  PlanRequest request_;
  PlanQuestion question_;
  std::int64_t low_ = 1;
  std::int64_t high_ = 1;
  std::int64_t start_ = 1;
  std::map<std::int64_t, double> noise_;
  std::optional<Error> last_error_;
};

// The smallest n with little enough noise, and n - 1 has too much (or is below the range).
Result<std::int64_t> Smallest(Search* search, double target) {
  std::int64_t low = search->start();  // to become too much noise
  std::int64_t high = low;             // to become little enough
  const auto enough = [&](std::int64_t n) { return search->Noise(n) <= target; };
  if (enough(high)) {
    while (low > search->low() && enough(low)) {
      high = low;
      low = std::min(low - 1, search->Wider(low, 1.0 / search->towards_less_noise()));
    }
    if (enough(low)) return low;
  } else {
    while (high < search->high() && !enough(high)) {
      low = high;
      high = std::max(high + 1, search->Wider(high, search->towards_less_noise()));
    }
    if (!enough(high)) {
      return BadInput(
          fmt::format("nothing up to {:.10g} needs a noise multiplier of {:g} or less", search->Value(high), target),
          "ask for a larger noise multiplier, or change what is held fixed");
    }
  }
  for (int i = 0; high - low > 1; ++i) {
    const std::int64_t middle = search->Between(low, high, target, i % 3 == 2);
    (enough(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

std::string_view PlanQuestionName(PlanQuestion question) {
  switch (question) {
    case PlanQuestion::kEpsilon:
      return "epsilon";
    case PlanQuestion::kUnits:
      return "units";
    case PlanQuestion::kSteps:
      return "steps";
  }
  return "unknown";
}

double NoiseNeeded(const PlanRequest& request, const Plan& plan) {
  const bool any_solved = std::any_of(request.entries.begin(), request.entries.end(),
                                      [](const EntryRequest& entry) { return !entry.budget_share; });
  SYNOD_CHECK(request.entries.size() == plan.entries().size(), "a plan has an entry for each that was asked for");
  double noise = 0.0;
  for (std::size_t i = 0; i < plan.entries().size(); ++i) {
    if (any_solved && request.entries[i].budget_share) continue;
    noise = std::max(noise, plan.entries()[i].Event(plan.honest_shares(), 1).noise_multiplier);
  }
  return noise;
}

Result<PlanAnswer> SolvePlan(const PlanRequest& request, PlanQuestion question, double noise_multiplier) {
  if (!(noise_multiplier > 0.0 && std::isfinite(noise_multiplier))) {
    return BadInput("the noise multiplier must be a positive number");
  }
  SYNOD_RETURN_IF_ERROR(CheckPlanFacts([&request] {
    PlanFacts facts = request.facts;
    std::sort(facts.roster.begin(), facts.roster.end(),
              [](const RosterSite& a, const RosterSite& b) { return a.id < b.id; });
    return facts;
  }()));
  SYNOD_ASSIGN_OR_RETURN(Search search, Search::Of(request, question));
  const Result<std::int64_t> found = Smallest(&search, noise_multiplier);
  if (!found.ok()) {
    if (std::isfinite(search.Noise(search.start())) || !search.last_error()) return found.error();
    return *search.last_error();
  }
  SYNOD_ASSIGN_OR_RETURN(Plan plan, search.Resolve(*found));
  const double noise = NoiseNeeded(request, plan);
  PlanAnswer answer{search.Value(*found), std::move(plan), noise, std::nullopt, std::nullopt};
  if (*found > search.low()) {
    answer.beyond = search.Value(*found - 1);
    const double beyond = search.Noise(*found - 1);
    if (std::isfinite(beyond)) answer.beyond_noise_multiplier = beyond;
  }
  return answer;
}

}  // namespace synod
