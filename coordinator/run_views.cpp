#include "coordinator/run_views.h"

#include "common/core/hex.h"
#include "coordinator/round_history.h"

namespace synod {
namespace {

Json WaitsToJson(const std::vector<WaitReason>& waits) {
  Json list = Json::array();
  for (const WaitReason& wait : waits) list.push_back(wait.ToJson());
  return list;
}

Json ProgressToJson(const TrainingProgress& progress) {
  Json json = {{"queries_done", progress.queries_done},
               {"queries_planned", progress.queries_planned},
               {"queries_needed", progress.queries_needed},
               {"used", progress.used},
               {"entry", progress.entry},
               {"queries_per_second", progress.queries_per_second}};
  if (progress.loss) json["noisy_loss"] = *progress.loss;
  if (progress.clipped_fraction) json["noisy_clipped_fraction"] = *progress.clipped_fraction;
  return json;
}

Json RosterToJson(const RunRecord& record, const SiteBook& sites) {
  Json list = Json::array();
  for (const RosterSite& member : record.plan->facts().roster) {
    Json site = {{"site", member.id}, {"connected", sites.connected(member.id)}, {"decision", "none"}};
    const auto said = record.decisions.find(member.id);
    if (said != record.decisions.end()) {
      site["decision"] = DecisionName(said->second.decision);
      site["decided"] = Rfc3339(said->second.at_unix);
      if (said->second.decision == Decision::kDenied) site["reason"] = DenialReasonName(said->second.reason);
    }
    if (record.signatures.contains(member.id)) site["signed"] = true;
    list.push_back(std::move(site));
  }
  return list;
}

Json PlanToView(const Plan& plan) {
  const PlanFacts& facts = plan.facts();
  return {{"hash", ToHex(plan.Hash())},
          {"epsilon", facts.epsilon_target},
          {"delta", facts.delta},
          {"aggregation", AggregationName(facts.aggregation)},
          {"sites", plan.sites()},
          {"quorum", facts.quorum},
          {"answers_needed", AnswersNeeded(plan)}};
}

Json FileToJson(const RunRecord& record) {
  return {{"digest", ToHex(record.file_digest)},
          {"published", record.state == RunState::kPublished},
          {"complete", record.complete},
          {"missing_signatures", record.MissingSignatures()}};
}

std::string StateOfSite(const Member& member, const Revocations& revocations, const SiteBook& sites) {
  if (revocations.Contains(member.tls_key_fingerprint)) return "revoked";
  return sites.connected(member.identity.name) ? "connected" : "not_connected";
}

}  // namespace

Json RunLine(const RunSight& sight) {
  const RunRecord& record = sight.record;
  Json json = {{"run", RunIdText(record.run())},
               {"name", record.summary.name},
               {"family", record.summary.family},
               {"state", RunStateName(record.state)},
               {"state_since", Rfc3339(record.state_since_unix)},
               {"submitted", Rfc3339(record.submitted_unix)},
               {"submitter", record.submission.submitter},
               {"waits", WaitsToJson(sight.waits)}};
  if (record.state == RunState::kPublished) json["complete"] = record.complete;
  if (sight.progress) json["progress"] = ProgressToJson(*sight.progress);
  return json;
}

Json RunView(const RunSight& sight) {
  const RunRecord& record = sight.record;
  Json json = RunLine(sight);
  json["deadline_seconds"] = record.summary.deadline_seconds;
  if (record.plan != nullptr) {
    json["plan"] = PlanToView(*record.plan);
    json["sites"] = RosterToJson(record, sight.sites);
  }
  if (!record.signers.empty()) json["file"] = FileToJson(record);
  if (record.failure) {
    json["failure"] = {{"code", static_cast<int>(record.failure->code)},
                       {"message", record.failure->message},
                       {"hint", record.failure->hint}};
  }
  if (!record.aborted_by.empty()) json["aborted_by"] = record.aborted_by;
  return json;
}

Json SiteListView(const Manifest& manifest, const Revocations& revocations, const SiteBook& sites) {
  Json list = Json::array();
  for (const Member* member : manifest.WithRole(Role::kSite)) {
    const SiteLink link = sites.Link(member->identity.name);
    const std::int64_t contact = sites.LastContactUnix(member->identity.name);
    Json site = {{"site", member->identity.name},
                 {"state", StateOfSite(*member, revocations, sites)},
                 {"since", Rfc3339(link.since_unix)},
                 {"last_contact", contact == 0 ? "" : Rfc3339(contact)},
                 {"last_close", link.last_close}};
    if (link.peer) {
      site["software_version"] = link.software_version;
      site["clock_offset_seconds"] = link.clock_offset_seconds;
      site["manifest_number"] = link.manifest_number;
      site["revocations_number"] = link.revocations_number;
    }
    list.push_back(std::move(site));
  }
  return {{"sites", list}, {"manifest_number", manifest.number}, {"revocations_number", revocations.number}};
}

}  // namespace synod
