#include "coordinator/run_director.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/config/run_specification.h"

namespace synod {
namespace {

constexpr std::string_view kApprovalLabel = "synod.approval";

// run | plan hash | site name
Bytes ApprovalMessage(const RunDecision& decision, const std::string& site) {
  Bytes message(decision.run.bytes.begin(), decision.run.bytes.end());
  message.insert(message.end(), decision.plan_hash.begin(), decision.plan_hash.end());
  message.insert(message.end(), site.begin(), site.end());
  return message;
}

}  // namespace

RunDirector::RunDirector(Ports ports) : ports_(std::move(ports)) {}

// ---- From a submission to a plan.

Result<std::vector<RosterSite>> RunDirector::RosterOf(const RunSubmission& submission) const {
  const TrustedKeys keys = ports_.trust.Keys();
  std::vector<RosterSite> roster;
  for (const auto& [site, key] : keys.sites) {
    const bool wanted = submission.sites.empty() ||
                        std::find(submission.sites.begin(), submission.sites.end(), site) != submission.sites.end();
    if (wanted) roster.push_back({site, KeyFingerprint(key)});
  }
  for (const std::string& site : submission.sites) {
    if (keys.sites.contains(site)) continue;
    return BadInput(fmt::format("there is no site {} in the consortium, or it is revoked", site),
                    "see `synod site list`");
  }
  if (roster.empty()) return BadInput("the consortium has no site", "see `synod consortium approve`");
  return roster;
}

Result<const RunRecord*> RunDirector::Submit(const RunSubmission& submission) {
  if (ports_.book.Find(submission.run) == nullptr) {
    SYNOD_ASSIGN_OR_RETURN(const std::vector<RosterSite> roster, RosterOf(submission));
    SYNOD_ASSIGN_OR_RETURN(const RunSpecification specification,
                           RunSpecification::FromToml(submission.specification, "run.toml"));
    SYNOD_ASSIGN_OR_RETURN(const Schema schema, Schema::FromToml(submission.schema, "schema.toml"));
    if (specification.sites != roster.size()) {
      return BadInput(
          fmt::format("the run file says sites = {} and the roster has {}", specification.sites, roster.size()),
          "name the sites with --sites, or set sites in [run]");
    }
    const RunSummary summary{specification.name, specification.family, specification.sites,
                             specification.deadline_seconds};
    SYNOD_ASSIGN_OR_RETURN(const RunRecord* record, ports_.book.Submit(submission, summary));
    ports_.log.Info("run_submitted", {{"run", RunIdText(submission.run)}, {"operator", submission.submitter}});
    return record;
  }
  return ports_.book.Submit(submission, {});
}

void RunDirector::ResolveNext() {
  if (resolving_) return;
  // One that is being resolved without a worker at it: the worker ended, or its result could not be stored.
  std::vector<const RunRecord*> waiting = ports_.book.InState(RunState::kResolving);
  if (waiting.empty()) waiting = ports_.book.InState(RunState::kSubmitted);
  if (waiting.empty()) return;
  const RunRecord& record = *waiting.front();
  const RunId run = record.run();
  const Result<std::vector<RosterSite>> roster = RosterOf(record.submission);
  if (!roster.ok()) return FailRun(run, roster.error());
  ResolveRequest request{record.submission.specification, record.submission.schema, *roster};
  if (record.state == RunState::kSubmitted && !Stored(ports_.book.BeginResolving(run), run)) return;
  resolving_ = run;
  ports_.resolver.send(std::move(request));
}

void RunDirector::OnResolverReply(WorkerReply reply) {
  if (!resolving_) return;
  const RunId run = *resolving_;
  resolving_.reset();
  resolver_losses_ = 0;
  ports_.resolver.kill();  // nothing of it is needed once the plan is there
  if (const auto* failed = std::get_if<FailedReply>(&reply)) return FailRun(run, failed->error);
  auto* resolved = std::get_if<ResolveReply>(&reply);
  if (resolved == nullptr) return FailRun(run, Failed("the worker gave another answer than a plan"));
  const Status taken = ports_.book.TakeOffer(run, std::move(resolved->offer.plan), std::move(resolved->explanation));
  if (!Stored(taken, run)) return;
  const RunRecord& record = *ports_.book.Find(run);
  ports_.log.Info("run_proposed", {{"run", RunIdText(run)}, {"sites", record.plan->sites()}});
  for (const RosterSite& site : record.plan->facts().roster) Propose(record, site.id);
}

void RunDirector::OnResolverLost(const Error& error) {
  if (!resolving_) return;
  const RunId run = *resolving_;
  resolving_.reset();
  ports_.log.Warning("worker_lost", {{"run", RunIdText(run)}, {"reason", error.message}});
  if (++resolver_losses_ < TrainingRun::kMaxWorkerLosses) return;
  resolver_losses_ = 0;
  FailRun(run, error.Within("the worker ended again and again while it resolved the run"));
}

// ---- Proposals and decisions.

void RunDirector::Propose(const RunRecord& record, const std::string& site) {
  if (!ports_.sites.connected(site)) return;
  const RunOffer offer{record.submission.specification, record.submission.schema, record.plan_text};
  const std::string text = offer.ToJsonText();
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeProposalSent);
  ports_.to_site(site, {RunProposal{record.run(), record.plan->Hash(), record.submission.submitter},
                        std::make_shared<const Bytes>(text.begin(), text.end())});
  ports_.fail_points.At(FailPoint::kCoordinatorAfterProposalSent);
}

void RunDirector::ProposeAgain() {
  for (const auto& [run, site] : std::exchange(propose_again_, {})) {
    const RunRecord* record = ports_.book.Find(run);
    if (record != nullptr && record->plan != nullptr && !IsTerminal(record->state)) Propose(*record, site);
  }
}

Status RunDirector::CheckApproval(const RunRecord& record, const std::string& site, const RunDecision& decision) const {
  const TrustedKeys keys = ports_.trust.Keys();
  const auto key = keys.sites.find(site);
  const auto& roster = record.plan->facts().roster;
  const auto member =
      std::find_if(roster.begin(), roster.end(), [&](const RosterSite& listed) { return listed.id == site; });
  if (key == keys.sites.end() || member == roster.end() || KeyFingerprint(key->second) != member->key_fingerprint) {
    return Refused(fmt::format("{} has another signing key than the plan's roster names", site));
  }
  if (!key->second.Verify(kApprovalLabel, ApprovalMessage(decision, site), decision.signature)) {
    return Refused(fmt::format("the signature of {} under its approval is wrong", site));
  }
  return {};
}

Status RunDirector::TakeDecision(const std::string& site, const RunDecision& decision) {
  const RunRecord* record = ports_.book.Find(decision.run);
  if (record == nullptr || record->plan == nullptr) return {};
  if (!record->OnRoster(site)) return Refused(fmt::format("{} is not on the roster of this run", site));
  if (IsTerminal(record->state)) {
    TellIfEnded(decision.run, site);
    return {};
  }
  // Of an earlier proposal: the site gets the one that counts again.
  if (decision.plan_hash != record->plan->Hash()) {
    Propose(*record, site);
    return {};
  }
  if (decision.decision == Decision::kApproved) SYNOD_RETURN_IF_ERROR(CheckApproval(*record, site, decision));
  const SiteDecision taken{decision.decision, decision.reason, decision.signature, ports_.clock.UnixSeconds()};
  const Result<bool> changed = ports_.book.TakeDecision(decision.run, site, taken);
  if (!Stored(changed.ok() ? Status() : changed.error(), decision.run)) {
    // The site says it again when it is asked again: after a pause, or a full disk would have both talk for ever.
    propose_again_.emplace(decision.run, site);
    return {};
  }
  if (!*changed) return {};
  ports_.log.Info("decision", {{"run", RunIdText(decision.run)},
                               {"site", site},
                               {"decision", DecisionName(decision.decision)},
                               {"reason", DenialReasonName(decision.reason)}});
  record = ports_.book.Find(decision.run);
  if (training_ != nullptr && training_->run() == decision.run) training_->OnDecision(site, taken);
  if (record->state == RunState::kRefused) TellSites(*record);
  return {};
}

// ---- What sites say.

Status RunDirector::OnSiteMessage(const std::string& site, const Envelope& envelope) {
  const Message& message = envelope.message;
  if (const auto* decision = std::get_if<RunDecision>(&message)) return TakeDecision(site, *decision);
  if (const auto* answer = std::get_if<Answer>(&message)) {
    TakeAnswer(site, *answer, envelope.payload);
    return {};
  }
  if (const auto* refused = std::get_if<AnswerRefused>(&message)) {
    TakeRefusal(site, *refused);
    return {};
  }
  const ByteView payload = envelope.payload == nullptr ? ByteView() : ByteView(*envelope.payload);
  if (const auto* step = std::get_if<AggregationStep>(&message)) {
    if (training_ != nullptr && training_->run() == step->name.run) training_->OnStep(site, step->name, payload);
    return {};
  }
  if (const auto* chunk = std::get_if<AggregationChunk>(&message)) {
    if (training_ != nullptr && training_->run() == chunk->name.run) training_->OnChunk(site, *chunk, payload);
    return {};
  }
  if (const auto* signature = std::get_if<CounterSignature>(&message)) {
    return ports_.signing.OnCounterSignature(site, *signature);
  }
  if (const auto* refused = std::get_if<DraftRefused>(&message)) {
    ports_.signing.OnDraftRefused(site, *refused);
    return {};
  }
  return Refused(fmt::format("a site may not send {}", MessageName(message)));
}

void RunDirector::TakeRefusal(const std::string& site, const AnswerRefused& refused) {
  ports_.owed.Settle(site, refused.name);
  ports_.log.Warning("answer_refused", {{"run", RunIdText(refused.name.run)},
                                        {"site", site},
                                        {"query", refused.name.query},
                                        {"attempt", refused.name.attempt},
                                        {"reason", RefusalReasonName(refused.reason)}});
  if (training_ == nullptr || training_->run() != refused.name.run) return TellIfEnded(refused.name.run, site);
  training_->OnRefusal(site, refused.name, refused.reason);
}

void RunDirector::TakeAnswer(const std::string& site, const Answer& answer, const std::shared_ptr<const Bytes>& words) {
  ports_.owed.Settle(site, answer.name);
  if (training_ == nullptr || training_->run() != answer.name.run) return TellIfEnded(answer.name.run, site);
  training_->OnAnswer(site, answer.name, words == nullptr ? ByteView() : ByteView(*words));
}

void RunDirector::OnSiteConnected(const std::string& site) {
  std::size_t ended = 0;
  std::vector<const RunRecord*> records = ports_.book.InOrder();
  std::reverse(records.begin(), records.end());
  for (const RunRecord* record : records) {
    if (!record->OnRoster(site)) continue;
    if (IsTerminal(record->state) && ++ended > kEndedRunsTold) continue;
    if (record->state == RunState::kProposed || record->state == RunState::kRunning) Propose(*record, site);
    if (record->state != RunState::kProposed) {
      ports_.to_site(site, {RunNotice{record->run(), PhaseOf(record->state)}, nullptr});
    }
  }
  if (training_ != nullptr) training_->OnSiteConnected(site);
  ports_.signing.OnSiteConnected(site);
}

void RunDirector::TellSites(const RunRecord& record) {
  if (record.plan == nullptr) return;
  for (const RosterSite& site : record.plan->facts().roster) {
    ports_.to_site(site.id, {RunNotice{record.run(), PhaseOf(record.state)}, nullptr});
  }
}

void RunDirector::TellIfEnded(const RunId& run, const std::string& site) {
  const RunRecord* record = ports_.book.Find(run);
  if (record == nullptr || !IsTerminal(record->state)) return;
  ports_.to_site(site, {RunNotice{run, PhaseOf(record->state)}, nullptr});
}

}  // namespace synod
