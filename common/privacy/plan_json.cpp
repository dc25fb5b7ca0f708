// Plan to JSON and back, and the names in it.
#include <fmt/format.h>

#include "common/core/check.h"
#include "common/core/hex.h"
#include "common/privacy/plan.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

template <typename T, std::size_t kSize>
Result<T> FromName(std::string_view name, const T (&all)[kSize], std::string_view (*name_of)(T), const char* what) {
  for (const T value : all) {
    if (name_of(value) == name) return value;
  }
  return BadInput(fmt::format("plan: not a known {}", what));
}

Result<std::vector<RosterSite>> RosterFromJson(const StrictObject& plan) {
  SYNOD_ASSIGN_OR_RETURN(const Json* list, plan.Array("roster", Plan::kMaxSites));
  std::vector<RosterSite> roster;
  for (const Json& item : *list) {
    SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                           StrictObject::Of(item, "plan: roster", {"id", "key_fingerprint"}));
    RosterSite site;
    SYNOD_ASSIGN_OR_RETURN(site.id, fields.PlainName("id"));
    SYNOD_ASSIGN_OR_RETURN(site.key_fingerprint, fields.Hash("key_fingerprint"));
    roster.push_back(std::move(site));
  }
  return roster;
}

Status TrustFromJson(const StrictObject& fields, PlanFacts& facts) {
  constexpr std::uint32_t kMost = Plan::kMaxSites;
  SYNOD_ASSIGN_OR_RETURN(facts.roster, RosterFromJson(fields));
  SYNOD_ASSIGN_OR_RETURN(facts.threshold, fields.Unsigned32("threshold", 1, kMost));
  SYNOD_ASSIGN_OR_RETURN(facts.max_colluding, fields.Unsigned32("max_colluding", 0, kMost));
  SYNOD_ASSIGN_OR_RETURN(facts.quorum, fields.Unsigned32("quorum", 1, kMost));
  SYNOD_ASSIGN_OR_RETURN(const std::string aggregation, fields.Text("aggregation", 32));
  SYNOD_ASSIGN_OR_RETURN(facts.aggregation, AggregationFromName(aggregation));
  return {};
}

Status GuaranteeFromJson(const StrictObject& fields, PlanFacts& facts) {
  SYNOD_ASSIGN_OR_RETURN(const std::string relation, fields.Text("relation", 32));
  SYNOD_ASSIGN_OR_RETURN(facts.relation, AdjacencyFromName(relation));
  SYNOD_ASSIGN_OR_RETURN(const std::string unit, fields.Text("unit", 32));
  SYNOD_ASSIGN_OR_RETURN(facts.unit, PrivacyUnitFromName(unit));
  SYNOD_ASSIGN_OR_RETURN(facts.max_sites_per_subject,
                         fields.Unsigned32("max_sites_per_subject", 1, Plan::kMaxSitesPerSubject));
  SYNOD_ASSIGN_OR_RETURN(facts.delta, fields.Real("delta"));
  SYNOD_ASSIGN_OR_RETURN(facts.epsilon_target, fields.Real("epsilon_target"));
  SYNOD_ASSIGN_OR_RETURN(facts.units, fields.Unsigned("units", 1, std::uint64_t{1} << 48));
  return {};
}

Status ModelFromJson(const StrictObject& fields, PlanFacts& facts) {
  SYNOD_ASSIGN_OR_RETURN(facts.name, fields.PlainName("name"));
  SYNOD_ASSIGN_OR_RETURN(facts.schema_hash, fields.Hash("schema_hash"));
  SYNOD_ASSIGN_OR_RETURN(facts.model_family, fields.PlainName("model_family"));
  SYNOD_ASSIGN_OR_RETURN(facts.model_hash, fields.Hash("model_hash"));
  SYNOD_ASSIGN_OR_RETURN(facts.layout_hash, fields.Hash("layout_hash"));
  SYNOD_ASSIGN_OR_RETURN(facts.slot_seconds, fields.Real("slot_seconds"));
  return {};
}

}  // namespace

std::string_view AggregationName(Aggregation aggregation) {
  switch (aggregation) {
    case Aggregation::kCurator:
      return "curator";
    case Aggregation::kNone:
      return "none";
    case Aggregation::kSecure:
      return "secure";
  }
  SYNOD_CHECK(false, "an aggregation without a name");
  return "";
}

std::string_view PrivacyUnitName(PrivacyUnit unit) {
  return unit == PrivacyUnit::kRecord ? "record" : "subject";
}

Result<Adjacency> AdjacencyFromName(std::string_view name) {
  static constexpr Adjacency kAll[] = {Adjacency::kAddRemove, Adjacency::kZeroOut, Adjacency::kReplaceOne};
  return FromName(name, kAll, AdjacencyName, "relation");
}

Result<Aggregation> AggregationFromName(std::string_view name) {
  static constexpr Aggregation kAll[] = {Aggregation::kCurator, Aggregation::kNone, Aggregation::kSecure};
  return FromName(name, kAll, AggregationName, "aggregation");
}

Result<PrivacyUnit> PrivacyUnitFromName(std::string_view name) {
  static constexpr PrivacyUnit kAll[] = {PrivacyUnit::kRecord, PrivacyUnit::kSubject};
  return FromName(name, kAll, PrivacyUnitName, "privacy unit");
}

Json Plan::ToJson() const {
  Json roster = Json::array();
  for (const RosterSite& site : facts_.roster) {
    roster.push_back({{"id", site.id}, {"key_fingerprint", ToHex(site.key_fingerprint)}});
  }
  Json entries = Json::array();
  for (const PlanEntry& entry : entries_) entries.push_back(entry.ToJson());
  return {{"name", facts_.name},
          {"roster", roster},
          {"threshold", facts_.threshold},
          {"max_colluding", facts_.max_colluding},
          {"quorum", facts_.quorum},
          {"relation", AdjacencyName(facts_.relation)},
          {"unit", PrivacyUnitName(facts_.unit)},
          {"max_sites_per_subject", facts_.max_sites_per_subject},
          {"schema_hash", ToHex(facts_.schema_hash)},
          {"delta", facts_.delta},
          {"epsilon_target", facts_.epsilon_target},
          {"units", facts_.units},
          {"model_family", facts_.model_family},
          {"model_hash", ToHex(facts_.model_hash)},
          {"layout_hash", ToHex(facts_.layout_hash)},
          {"aggregation", AggregationName(facts_.aggregation)},
          {"slot_seconds", facts_.slot_seconds},
          {"entries", entries}};
}

Result<Plan> Plan::FromJson(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(
      const StrictObject fields,
      StrictObject::Of(json, "plan",
                       {"name", "roster", "threshold", "max_colluding", "quorum", "relation", "unit",
                        "max_sites_per_subject", "schema_hash", "delta", "epsilon_target", "units", "model_family",
                        "model_hash", "layout_hash", "aggregation", "slot_seconds", "entries"}));
  PlanFacts facts;
  SYNOD_RETURN_IF_ERROR(ModelFromJson(fields, facts));
  SYNOD_RETURN_IF_ERROR(TrustFromJson(fields, facts));
  SYNOD_RETURN_IF_ERROR(GuaranteeFromJson(fields, facts));
  SYNOD_ASSIGN_OR_RETURN(const Json* list, fields.Array("entries", kMaxEntries));
  std::vector<PlanEntry> entries;
  for (const Json& item : *list) {
    SYNOD_ASSIGN_OR_RETURN(PlanEntry entry, PlanEntry::FromJson(item, fmt::format("plan entry {}", entries.size())));
    entries.push_back(std::move(entry));
  }
  return Create(std::move(facts), std::move(entries));
}

Result<Plan> Plan::FromCanonicalText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseCanonicalJson(kLabel, kVersion, text, kMaxJsonBytes));
  return FromJson(json);
}

}  // namespace synod
