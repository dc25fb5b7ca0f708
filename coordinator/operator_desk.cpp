#include "coordinator/operator_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/file.h"
#include "common/wire/limits.h"
#include "common/wire/peer_text.h"
#include "models/run_offer.h"

namespace synod {
namespace {

bool MayAsk(Role role, OperatorVerb verb) {
  if (role == Role::kOperator || role == Role::kAdmin) return true;
  return verb == OperatorVerb::kRunList || verb == OperatorVerb::kRunShow || verb == OperatorVerb::kRunWatch ||
         verb == OperatorVerb::kRunWhy;
}

std::shared_ptr<const Bytes> PayloadOf(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  return std::make_shared<const Bytes>(text.begin(), text.end());
}

Result<std::string> TextOf(const Json& json, const char* key) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string() || found->get_ref<const std::string&>().empty()) {
    return BadInput(fmt::format("a submission has no text \"{}\"", key));
  }
  if (found->get_ref<const std::string&>().size() > RunOffer::kMaxTextBytes) {
    return BadInput(fmt::format("the \"{}\" of a submission is too long", key));
  }
  return found->get<std::string>();
}

Result<RunSubmission> SubmissionOf(const Identity& identity, const RunId& run, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(AsText(payload), limits::kMaxRunOfferBytes, 4));
  if (!json.is_object()) return BadInput("a submission is a JSON object");
  for (const auto& [key, value] : json.items()) {
    if (key == "specification" || key == "schema" || key == "sites") continue;
    return BadInput(fmt::format("a submission has no \"{}\"", key));
  }
  RunSubmission submission;
  submission.run = run;
  submission.submitter = identity.name;
  SYNOD_ASSIGN_OR_RETURN(submission.specification, TextOf(json, "specification"));
  SYNOD_ASSIGN_OR_RETURN(submission.schema, TextOf(json, "schema"));
  for (const Json& site : json.value("sites", Json::array())) {
    if (!site.is_string()) return BadInput("sites of a submission are texts");
    submission.sites.push_back(site.get<std::string>());
  }
  std::sort(submission.sites.begin(), submission.sites.end());
  if (std::adjacent_find(submission.sites.begin(), submission.sites.end()) != submission.sites.end()) {
    return BadInput("a site is named twice");
  }
  return submission;
}

}  // namespace

std::uint64_t OperatorDesk::PayloadLimit(Role role, const OperatorRequest& request) {
  const bool submits = request.verb == OperatorVerb::kRunSubmit && MayAsk(role, request.verb);
  return submits ? limits::kMaxRunOfferBytes : 0;
}

void OperatorDesk::OnRequest(PeerId peer, const Identity& identity, const OperatorRequest& request, ByteView payload) {
  OperatorReply reply;
  reply.id = request.id;
  const Result<Bytes> answer = Answer(identity, request, payload);
  if (!answer.ok()) {
    reply.error_code = static_cast<int>(answer.error().code);
    reply.message = TextForPeer(answer.error().message);
    reply.hint = TextForPeer(answer.error().hint);
    return ports_.reply(peer, {reply, nullptr});
  }
  if (request.verb == OperatorVerb::kRunWatch) {
    watches_.push_back({peer, request.id, request.run, ""});
    if (!Report(watches_.back())) watches_.pop_back();
    return;
  }
  ports_.reply(peer, {reply, std::make_shared<const Bytes>(*answer)});
}

Result<Bytes> OperatorDesk::Answer(const Identity& identity, const OperatorRequest& request, ByteView payload) {
  if (!MayAsk(identity.role, request.verb)) {
    return Refused(
        fmt::format("the role {} may not ask for {}", RoleName(identity.role), OperatorVerbName(request.verb)));
  }
  if (request.verb == OperatorVerb::kRunFetch) return Fetch(request.run);
  if (request.verb == OperatorVerb::kRunWatch && watches_.size() >= kMaxWatches) {
    return Failed(fmt::format("{} watches are open already", watches_.size()), "close some of them");
  }
  SYNOD_ASSIGN_OR_RETURN(const Json json, AnswerJson(identity, request, payload));
  return Bytes(*PayloadOf(json));
}

Result<Json> OperatorDesk::AnswerJson(const Identity& identity, const OperatorRequest& request, ByteView payload) {
  if (request.verb == OperatorVerb::kRunSubmit) return Submit(identity, request.run, payload);
  if (request.verb == OperatorVerb::kRunList) return List();
  if (request.verb == OperatorVerb::kSiteList) {
    Json view = SiteListView(ports_.trust.manifest(), ports_.trust.revocations(), ports_.sites);
    for (Json& site : view["sites"]) site["ledger"] = ports_.ledger_of(site["site"].get<std::string>());
    return view;
  }
  const RunRecord* record = ports_.book.Find(request.run);
  if (record == nullptr) {
    return BadInput(fmt::format("there is no run {}", RunIdText(request.run)), "see `synod run list`");
  }
  if (request.verb == OperatorVerb::kRunAbort) return Abort(identity, request.run);
  if (request.verb == OperatorVerb::kRunWhy) return Why(*record);
  return Show(*record);
}

Result<Json> OperatorDesk::Submit(const Identity& identity, const RunId& run, ByteView payload) {
  if (run == RunId{}) return BadInput("a submission needs a run id of its own");
  SYNOD_ASSIGN_OR_RETURN(const RunSubmission submission, SubmissionOf(identity, run, payload));
  SYNOD_ASSIGN_OR_RETURN(const RunRecord* record, ports_.director.Submit(submission));
  return RunLine(ports_.director.Sight(*record));
}

Result<Json> OperatorDesk::Abort(const Identity& identity, const RunId& run) {
  SYNOD_RETURN_IF_ERROR(ports_.director.Abort(run, identity.name));
  return RunLine(ports_.director.Sight(*ports_.book.Find(run)));
}

Result<Bytes> OperatorDesk::Fetch(const RunId& run) const {
  const RunRecord* record = ports_.book.Find(run);
  if (record == nullptr) return BadInput(fmt::format("there is no run {}", RunIdText(run)), "see `synod run list`");
  if (record->state != RunState::kPublished) {
    return Failed(fmt::format("run {} is {} and has no file to fetch", RunIdText(run), RunStateName(record->state)),
                  "see `synod run why`");
  }
  SYNOD_ASSIGN_OR_RETURN(const std::string file, ReadFile(ports_.file_of(run), limits::kMaxReplyBytes));
  return Bytes(file.begin(), file.end());
}

Json OperatorDesk::List() const {
  Json runs = Json::array();
  for (const RunRecord* record : ports_.book.InOrder()) runs.push_back(RunLine(ports_.director.Sight(*record)));
  return {{"runs", std::move(runs)}};
}

Json OperatorDesk::Show(const RunRecord& record) const {
  Json view = RunView(ports_.director.Sight(record));
  if (record.plan != nullptr) {
    view["plan_text"] = record.plan_text;
    view["explanation"] = record.explanation;
  }
  return view;
}

Json OperatorDesk::Why(const RunRecord& record) const {
  Json view = RunView(ports_.director.Sight(record));
  Json why = Json::object();
  for (const char* key : {"run", "name", "state", "state_since", "waits", "failure", "aborted_by", "file"}) {
    if (view.contains(key)) why[key] = view[key];
  }
  return why;
}

bool OperatorDesk::Report(Watch& watch) {
  const RunRecord* record = ports_.book.Find(watch.run);
  if (record == nullptr) return false;
  const bool ended = IsTerminal(record->state);
  const Json view = RunView(ports_.director.Sight(*record));
  std::string text = view.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!ended && text == watch.last) return true;
  watch.last = std::move(text);
  OperatorReply reply;
  reply.id = watch.request;
  reply.more = !ended;
  ports_.reply(watch.peer, {reply, PayloadOf(view)});
  return !ended;
}

void OperatorDesk::OnPeerClosed(PeerId peer) {
  watches_.remove_if([&](const Watch& watch) { return watch.peer == peer; });
}

void OperatorDesk::Tick() {
  const double now = ports_.clock.MonotonicSeconds();
  if (now < next_report_) return;
  next_report_ = now + kWatchSeconds;
  watches_.remove_if([&](Watch& watch) { return !Report(watch); });
}

}  // namespace synod
