// Reading a policy: strict, every key checked, so that a typing error never allows more than was meant.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "common/core/file.h"
#include "common/data/toml_section.h"
#include "site_agent/site_policy.h"

namespace synod {
namespace {

constexpr double kMaxEpsilon = Plan::kMaxEpsilon;

Result<std::vector<std::string>> RequiredNames(const TomlSection& section, std::string_view key) {
  if (!section.Has(key)) return section.ErrorAt(key, "is missing", "nothing is allowed that is not listed");
  SYNOD_ASSIGN_OR_RETURN(std::vector<std::string> names, section.Strings(key, {}));
  if (names.empty()) return section.ErrorAt(key, "lists nothing", "remove the [[allow]] to allow nothing");
  return names;
}

// "HH:MM", as minutes.
std::optional<int> ClockTime(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  for (const std::size_t i : {0, 1, 3, 4}) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
  }
  const int hour = (text[0] - '0') * 10 + (text[1] - '0');
  const int minute = (text[3] - '0') * 10 + (text[4] - '0');
  if (hour > 24 || minute > 59 || hour * 60 + minute > 24 * 60) return std::nullopt;
  return hour * 60 + minute;
}

Result<std::optional<Hours>> ReadHours(const TomlSection& section) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, section.Text("hours", ""));
  if (!section.Has("hours")) return std::optional<Hours>{};
  const std::string_view view = text;
  if (view.size() == 11 && view[5] == '-') {
    const std::optional<int> begin = ClockTime(view.substr(0, 5));
    const std::optional<int> end = ClockTime(view.substr(6));
    if (begin && end && *begin != *end) return std::optional<Hours>(Hours{*begin, *end});
  }
  return section.ErrorAt("hours", "must be two different times of day", "for example hours = \"20:00-06:00\"");
}

Status ReadLimits(const TomlSection& section, AllowRule& rule) {
  SYNOD_ASSIGN_OR_RETURN(rule.max_epsilon, section.RequiredReal("max_epsilon", 0.0, kMaxEpsilon));
  SYNOD_ASSIGN_OR_RETURN(rule.max_own_share_epsilon,
                         section.Real("max_own_share_epsilon", rule.max_epsilon, 0.0, kMaxEpsilon));
  SYNOD_ASSIGN_OR_RETURN(rule.max_delta, section.RequiredReal("max_delta", 0.0, 1.0));
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t parameters, section.Integer("max_parameters", 0, 0, std::int64_t{1} << 40));
  rule.max_parameters = static_cast<std::uint64_t>(parameters);
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t peers,
                         section.Integer("min_known_peers", 0, 0, static_cast<std::int64_t>(Plan::kMaxSites)));
  rule.min_known_peers = static_cast<std::uint32_t>(peers);
  SYNOD_ASSIGN_OR_RETURN(const std::int64_t units, section.Integer("min_units", 0, 0, std::int64_t{1} << 50));
  rule.min_units = static_cast<std::uint64_t>(units);
  return {};
}

Status ReadAggregation(const TomlSection& section, AllowRule& rule) {
  if (!section.Has("aggregation")) return {};
  SYNOD_ASSIGN_OR_RETURN(rule.aggregation, RequiredNames(section, "aggregation"));
  for (const std::string& name : rule.aggregation) {
    if (name != "secure" && name != "none") {
      return section.ErrorAt("aggregation", "may list \"secure\" and \"none\" alone");
    }
  }
  return {};
}

Result<AllowRule> ReadAllow(const TomlSection& section) {
  static const std::vector<std::string_view> kUnits = {"record", "subject"};
  static const std::vector<std::string_view> kApprovals = {"person", "automatic"};
  AllowRule rule;
  SYNOD_ASSIGN_OR_RETURN(rule.dataset, section.RequiredText("dataset"));
  SYNOD_ASSIGN_OR_RETURN(rule.families, RequiredNames(section, "families"));
  SYNOD_ASSIGN_OR_RETURN(rule.columns, RequiredNames(section, "columns"));
  std::sort(rule.columns.begin(), rule.columns.end());
  if (std::adjacent_find(rule.columns.begin(), rule.columns.end()) != rule.columns.end()) {
    return section.ErrorAt("columns", "lists a column twice");
  }
  for (const auto& [key, names] : {std::pair("coordinators", &rule.coordinators), {"operators", &rule.operators}}) {
    if (!section.Has(key)) continue;  // those of the consortium
    SYNOD_ASSIGN_OR_RETURN(*names, RequiredNames(section, key));
  }
  SYNOD_RETURN_IF_ERROR(ReadAggregation(section, rule));
  SYNOD_RETURN_IF_ERROR(ReadLimits(section, rule));
  SYNOD_ASSIGN_OR_RETURN(const std::size_t unit, section.Choice("unit", 0, kUnits));
  rule.unit = unit == 0 ? PrivacyUnit::kRecord : PrivacyUnit::kSubject;
  SYNOD_ASSIGN_OR_RETURN(rule.hours, ReadHours(section));
  SYNOD_ASSIGN_OR_RETURN(const std::size_t approval, section.Choice("approval", 0, kApprovals));
  rule.automatic = approval == 1;
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return rule;
}

Result<LifetimeRule> ReadLifetime(const TomlSection& section, bool of_one_dataset) {
  LifetimeRule rule;
  if (of_one_dataset) {
    SYNOD_ASSIGN_OR_RETURN(rule.dataset, section.RequiredText("dataset"));
  }
  SYNOD_ASSIGN_OR_RETURN(rule.epsilon, section.RequiredReal("epsilon", 1e-6, kMaxEpsilon));
  SYNOD_ASSIGN_OR_RETURN(rule.delta, section.RequiredReal("delta", Plan::kMinDelta, 0.5));
  SYNOD_RETURN_IF_ERROR(section.Finish());
  return rule;
}

// [lifetime], or [[lifetime]] one for each data set.
Result<std::vector<LifetimeRule>> ReadLifetimes(const TomlSection& root) {
  std::vector<LifetimeRule> rules;
  if (!root.Has("lifetime")) return rules;
  if (const Result<TomlSection> one = root.Section("lifetime"); one.ok()) {
    SYNOD_ASSIGN_OR_RETURN(LifetimeRule rule, ReadLifetime(*one, one->Has("dataset")));
    rules.push_back(std::move(rule));
    return rules;
  }
  SYNOD_ASSIGN_OR_RETURN(const std::vector<TomlSection> sections, root.Sections("lifetime"));
  std::set<std::string> names;
  for (const TomlSection& section : sections) {
    SYNOD_ASSIGN_OR_RETURN(LifetimeRule rule, ReadLifetime(section, true));
    if (!names.insert(rule.dataset).second) return section.ErrorAt("dataset", "has a life-time budget already");
    rules.push_back(std::move(rule));
  }
  return rules;
}

}  // namespace

Result<SitePolicy> SitePolicy::FromToml(std::string_view text, const std::string& file) {
  SYNOD_ASSIGN_OR_RETURN(const TomlSection root, TomlSection::Parse(text, file));
  SitePolicy policy;
  SYNOD_ASSIGN_OR_RETURN(policy.lifetime_, ReadLifetimes(root));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<TomlSection> sections, root.Sections("allow"));
  if (sections.size() > kMaxRules) return root.ErrorAt("allow", fmt::format("at most {} rules are kept", kMaxRules));
  for (const TomlSection& section : sections) {
    SYNOD_ASSIGN_OR_RETURN(AllowRule rule, ReadAllow(section));
    for (const AllowRule& other : policy.allow_) {
      if (other.dataset == rule.dataset && other.unit != rule.unit) {
        return section.ErrorAt("unit", "another rule of this data set has another unit",
                               "a data set has one privacy unit, in which its account is kept");
      }
    }
    policy.allow_.push_back(std::move(rule));
  }
  SYNOD_RETURN_IF_ERROR(root.Finish());
  return policy;
}

Result<SitePolicy> SitePolicy::FromKit(const std::string& kit) {
  const std::string path = kit + "/local/policy.toml";
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, TomlSection::kMaxFileBytes));
  return FromToml(text, path);
}

}  // namespace synod
