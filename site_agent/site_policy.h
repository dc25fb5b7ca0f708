// What a site takes part in: KIT/local/policy.toml, default deny. An empty file refuses everything.
//
//   [lifetime]  epsilon, delta                     of every data set; or [[lifetime]] with dataset = "NAME" for each
//   [[allow]]   dataset, families, columns, max_epsilon, max_delta       (no defaults)
//               coordinators, operators            left out: those of the consortium
//               aggregation                        of "secure", "none"; left out: both
//               max_own_share_epsilon = max_epsilon
//               max_parameters = 0                 0: any number
//               min_known_peers = 0, unit = "record" | "subject", min_units = 0 (advice only)
//               hours = "20:00-06:00"              local time; a run is taken up within them alone
//               approval = "person" | "automatic"
//
// `columns` are all columns that a run reads (features, label, subject), in any order: one more or one less is refused.
// Epsilons are upper bounds that the site computed itself, for a subject at as many sites as the plan says.
//
// A judgement is a function of the plan and of public facts alone, never of rows: whether a site takes part says
// nothing about its records. Threads: immutable.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/result.h"
#include "common/privacy/plan.h"
#include "common/privacy/plan_readings.h"

namespace synod {

struct LifetimeRule {
  std::string dataset;  // empty: every data set without a rule of its own
  double epsilon = 0.0;
  double delta = 0.0;
  bool operator==(const LifetimeRule&) const = default;
};

// Minutes after local midnight; begin > end: over midnight.
struct Hours {
  int begin = 0;
  int end = 0;
  bool Contains(int minute_of_day) const;
  std::string Text() const;
  bool operator==(const Hours&) const = default;
};

struct AllowRule {
  std::string dataset;
  std::vector<std::string> families;
  std::vector<std::string> columns;  // ascending
  std::vector<std::string> operators;
  std::vector<std::string> coordinators;
  std::vector<std::string> aggregation;  // empty: any of a federation
  double max_epsilon = 0.0;
  double max_own_share_epsilon = 0.0;
  double max_delta = 0.0;
  std::uint64_t max_parameters = 0;
  std::uint32_t min_known_peers = 0;
  PrivacyUnit unit = PrivacyUnit::kRecord;
  std::uint64_t min_units = 0;
  std::optional<Hours> hours;
  bool automatic = false;
  bool operator==(const AllowRule&) const = default;
};

// What is judged. The epsilons are [reading][m - 1], in the order of kTrustReadings.
struct RunFacts {
  PlanFacts plan;
  std::string dataset;               // of the site, that serves the run's schema; empty: none
  std::vector<std::string> columns;  // that the run reads
  std::array<std::array<double, Plan::kMaxSitesPerSubject>, 3> epsilon{};
  std::uint64_t parameters = 0;
  std::uint32_t known_peers = 0;  // other sites of the roster that the manifest lists with their keys
  std::string coordinator;
  std::string submitter;  // as the coordinator says; empty: it does not say
};

struct Judgement {
  enum class Verdict : std::uint8_t { kAllowed, kNeedsPerson, kOutsideHours, kRefused };
  Verdict verdict = Verdict::kRefused;
  std::vector<std::string> failures;  // every rule that is not met, for the site's own eyes
  std::vector<std::string> advice;    // decides nothing
  std::size_t rule = 0;               // the [[allow]] that was met, from 1; 0: none
};
std::string_view VerdictName(Judgement::Verdict verdict);

class SitePolicy {
 public:
  static constexpr std::size_t kMaxRules = 256;

  // Refuses everything.
  SitePolicy() = default;
  static Result<SitePolicy> FromToml(std::string_view text, const std::string& file);
  // KIT/local/policy.toml.
  static Result<SitePolicy> FromKit(const std::string& kit);

  // The first [[allow]] whose rules are all met decides; one that asks no person goes before one that does.
  Judgement Judge(const RunFacts& facts, int minute_of_day) const;

  // The life-time budget that is stated for a data set, if one is.
  std::optional<LifetimeRule> Lifetime(std::string_view dataset) const;
  // The one unit that the rules of a data set name; record where there is no rule.
  PrivacyUnit UnitOf(std::string_view dataset) const;
  const std::vector<AllowRule>& allow() const { return allow_; }
  const std::vector<LifetimeRule>& lifetime() const { return lifetime_; }

 private:
  std::vector<LifetimeRule> lifetime_;
  std::vector<AllowRule> allow_;
};

}  // namespace synod
