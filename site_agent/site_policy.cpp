#include "site_agent/site_policy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/privacy/stated_epsilon.h"

namespace synod {
namespace {

bool Lists(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string Quoted(const std::vector<std::string>& names) {
  return names.empty() ? "nothing" : fmt::format("\"{}\"", fmt::join(names, "\", \""));
}

std::vector<std::string> Without(const std::vector<std::string>& names, const std::vector<std::string>& others) {
  std::vector<std::string> left;
  for (const std::string& name : names) {
    if (!Lists(others, name)) left.push_back(name);
  }
  return left;
}

void CheckColumns(const AllowRule& rule, const RunFacts& facts, std::vector<std::string>& failures) {
  const std::vector<std::string> more = Without(facts.columns, rule.columns);
  const std::vector<std::string> fewer = Without(rule.columns, facts.columns);
  if (!more.empty()) failures.push_back(fmt::format("columns: the run reads {}, which is not listed", Quoted(more)));
  if (!fewer.empty())
    failures.push_back(fmt::format("columns: the run does not read {}, which is listed", Quoted(fewer)));
}

// A value that no plan can have is shown as it is.
double Shown(double epsilon) {
  return std::isfinite(epsilon) && epsilon >= 0.0 ? StatedUpper(epsilon) : epsilon;
}

void CheckEpsilons(const AllowRule& rule, const RunFacts& facts, std::vector<std::string>& failures) {
  const std::uint32_t m = facts.plan.max_sites_per_subject;
  const bool countable = m >= 1 && m <= Plan::kMaxSitesPerSubject;
  const auto of = [&](TrustReading reading) {
    return countable ? facts.epsilon[static_cast<std::size_t>(reading)][m - 1] : HUGE_VAL;
  };
  const double coordinator = of(TrustReading::kCoordinator);
  const double own_share = of(TrustReading::kOwnShare);
  // Written so that a value that is no number fails.
  if (!(coordinator <= rule.max_epsilon)) {
    failures.push_back(
        fmt::format("max_epsilon: the run costs {:.3f}, {} is allowed", Shown(coordinator), rule.max_epsilon));
  }
  if (!(own_share <= rule.max_own_share_epsilon)) {
    failures.push_back(
        fmt::format("max_own_share_epsilon: behind the site's own noise alone the run costs {:.3f}, {} "
                    "is allowed",
                    Shown(own_share), rule.max_own_share_epsilon));
  }
  if (!(facts.plan.delta <= rule.max_delta)) {
    failures.push_back(
        fmt::format("max_delta: the run's delta is {}, {} is allowed", facts.plan.delta, rule.max_delta));
  }
}

void CheckWho(const AllowRule& rule, const RunFacts& facts, std::vector<std::string>& failures) {
  if (!rule.coordinators.empty() && !Lists(rule.coordinators, facts.coordinator)) {
    failures.push_back(fmt::format("coordinators: \"{}\" is not listed", facts.coordinator));
  }
  if (!rule.operators.empty() && !Lists(rule.operators, facts.submitter)) {
    failures.push_back(facts.submitter.empty()
                           ? "operators: the coordinator does not say who submitted the run"
                           : fmt::format("operators: \"{}\", who submitted the run, is not listed", facts.submitter));
  }
  if (facts.known_peers < rule.min_known_peers) {
    failures.push_back(fmt::format("min_known_peers: {} other known sites take part, {} are wanted", facts.known_peers,
                                   rule.min_known_peers));
  }
}

std::vector<std::string> FailuresOf(const AllowRule& rule, const RunFacts& facts) {
  std::vector<std::string> failures;
  if (!Lists(rule.families, facts.plan.model_family)) {
    failures.push_back(fmt::format("families: \"{}\" is not listed", facts.plan.model_family));
  }
  const std::string_view aggregation = AggregationName(facts.plan.aggregation);
  if (!rule.aggregation.empty() && !Lists(rule.aggregation, aggregation)) {
    failures.push_back(fmt::format("aggregation: \"{}\" is not listed", aggregation));
  }
  CheckColumns(rule, facts, failures);
  CheckWho(rule, facts, failures);
  CheckEpsilons(rule, facts, failures);
  if (rule.max_parameters != 0 && facts.parameters > rule.max_parameters) {
    failures.push_back(
        fmt::format("max_parameters: the model has {}, {} are allowed", facts.parameters, rule.max_parameters));
  }
  if (facts.plan.unit != rule.unit) {
    failures.push_back(fmt::format("unit: the run protects a {}, a {} is wanted", PrivacyUnitName(facts.plan.unit),
                                   PrivacyUnitName(rule.unit)));
  }
  // What the data set's account over its life is kept in.
  if (facts.plan.relation != Adjacency::kAddRemove) {
    failures.push_back(fmt::format("relation: the run's is {}, {} is kept here", AdjacencyName(facts.plan.relation),
                                   AdjacencyName(Adjacency::kAddRemove)));
  }
  return failures;
}

}  // namespace

bool Hours::Contains(int minute_of_day) const {
  if (begin <= end) return minute_of_day >= begin && minute_of_day < end;
  return minute_of_day >= begin || minute_of_day < end;
}

std::string Hours::Text() const {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", begin / 60, begin % 60, end / 60, end % 60);
}

std::string_view VerdictName(Judgement::Verdict verdict) {
  switch (verdict) {
    case Judgement::Verdict::kAllowed:
      return "allowed";
    case Judgement::Verdict::kNeedsPerson:
      return "needs a person";
    case Judgement::Verdict::kOutsideHours:
      return "outside hours";
    case Judgement::Verdict::kRefused:
      return "refused";
  }
  return "unknown";
}

Judgement SitePolicy::Judge(const RunFacts& facts, int minute_of_day) const {
  Judgement judgement;
  if (facts.dataset.empty()) {
    judgement.failures.push_back("dataset: no data set of this site serves the run's schema");
    return judgement;
  }
  const AllowRule* met = nullptr;
  for (std::size_t i = 0; i < allow_.size(); ++i) {
    if (allow_[i].dataset != facts.dataset) continue;
    const std::vector<std::string> failures = FailuresOf(allow_[i], facts);
    for (const std::string& failure : failures)
      judgement.failures.push_back(fmt::format("allow[{}] {}", i + 1, failure));
    if (!failures.empty() || (met != nullptr && (met->automatic || !allow_[i].automatic))) continue;
    met = &allow_[i];
    judgement.rule = i + 1;
  }
  if (met == nullptr) {
    if (judgement.failures.empty()) {
      judgement.failures.push_back(fmt::format("allow: no rule is for data set \"{}\"", facts.dataset));
    }
    return judgement;
  }
  judgement.failures.clear();
  if (facts.plan.units < met->min_units) {
    judgement.advice.push_back(fmt::format("min_units: the plan states {} units over all sites, {} are advised",
                                           facts.plan.units, met->min_units));
  }
  const bool in_hours = !met->hours || met->hours->Contains(minute_of_day);
  if (!in_hours) judgement.advice.push_back(fmt::format("hours: runs are taken up within {}", met->hours->Text()));
  judgement.verdict = !met->automatic ? Judgement::Verdict::kNeedsPerson
                      : in_hours      ? Judgement::Verdict::kAllowed
                                      : Judgement::Verdict::kOutsideHours;
  return judgement;
}

std::optional<LifetimeRule> SitePolicy::Lifetime(std::string_view dataset) const {
  const LifetimeRule* general = nullptr;
  for (const LifetimeRule& rule : lifetime_) {
    if (rule.dataset == dataset) return rule;
    if (rule.dataset.empty()) general = &rule;
  }
  if (general == nullptr) return std::nullopt;
  return *general;
}

PrivacyUnit SitePolicy::UnitOf(std::string_view dataset) const {
  for (const AllowRule& rule : allow_) {
    if (rule.dataset == dataset) return rule.unit;
  }
  return PrivacyUnit::kRecord;
}

}  // namespace synod
