#include "common/privacy/plan_resolve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/privacy/epsilon.h"
#include "common/privacy/noise_arithmetic.h"

namespace synod {
namespace {

constexpr char kMakeFeasible[] =
    "use fewer steps, a larger epsilon or delta, more units with a smaller sampling rate, or smaller budget shares";

// An entry whose noise is still open: everything of a PlanEntry but V and the word size.
struct OpenEntry {
  PlanEntry entry;
  std::optional<double> share;
  double shared_multiplier = 0.0;  // z of an entry with a share
};

Result<OpenEntry> Open(const EntryRequest& request, const PlanFacts& facts) {
  const auto wrong = [&](const std::string& what, const std::string& hint = "") {
    return BadInput(fmt::format("plan entry \"{}\": {}", request.name, what), hint);
  };
  if (!(request.sampling_rate > 0 && request.sampling_rate <= 1)) return wrong("the sampling rate is not in (0, 1]");
  if (request.budget_share && !(*request.budget_share > 0 && *request.budget_share <= 1)) {
    return wrong("the budget share is not in (0, 1]");
  }
  if (request.budget_share && request.sampling_rate < 1) {
    return wrong("a sampled entry takes what the others leave", "give it no budget share");
  }
  OpenEntry open;
  PlanEntry& entry = open.entry;
  entry.name = request.name;
  entry.kind = request.kind;
  entry.count = request.count;
  entry.retries = request.retries.value_or(DefaultRetries(request.kind, request.count));
  entry.dimension = request.dimension;
  entry.sampling_rate = RealisedRate(request.sampling_rate);
  entry.parts = request.parts;
  entry.clip = ClipOfParts(request.parts);
  open.share = request.budget_share;
  const double batch = entry.sampling_rate * static_cast<double>(facts.units);
  if (batch < 1) {
    return wrong(fmt::format("the expected batch is {:.3g} units", batch), "raise the sampling rate or use more units");
  }
  if (!(entry.clip > 0) || !std::isfinite(entry.clip)) return wrong("its parts have no positive, finite weight");
  if (entry.dimension < 1 || entry.dimension > PlanEntry::kMaxDimension) return wrong("the dimension is out of range");
  if (entry.count < 1) return wrong("count must be at least 1");
  entry.grid_scale = ChooseGamma(entry.clip, entry.dimension, HonestShares(facts));
  entry.sensitivity = SensitivityOnGrid(entry.grid_scale, entry.clip, entry.dimension);
  return open;
}

// How many times one unit's sensitivity a subject can move a full-sample sum.
double SensitivityFactor(const PlanFacts& facts) {
  return facts.max_sites_per_subject * (facts.relation == Adjacency::kReplaceOne ? 2.0 : 1.0);
}

// The least number of 14 significant bits that is not below `multiplier`. Two machines whose mathematical libraries
// differ in the last bit of a logarithm must come to the same integer variances, or a site would refuse the plan of an
// honest coordinator: solved multipliers differ by far less than this step (0.006 % to 0.012 %).
double RoundedUpMultiplier(double multiplier) {
  int exponent = 0;
  const double fraction = std::frexp(multiplier, &exponent);
  constexpr int kBits = 14;
  return std::ldexp(std::ceil(std::ldexp(fraction, kBits)), exponent - kBits);
}

// The entries of one request, their noise a function of one scale.
class Resolver {
 public:
  Resolver(PlanFacts facts, std::vector<OpenEntry> entries)
      : facts_(std::move(facts)), entries_(std::move(entries)), shares_(HonestShares(facts_)) {
    double answers = 0;
    for (const OpenEntry& open : entries_) answers += static_cast<double>(open.entry.allowed());
    delta_ = AccountedDelta(facts_.delta, answers);
    anything_solved_ = std::any_of(entries_.begin(), entries_.end(), [](const OpenEntry& e) { return !e.share; });
  }

  Status SetShares() {
    double total = 0;
    const double mu = GaussianMu(facts_.epsilon_target, delta_);
    for (OpenEntry& open : entries_) {
      if (!open.share) continue;
      total += *open.share;
      const double mu_of_answer = mu * std::sqrt(*open.share / static_cast<double>(open.entry.allowed()));
      open.shared_multiplier = RoundedUpMultiplier(SensitivityFactor(facts_) / mu_of_answer);
    }
    if (total > 1 + 1e-9) return BadInput(fmt::format("the budget shares add up to {}, which is more than 1", total));
    if (anything_solved_ && total > 1 - 1e-9) {
      return BadInput("the budget shares leave nothing for the entries without a share",
                      "make the shares smaller so that they add up to less than 1");
    }
    return {};
  }

  // V of an entry at a scale: z itself for entries that are solved for. Without any, the scale multiplies the shares'.
  Result<std::uint64_t> Variance(const OpenEntry& open, double scale) const {
    const double z = !open.share ? scale : open.shared_multiplier * (anything_solved_ ? 1.0 : scale);
    return SiteVariance(z, open.entry.sensitivity, shares_);
  }

  PrivacyEvents Events(double scale) const {
    PrivacyEvents events;
    for (const OpenEntry& open : entries_) {
      PlanEntry entry = open.entry;
      // Beyond the grid: the largest noise there is. Whether it fits is decided on the solution.
      const Result<std::uint64_t> variance = Variance(open, scale);
      entry.site_variance = variance.ok() ? *variance : kMaxSiteVariance;
      events.push_back(entry.Event(shares_, entry.allowed()));
    }
    return events;
  }

  Result<double> Solve() const {
    Result<double> scale = CalibrateNoise([this](double z) { return Events(z); }, facts_.epsilon_target, delta_,
                                          facts_.relation, facts_.max_sites_per_subject);
    if (scale.ok()) return RoundedUpMultiplier(*scale);
    return BadInput(fmt::format("no noise meets epsilon = {} at delta = {}: {}", facts_.epsilon_target, facts_.delta,
                                scale.error().message),
                    kMakeFeasible);
  }

  Result<Plan> Finish(double scale) const {
    std::vector<PlanEntry> entries;
    for (const OpenEntry& open : entries_) {
      PlanEntry entry = open.entry;
      const auto within = [&](const Error& error) {
        return error.Within(fmt::format("plan entry \"{}\"", entry.name));
      };
      const Result<std::uint64_t> variance = Variance(open, scale);
      if (!variance.ok()) return within(variance.error());
      entry.site_variance = *variance;
      const double batch = BatchWithMargin(static_cast<double>(facts_.units), entry.sampling_rate);
      const Result<std::uint32_t> bits = ChooseWordBits(
          {entry.grid_scale, entry.clip, batch, entry.site_variance, static_cast<std::uint32_t>(facts_.roster.size())});
      if (!bits.ok()) return within(bits.error());
      entry.word_bits = *bits;
      entries.push_back(std::move(entry));
    }
    return Plan::Create(facts_, std::move(entries));
  }

 private:
  PlanFacts facts_;
  std::vector<OpenEntry> entries_;
  std::uint32_t shares_;
  double delta_ = 0.0;
  bool anything_solved_ = false;
};

}  // namespace

std::uint32_t DefaultRetries(QueryKind kind, std::uint32_t count) {
  return kind == QueryKind::kGradient ? std::max<std::uint32_t>(3, (count + 49) / 50) : 1;
}

Result<Plan> ResolvePlan(PlanRequest request) {
  std::sort(request.facts.roster.begin(), request.facts.roster.end(),
            [](const RosterSite& a, const RosterSite& b) { return a.id < b.id; });
  SYNOD_RETURN_IF_ERROR(CheckPlanFacts(request.facts));
  if (request.entries.empty()) return BadInput("a plan needs at least one entry");
  std::vector<OpenEntry> entries;
  for (const EntryRequest& entry : request.entries) {
    SYNOD_ASSIGN_OR_RETURN(OpenEntry open, Open(entry, request.facts));
    entries.push_back(std::move(open));
  }
  Resolver resolver(std::move(request.facts), std::move(entries));
  SYNOD_RETURN_IF_ERROR(resolver.SetShares());
  SYNOD_ASSIGN_OR_RETURN(const double scale, resolver.Solve());
  return resolver.Finish(scale);
}

}  // namespace synod
