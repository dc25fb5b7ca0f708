#include "site_agent/site_commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "site_agent/site_views.h"

namespace synod {
namespace {

constexpr std::size_t kMaxNoteBytes = 1024;

Result<std::string> TextOf(const Json& request, const char* key, bool required) {
  const auto found = request.find(key);
  if (found == request.end()) {
    if (required) return BadInput(fmt::format("the request has no \"{}\"", key));
    return std::string();
  }
  if (!found->is_string() || found->get_ref<const std::string&>().size() > kMaxNoteBytes) {
    return BadInput(fmt::format("\"{}\" must be a text of at most {} bytes", key, kMaxNoteBytes));
  }
  return found->get<std::string>();
}

Result<std::uint64_t> NumberOf(const Json& request, const char* key) {
  const auto found = request.find(key);
  if (found == request.end() || !found->is_number_unsigned()) {
    return BadInput(fmt::format("the request has no number \"{}\"", key));
  }
  return found->get<std::uint64_t>();
}

Error NoDaemon() {
  return {ErrorCode::kConnection, "the site's daemon is not running", "start it with: synod-site run"};
}

Result<RunId> RunOf(const SiteDesk& desk, const Json& request) {
  SYNOD_ASSIGN_OR_RETURN(const std::string prefix, TextOf(request, "run", true));
  return desk.state.runs().FindByPrefix(prefix);
}

Result<Json> DaemonStatus(const SiteDesk& desk, const Json&) {
  if (desk.agent == nullptr) return NoDaemon();
  return desk.status();
}

Result<Json> Requests(const SiteDesk& desk, const Json& request) {
  return Json{{"runs", RunsView(desk.state, request.value("all", Json(false)) == Json(true))}};
}

Result<Json> Explain(const SiteDesk& desk, const Json& request) {
  SYNOD_ASSIGN_OR_RETURN(const RunId run, RunOf(desk, request));
  return ExplainView(desk.state, *desk.state.runs().Find(run));
}

Result<Json> Approve(const SiteDesk& desk, const Json& request) {
  if (desk.agent == nullptr) return NoDaemon();
  SYNOD_ASSIGN_OR_RETURN(const RunId run, RunOf(desk, request));
  SYNOD_RETURN_IF_ERROR(desk.agent->Approve(run));
  return RunView(*desk.state.runs().Find(run));
}

Result<Json> Deny(const SiteDesk& desk, const Json& request) {
  if (desk.agent == nullptr) return NoDaemon();
  SYNOD_ASSIGN_OR_RETURN(const RunId run, RunOf(desk, request));
  SYNOD_ASSIGN_OR_RETURN(const std::string note, TextOf(request, "reason", false));
  SYNOD_RETURN_IF_ERROR(desk.agent->Deny(run, note));
  return RunView(*desk.state.runs().Find(run));
}

Result<Json> Policy(const SiteDesk& desk, const Json&) {
  return PolicyView(desk.policy);
}

// The files as they are now, which the daemon uses after a reload.
Result<Json> PolicyCheck(const SiteDesk& desk, const Json&) {
  SYNOD_ASSIGN_OR_RETURN(const SitePolicy policy, SitePolicy::FromKit(desk.kit));
  SYNOD_ASSIGN_OR_RETURN(const SiteConfiguration configuration, SiteConfiguration::FromKit(desk.kit));
  SYNOD_ASSIGN_OR_RETURN(const Trust trust, Trust::Load(desk.kit + "/trust", desk.clock));
  SYNOD_ASSIGN_OR_RETURN(const SigningKey key, trust.LoadSigningKey());
  const RunJudge judge({configuration, policy, desk.state, trust.manifest(), trust.revocations(), trust.self().name,
                        KeyFingerprint(key.public_key())});
  Json missing = Json::array();
  for (const AllowRule& rule : policy.allow()) {
    if (configuration.Named(rule.dataset) == nullptr) missing.push_back(rule.dataset);
  }
  return Json{{"policy", PolicyView(policy)},
              {"datasets_not_in_site_toml", missing},
              {"in_use", policy.allow() == desk.policy.allow() && policy.lifetime() == desk.policy.lifetime()},
              {"undecided", JudgementsView(desk.state, judge, LocalMinuteOfDay(desk.clock.UnixSeconds()))}};
}

Result<Json> LedgerShow(const SiteDesk& desk, const Json&) {
  return LedgerView(desk.state);
}

Result<Json> LedgerRows(const SiteDesk& desk, const Json& request) {
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t first, NumberOf(request, "first"));
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t count, NumberOf(request, "count"));
  return LedgerRowsView(desk.state, first, std::min(count, kMaxLedgerRowsAtOnce));
}

Result<Json> LedgerVerify(const SiteDesk& desk, const Json&) {
  return VerifyLedger(desk.state);
}

Result<Json> LedgerRestore(const SiteDesk& desk, const Json& request) {
  SYNOD_ASSIGN_OR_RETURN(const LedgerRestoration planned, desk.state.PlanRestoration(desk.clock.UnixSeconds()));
  if (request.value("accept", Json(false)) != Json(true)) {
    return Refused(
        fmt::format("this would end {} runs and charge what the lost rows may have charged", planned.ended.size()),
        "see synod-site status; to do it: synod-site ledger restore --accept");
  }
  if (desk.agent != nullptr) {
    SYNOD_ASSIGN_OR_RETURN(const LedgerRestoration restored, desk.agent->RestoreLedger());
    return RestorationView(desk.state, restored);
  }
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<AuditLog> audit,
                         AuditLog::Open(desk.kit + "/log/audit.log", desk.clock));
  SYNOD_ASSIGN_OR_RETURN(const LedgerRestoration restored, desk.state.Restore(desk.clock.UnixSeconds()));
  SYNOD_RETURN_IF_ERROR(
      audit->Append("ledger_restored", {{"rows", desk.state.ledger().rows()}, {"ended_runs", restored.ended.size()}}));
  return RestorationView(desk.state, restored);
}

Result<Json> Datasets(const SiteDesk& desk, const Json&) {
  return Json{{"datasets", DatasetsView(desk.state)}};
}

Result<Json> DatasetAccept(const SiteDesk& desk, const Json& request) {
  SYNOD_ASSIGN_OR_RETURN(const std::string name, TextOf(request, "dataset", true));
  if (desk.agent != nullptr) {
    SYNOD_RETURN_IF_ERROR(desk.agent->AcceptDataset(name));
  } else {
    SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<AuditLog> audit,
                           AuditLog::Open(desk.kit + "/log/audit.log", desk.clock));
    SYNOD_RETURN_IF_ERROR(desk.state.datasets().AcceptSource(name, desk.configuration));
    SYNOD_RETURN_IF_ERROR(audit->Append("dataset_source_accepted", {{"dataset", name}}));
    SYNOD_RETURN_IF_ERROR(desk.state.Reconcile(desk.configuration, desk.policy, DatasetRegister::NewOnes::kNote));
  }
  return Json{{"datasets", DatasetsView(desk.state)}};
}

using Verb = Result<Json> (*)(const SiteDesk&, const Json&);

}  // namespace

bool NeedsDaemon(const Json& request) {
  static const Json kVerbs = {"status", "approve", "deny"};
  const auto verb = request.find("verb");
  return verb != request.end() && std::find(kVerbs.begin(), kVerbs.end(), *verb) != kVerbs.end();
}

Result<Json> AnswerSiteRequest(const SiteDesk& desk, const Json& request) {
  static const std::map<std::string, Verb, std::less<>> kVerbs = {
      {"status", DaemonStatus},
      {"requests", Requests},
      {"explain", Explain},
      {"approve", Approve},
      {"deny", Deny},
      {"policy", Policy},
      {"policy_check", PolicyCheck},
      {"ledger", LedgerShow},
      {"ledger_rows", LedgerRows},
      {"ledger_verify", LedgerVerify},
      {"ledger_restore", LedgerRestore},
      {"datasets", Datasets},
      {"dataset_accept", DatasetAccept},
  };
  if (!request.is_object()) return BadInput("a request is a JSON object");
  SYNOD_ASSIGN_OR_RETURN(const std::string verb, TextOf(request, "verb", true));
  const auto found = kVerbs.find(verb);
  if (found == kVerbs.end()) return BadInput(fmt::format("there is no request \"{}\"", verb));
  return found->second(desk, request);
}

Json WrapReply(const Result<Json>& reply) {
  if (reply.ok()) return {{"ok", true}, {"data", *reply}};
  const Error& error = reply.error();
  return {{"ok", false},
          {"error", {{"code", static_cast<int>(error.code)}, {"message", error.message}, {"hint", error.hint}}}};
}

Result<Json> UnwrapReply(const Json& envelope) {
  try {
    if (envelope.at("ok").get<bool>()) return envelope.at("data");
    const Json& error = envelope.at("error");
    const int code = error.at("code").get<int>();
    const bool known =
        code >= static_cast<int>(ErrorCode::kFailed) && code <= static_cast<int>(ErrorCode::kVerificationFailed);
    return Error{known ? static_cast<ErrorCode>(code) : ErrorCode::kFailed, error.at("message").get<std::string>(),
                 error.at("hint").get<std::string>()};
  } catch (const Json::exception&) {
    return Error{ErrorCode::kConnection, "the daemon's reply cannot be read", ""};
  }
}

}  // namespace synod
