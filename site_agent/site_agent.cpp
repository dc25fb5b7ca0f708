#include "site_agent/site_agent.h"

#include <algorithm>

#include "common/wire/limits.h"
#include "secure_agg/codec.h"

namespace synod {
namespace {

// Of a message whose run is not answered: enough to read it and refuse, little enough to be no burden.
constexpr std::uint64_t kStrayQueryBytes = 64u << 20;
// What a draft holds beside its parameters: schema, plan, transforms, certificate.
constexpr std::uint64_t kDraftTextBytes = 256u << 20;

std::string CloseText(const PeerClosed& closed) {
  std::string text = closed.error.message;
  if (closed.reason) text += " (" + std::string(GoodbyeReasonName(*closed.reason)) + ")";
  return text;
}

}  // namespace

SiteAgent::SiteAgent(Ports ports, Setup setup)
    : kit_(std::move(setup.kit)),
      configuration_(std::move(setup.configuration)),
      policy_(std::move(setup.policy)),
      trust_(std::move(setup.trust)),
      signing_key_(std::move(setup.signing_key)),
      state_(std::move(setup.state)),
      witness_(setup.witness ? std::move(*setup.witness)
                             : WitnessPort{[this] { return witnesses_.Statement(); },
                                           [this](const auto& peers) { return witnesses_.Judge(peers); }}),
      compute_(ports.worker),
      context_{ports.clock,  ports.fail_points, ports.log,     ports.audit, trust_,
               signing_key_, configuration_,    policy_,       *state_,     ports.coordinator,
               compute_,     retries_,          ports.secrets, witness_,    ""},
      answers_(context_),
      proposals_(
          context_, [this](const RunId& run) { answers_.Stop(run); }, [this] { witnesses_.Announce(); }),
      drafts_(context_, answers_, [this](const RunId& run) { answers_.Stop(run); }),
      // What waits to be sent was charged in a ledger that does not count.
      witnesses_(context_, [this] { answers_.OnLinkClosed(); }) {}

Result<std::unique_ptr<SiteAgent>> SiteAgent::Create(Ports ports, Setup setup) {
  std::unique_ptr<SiteAgent> agent(new SiteAgent(ports, std::move(setup)));
  SYNOD_RETURN_IF_ERROR(agent->Reconcile());
  agent->proposals_.Start();
  agent->answers_.Start();
  agent->Advance();
  return agent;
}

Status SiteAgent::Reconcile() {
  SYNOD_ASSIGN_OR_RETURN(const std::vector<std::string> added, state_->Reconcile(configuration_, policy_));
  for (const std::string& name : added) {
    const RegisteredDataset* dataset = state_->datasets().Find(name);
    const Json fields = {{"dataset", name},
                         {"epsilon", dataset->budget.epsilon},
                         {"delta", dataset->budget.delta},
                         {"order", dataset->budget.order}};
    context_.log.Info("dataset_registered", fields);
    context_.Audit("dataset_registered", fields);
  }
  for (const auto& [name, problem] : state_->datasets().problems()) {
    context_.log.Warning("dataset_not_usable", {{"dataset", name}, {"problem", problem}});
  }
  return {};
}

void SiteAgent::OnLinkOpened(const PeerOpened& opened) {
  link_ = {true, context_.clock.UnixSeconds(), opened.identity.name, ""};
  context_.log.Info("link_opened",
                    {{"coordinator", opened.identity.name}, {"software_version", opened.hello.software_version}});
  witnesses_.OnLinkOpened();
  answers_.OnLinkOpened();
}

void SiteAgent::OnLinkClosed(const PeerClosed& closed) {
  const std::string why = CloseText(closed);
  if (link_.open || link_.last_close != why) context_.log.Warning("link_closed", {{"error", why}});
  link_ = {false, link_.open ? context_.clock.UnixSeconds() : link_.since_unix, link_.coordinator, why};
  answers_.OnLinkClosed();
}

void SiteAgent::OnMessage(const Envelope& envelope) {
  const ByteView payload = envelope.payload == nullptr ? ByteView{} : ByteView(*envelope.payload);
  const Message& message = envelope.message;
  if (const auto* proposal = std::get_if<RunProposal>(&message)) {
    proposals_.OnProposal(link_.coordinator, *proposal, payload);
  } else if (const auto* notice = std::get_if<RunNotice>(&message)) {
    proposals_.OnNotice(*notice);
  } else if (const auto* ask = std::get_if<QueryAsk>(&message)) {
    answers_.OnQuery(*ask, payload);
  } else if (const auto* step = std::get_if<AggregationStep>(&message)) {
    answers_.OnStep(*step, payload);
  } else if (const auto* closed = std::get_if<QueryClosed>(&message)) {
    answers_.OnClosed(*closed);
  } else if (const auto* draft = std::get_if<DraftToSign>(&message)) {
    drafts_.OnDraft(*draft, payload);
  } else if (const auto* heads = std::get_if<LedgerHeads>(&message)) {
    witnesses_.OnHeads(*heads);
    if (context_.state.rolled_back()) proposals_.JudgeWaiting();
  } else if (std::holds_alternative<TrustUpdate>(message)) {
    OnTrustUpdate(payload);
  } else {
    context_.log.Warning("message_not_for_sites", {{"message", std::string(MessageName(message))}});
  }
}

void SiteAgent::OnTrustUpdate(ByteView payload) {
  const Result<TrustBundle> bundle = TrustBundle::FromJsonText(AsText(payload));
  if (!bundle.ok()) return context_.log.Warning("trust_update_refused", {{"error", bundle.error().message}});
  const auto numbers = [this] { return std::pair(trust_.manifest().number, trust_.revocations().number); };
  const auto before = numbers();
  const Result<bool> updated = trust_.Update(*bundle);
  // Also where it could not be written: it holds in memory.
  if (numbers() != before) context_.coordinator.CheckPeerAgain();
  if (!updated.ok()) return context_.log.Warning("trust_update_refused", {{"error", updated.error().message}});
  if (!*updated) return;
  const Json fields = {{"manifest", trust_.manifest().number}, {"revocations", trust_.revocations().number}};
  context_.log.Info("trust_updated", fields);
  context_.Audit("trust_updated", fields);
  proposals_.JudgeWaiting();
}

void SiteAgent::Take(std::vector<ComputeEvent> events) {
  for (ComputeEvent& event : events) {
    if (auto* reviewed = std::get_if<Reviewed>(&event)) {
      proposals_.OnReviewed(*reviewed);
    } else if (auto* opened = std::get_if<RecordsOpened>(&event)) {
      // The report counts records: it is shown to who asks at the site, and is not written down.
      context_.log.Info("records_opened", {{"run", RunText(opened->run)}});
      records_report_ = opened->report;
    } else if (auto* not_opened = std::get_if<RecordsNotOpened>(&event)) {
      context_.log.Error("records_not_opened",
                         {{"run", RunText(not_opened->run)}, {"error", not_opened->error.message}});
      answers_.NoteProblem(not_opened->error.message);
    } else if (auto* computed = std::get_if<Computed>(&event)) {
      answers_.OnComputed(std::move(*computed));
    } else if (auto* malformed = std::get_if<QueryMalformed>(&event)) {
      answers_.OnMalformed(*malformed);
    } else if (auto* failed = std::get_if<NotComputed>(&event)) {
      answers_.OnNotComputed(*failed);
    } else {
      drafts_.OnChecked(std::get<DraftChecked>(event));
    }
  }
}

void SiteAgent::OnWorkerReply(WorkerReply reply) {
  Take(compute_.OnReply(std::move(reply), context_.now()));
}

void SiteAgent::OnWorkerLost(const Error& error) {
  context_.log.Error("worker_lost", {{"error", error.message}});
  Take(compute_.OnLost(error, context_.now()));
}

double SiteAgent::next_timer() const {
  return std::min({compute_.next_timer(), answers_.next_timer(), proposals_.next_timer(), retries_.next_timer()});
}

void SiteAgent::Advance() {
  retries_.Advance(context_.now());
  proposals_.Advance();
  Take(compute_.Advance(context_.now()));
  answers_.Advance();
  if (answers_.answers_sent() != answers_announced_) {
    answers_announced_ = answers_.answers_sent();
    witnesses_.Announce();
  }
}

Status SiteAgent::Reload() {
  SYNOD_ASSIGN_OR_RETURN(SiteConfiguration configuration, SiteConfiguration::FromKit(kit_));
  SYNOD_ASSIGN_OR_RETURN(SitePolicy policy, SitePolicy::FromKit(kit_));
  SYNOD_ASSIGN_OR_RETURN(Trust trust, trust_.Reloaded(context_.clock));
  configuration_ = std::move(configuration);
  policy_ = std::move(policy);
  trust_ = std::move(trust);
  context_.coordinator.CheckPeerAgain();  // before anything is said to it
  SYNOD_RETURN_IF_ERROR(Reconcile());
  proposals_.JudgeWaiting();
  return {};
}

Status SiteAgent::AcceptDataset(const std::string& name) {
  SYNOD_RETURN_IF_ERROR(state_->datasets().AcceptSource(name, configuration_));
  context_.Audit("dataset_source_accepted", {{"dataset", name}});
  SYNOD_RETURN_IF_ERROR(Reconcile());
  proposals_.JudgeWaiting();
  return {};
}

Result<LedgerRestoration> SiteAgent::RestoreLedger() {
  Result<LedgerRestoration> restored = state_->Restore(context_.clock.UnixSeconds());
  if (!restored.ok()) return restored;
  const Json fields = {{"rows", state_->ledger().rows()}, {"ended_runs", restored->ended.size()}};
  context_.log.Info("ledger_restored", fields);
  context_.Audit("ledger_restored", fields);
  proposals_.OnRestored(restored->ended);
  witnesses_.Announce();
  return restored;
}

std::uint64_t SiteAgent::PayloadLimit(const Message& message) const {
  if (std::holds_alternative<RunProposal>(message)) return limits::kMaxRunOfferBytes;
  if (std::holds_alternative<TrustUpdate>(message)) return TrustBundle::kMaxBytes;
  // Of any run and attempt: one that comes late, after its attempt ended here, is read and dropped.
  if (std::holds_alternative<AggregationStep>(message)) return secure_agg::kMaxCoordinatorMessageBytes;
  const auto parameters_of = [&](const RunId& run) -> std::uint64_t {
    const SiteRunRecord* record = state_->runs().Find(run);
    return record == nullptr || !record->review ? 0 : record->review->parameters;
  };
  if (const auto* ask = std::get_if<QueryAsk>(&message)) {
    const std::uint64_t values = ask->context_values + ask->parameter_values;
    const std::uint64_t parameters = parameters_of(ask->name.run);
    const bool sane = ask->context_values <= kStrayQueryBytes && ask->parameter_values <= limits::kMaxDraftBytes;
    const std::uint64_t most = std::max(kStrayQueryBytes, sizeof(float) * parameters + kStrayQueryBytes);
    return sane ? std::min(most, values * sizeof(float)) : 0;
  }
  if (const auto* draft = std::get_if<DraftToSign>(&message)) {
    const SiteRunRecord* record = state_->runs().Find(draft->run);
    if (record == nullptr || record->decision() == Decision::kWaiting) return 0;
    return std::min(limits::kMaxDraftBytes, sizeof(float) * parameters_of(draft->run) + kDraftTextBytes);
  }
  return 0;
}

}  // namespace synod
