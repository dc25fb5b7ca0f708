#include "site_agent/daemon_status.h"

#include <unistd.h>

#include "common/core/hex.h"
#include "common/core/version.h"
#include "site_agent/site_views.h"

namespace synod {

namespace {

// What this site would tell if the coordinator forgot: of each ledger of the other sites the newest head it was shown.
Json WitnessedView(const HeadBook& heads) {
  Json list = Json::array();
  for (const HeadBook::Kept& kept : heads.All()) {
    const LedgerHead& head = kept.head.head;
    list.push_back({{"site", head.site},
                    {"ledger", ToHex(head.ledger.bytes)},
                    {"rows", head.rows},
                    {"signed", Rfc3339(head.signed_unix)}});
  }
  return list;
}

}  // namespace

std::string DaemonVersion() {
  return kVersion;
}

Json DaemonStatus(const SiteAgent& agent, const DaemonFacts& facts) {
  const SiteContext& context = agent.context();
  const SiteAgent::LinkState& link = agent.link();
  const CertificateFacts& certificate = context.trust.own().facts();
  Json problems = Json::array();
  if (const std::optional<Error>& frozen = context.state.ledger().frozen()) {
    problems.push_back(frozen->message + "; nothing is approved or answered. " + frozen->hint);
  }
  for (const std::string& problem : {context.storage_problem, agent.last_problem(), facts.reload_problem}) {
    if (!problem.empty()) problems.push_back(problem);
  }
  for (const auto& [name, problem] : context.state.datasets().problems()) {
    problems.push_back("data set " + name + ": " + problem);
  }
  Json linked = {{"open", link.open},
                 {"address", facts.address},
                 {"coordinator", link.coordinator},
                 {"last_close", link.last_close},
                 {"bytes_sent", facts.traffic.bytes_sent},
                 {"bytes_received", facts.traffic.bytes_received}};
  if (link.since_unix != 0) linked["since"] = Rfc3339(link.since_unix);
  Json worker = {{"process_id", facts.worker_process_id},
                 {"busy", context.compute.asked()},
                 {"waiting", context.compute.waiting()},
                 {"lost_in_a_row", context.compute.losses_in_a_row()}};
  if (context.compute.opened()) worker["records_open_for"] = RunText(*context.compute.opened());
  if (!agent.records_report().empty()) worker["records_report"] = agent.records_report();
  return {{"site", context.own_name()},
          {"consortium", context.trust.self().consortium},
          {"version", kVersion},
          {"process_id", getpid()},
          {"certificate_ends", Rfc3339(certificate.not_after_unix)},
          {"manifest", context.trust.manifest().number},
          {"revocations", context.trust.revocations().number},
          {"link", linked},
          {"worker", worker},
          {"problems", problems},
          {"rolled_back", context.state.rolled_back()},
          {"witnessed_heads", WitnessedView(context.state.peer_heads())},
          {"runs", RunsView(context.state, false)},
          {"datasets", DatasetsView(context.state)}};
}

}  // namespace synod
