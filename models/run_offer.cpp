#include "models/run_offer.h"

#include <fmt/format.h>

#include <utility>

#include "models/family_table.h"

namespace synod {
namespace {

constexpr std::size_t kMaxJsonBytes = 16u << 20;

Result<std::string> TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string()) return BadInput(fmt::format("a run offer has no text \"{}\"", key));
  std::string text = found->get<std::string>();
  if (text.size() > RunOffer::kMaxTextBytes) return BadInput(fmt::format("the \"{}\" of a run offer is too long", key));
  return text;
}

struct ReadTexts {
  RunSpecification specification;
  std::shared_ptr<const Schema> schema;
};

Result<ReadTexts> Read(const std::string& specification, const std::string& schema) {
  SYNOD_ASSIGN_OR_RETURN(RunSpecification run, RunSpecification::FromToml(specification, "run.toml"));
  SYNOD_ASSIGN_OR_RETURN(Schema read, Schema::FromToml(schema, "schema.toml"));
  return ReadTexts{std::move(run), std::make_shared<const Schema>(std::move(read))};
}

// The path of the first place where two JSON values differ.
std::string FirstDifference(const Json& own, const Json& offered, const std::string& path) {
  if (own.type() != offered.type() || !own.is_structured()) return own == offered ? "" : path;
  if (own.size() != offered.size()) return path;
  if (own.is_array()) {
    for (std::size_t i = 0; i < own.size(); ++i) {
      std::string found = FirstDifference(own[i], offered[i], fmt::format("{}[{}]", path, i));
      if (!found.empty()) return found;
    }
    return "";
  }
  for (const auto& [key, value] : own.items()) {
    std::string inner = path;
    inner.append(path.empty() ? "" : ".").append(key);
    if (!offered.contains(key)) return inner;
    std::string found = FirstDifference(value, offered[key], inner);
    if (!found.empty()) return found;
  }
  return "";
}

}  // namespace

std::string RunOffer::ToJsonText() const {
  return Json{{"specification", specification}, {"schema", schema}, {"plan", plan}}.dump();
}

Result<RunOffer> RunOffer::FromJsonText(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, kMaxJsonBytes, 4));
  if (!json.is_object() || json.size() != 3) return BadInput("a run offer has specification, schema and plan");
  RunOffer offer;
  SYNOD_ASSIGN_OR_RETURN(offer.specification, TextOf(json, "specification"));
  SYNOD_ASSIGN_OR_RETURN(offer.schema, TextOf(json, "schema"));
  SYNOD_ASSIGN_OR_RETURN(offer.plan, TextOf(json, "plan"));
  return offer;
}

Result<RunOffer> MakeOffer(const std::string& specification, const std::string& schema,
                           const std::vector<RosterSite>& roster) {
  SYNOD_ASSIGN_OR_RETURN(const ReadTexts texts, Read(specification, schema));
  SYNOD_ASSIGN_OR_RETURN(const ResolvedRun resolved,
                         ResolveRun(texts.specification, texts.schema, texts.specification.aggregation, roster));
  return RunOffer{specification, schema, resolved.run.plan->CanonicalText()};
}

Result<OpenedOffer> OpenOffer(const RunOffer& offer) {
  SYNOD_ASSIGN_OR_RETURN(ReadTexts texts, Read(offer.specification, offer.schema));
  SYNOD_ASSIGN_OR_RETURN(Plan plan, Plan::FromCanonicalText(offer.plan));
  SYNOD_ASSIGN_OR_RETURN(FamilyPlan family, PlanFamily(texts.specification, *texts.schema));
  SYNOD_ASSIGN_OR_RETURN(const Digest model_hash, HashModelOptions(family.options));
  const PlanFacts& facts = plan.facts();
  if (facts.schema_hash != texts.schema->Hash()) return Refused("the plan names another schema than the offer's");
  if (facts.model_family != texts.specification.family || facts.model_hash != model_hash ||
      facts.layout_hash != family.layout.Hash()) {
    return Refused("the plan names another model than the offer's specification");
  }
  ResolvedRun resolved;
  resolved.run = {texts.schema, std::make_shared<const Plan>(std::move(plan)), std::move(family.options),
                  texts.specification.seed};
  resolved.layout = std::move(family.layout);
  return OpenedOffer{std::move(resolved), std::move(texts.specification)};
}

Status CompareOffer(const RunOffer& offer) {
  SYNOD_ASSIGN_OR_RETURN(const OpenedOffer opened, OpenOffer(offer));
  const Plan& offered = *opened.resolved.run.plan;
  SYNOD_ASSIGN_OR_RETURN(const ResolvedRun own, ResolveRun(opened.specification, opened.resolved.run.schema,
                                                           opened.specification.aggregation, offered.facts().roster));
  if (own.run.plan->CanonicalText() == offer.plan) return {};
  const std::string where = FirstDifference(own.run.plan->ToJson(), offered.ToJson(), "");
  return Refused(fmt::format("the offered plan is not what its specification resolves to: {} differs", where),
                 "the coordinator's program or its plan was changed; nothing was charged");
}

}  // namespace synod
