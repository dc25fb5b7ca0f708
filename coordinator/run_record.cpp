#include "coordinator/run_record.h"

#include <algorithm>

#include "common/core/hex.h"

namespace synod {
namespace {

Json DecisionToJson(const SiteDecision& decision) {
  return {{"decision", static_cast<int>(decision.decision)},
          {"reason", static_cast<int>(decision.reason)},
          {"signature", ToHex(decision.signature)},
          {"at", decision.at_unix}};
}

Result<SiteDecision> DecisionFromJson(const Json& json) {
  SiteDecision decision;
  decision.decision = static_cast<Decision>(json.at("decision").get<std::uint8_t>());
  decision.reason = static_cast<DenialReason>(json.at("reason").get<std::uint8_t>());
  SYNOD_ASSIGN_OR_RETURN(decision.signature, FixedFromHex<64>(json.at("signature").get<std::string>()));
  decision.at_unix = json.at("at").get<std::int64_t>();
  return decision;
}

Json SignatureToJson(const SiteSignature& signature) {
  return {{"attempts", signature.attempts},
          {"ledger_head", ToHex(signature.ledger_head)},
          {"signature", ToHex(signature.signature)}};
}

Result<SiteSignature> SignatureFromJson(const std::string& site, const Json& json) {
  SiteSignature signature;
  signature.site = site;
  signature.attempts = json.at("attempts").get<std::vector<std::uint64_t>>();
  SYNOD_ASSIGN_OR_RETURN(signature.ledger_head, FixedFromHex<32>(json.at("ledger_head").get<std::string>()));
  SYNOD_ASSIGN_OR_RETURN(signature.signature, FixedFromHex<64>(json.at("signature").get<std::string>()));
  return signature;
}

Json ErrorToJson(const Error& error) {
  return {{"code", static_cast<int>(error.code)}, {"message", error.message}, {"hint", error.hint}};
}

Status FillLists(const Json& json, RunRecord& record) {
  for (const auto& [site, value] : json.at("decisions").items()) {
    SYNOD_ASSIGN_OR_RETURN(record.decisions[site], DecisionFromJson(value));
  }
  for (const auto& [site, value] : json.at("signatures").items()) {
    SYNOD_ASSIGN_OR_RETURN(record.signatures[site], SignatureFromJson(site, value));
  }
  if (json.contains("failure")) {
    const Json& failure = json.at("failure");
    record.failure = Error{static_cast<ErrorCode>(failure.at("code").get<int>()),
                           failure.at("message").get<std::string>(), failure.at("hint").get<std::string>()};
  }
  if (record.plan_text.empty()) return {};
  SYNOD_ASSIGN_OR_RETURN(Plan plan, Plan::FromCanonicalText(record.plan_text));
  record.plan = std::make_shared<const Plan>(std::move(plan));
  return {};
}

Status Fill(const Json& json, RunRecord& record) {
  SYNOD_ASSIGN_OR_RETURN(record.submission.run, RunIdFromText(json.at("run").get<std::string>()));
  record.submission.submitter = json.at("submitter").get<std::string>();
  record.submission.sites = json.at("sites").get<std::vector<std::string>>();
  record.submitted_unix = json.at("submitted").get<std::int64_t>();
  record.summary = {json.at("name").get<std::string>(), json.at("family").get<std::string>(),
                    json.at("site_count").get<std::uint32_t>(), json.at("deadline_seconds").get<double>()};
  SYNOD_ASSIGN_OR_RETURN(record.state, RunStateFromName(json.at("state").get<std::string>()));
  record.state_since_unix = json.at("state_since").get<std::int64_t>();
  SYNOD_ASSIGN_OR_RETURN(record.file_digest, FixedFromHex<32>(json.at("file_digest").get<std::string>()));
  record.signers = json.at("signers").get<std::vector<std::string>>();
  record.complete = json.at("complete").get<bool>();
  record.aborted_by = json.at("aborted_by").get<std::string>();
  return FillLists(json, record);
}

}  // namespace

bool RunRecord::OnRoster(const std::string& site) const {
  if (plan == nullptr) return false;
  const auto& roster = plan->facts().roster;
  return std::any_of(roster.begin(), roster.end(), [&](const RosterSite& member) { return member.id == site; });
}

bool RunRecord::Approved(const std::string& site) const {
  const auto found = decisions.find(site);
  return found != decisions.end() && found->second.decision == Decision::kApproved;
}

std::vector<std::string> RunRecord::MissingSignatures() const {
  std::vector<std::string> missing;
  for (const std::string& site : signers) {
    if (!signatures.contains(site)) missing.push_back(site);
  }
  return missing;
}

Json RecordToJson(const RunRecord& record) {
  Json json = {{"run", RunIdText(record.run())},      {"submitter", record.submission.submitter},
               {"sites", record.submission.sites},    {"submitted", record.submitted_unix},
               {"name", record.summary.name},         {"family", record.summary.family},
               {"site_count", record.summary.sites},  {"deadline_seconds", record.summary.deadline_seconds},
               {"state", RunStateName(record.state)}, {"state_since", record.state_since_unix},
               {"decisions", Json::object()},         {"file_digest", ToHex(record.file_digest)},
               {"signers", record.signers},           {"signatures", Json::object()},
               {"complete", record.complete},         {"aborted_by", record.aborted_by}};
  for (const auto& [site, decision] : record.decisions) json["decisions"][site] = DecisionToJson(decision);
  for (const auto& [site, signature] : record.signatures) json["signatures"][site] = SignatureToJson(signature);
  if (record.failure) json["failure"] = ErrorToJson(*record.failure);
  return json;
}

Status FillFromJson(const Json& json, RunRecord& texts) {
  // The library's exceptions (missing key, wrong type) end here: a damaged row is an error, not a crash.
  try {
    return Fill(json, texts);
  } catch (const Json::exception&) {
    return VerificationFailed("a stored run is damaged");
  }
}

std::string RunIdText(const RunId& run) {
  return ToHex(run.bytes);
}

Result<RunId> RunIdFromText(std::string_view text) {
  RunId run;
  SYNOD_ASSIGN_OR_RETURN(run.bytes, FixedFromHex<16>(text));
  return run;
}

}  // namespace synod
