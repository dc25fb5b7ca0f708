#include "site_agent/answer_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/query/words.h"
#include "secure_agg/query_hash.h"
#include "site_agent/event_fields.h"
#include "site_agent/masked_setup.h"
#include "site_agent/query_payload.h"
#include "site_agent/sqlite_answer_store.h"
#include "site_agent/time_slot.h"

namespace synod {
AnswerDesk::AnswerDesk(SiteContext& context)
    : context_(context),
      masked_(context, {[this](const QueryName& name) { return Charge(name); },
                        [this](const QueryName& name, const std::string& problem) { OnMaskedEnded(name, problem); }}) {}

void AnswerDesk::Start() {
  const Status forgotten = context_.state.ForgetPromises();
  if (!forgotten.ok()) (void)context_.Stored(forgotten, "ended runs").ok();
}

Result<AnswerDesk::ActiveRun*> AnswerDesk::Active(const SiteRunRecord& record) {
  if (const auto found = active_.find(record.run); found != active_.end()) return &found->second;
  SYNOD_ASSIGN_OR_RETURN(const RegisteredDataset dataset, context_.state.datasets().Usable(record.dataset));
  const DatasetSettings* settings = context_.configuration.Named(record.dataset);
  if (settings == nullptr) return Refused(fmt::format("site.toml names no data set \"{}\"", record.dataset));
  SYNOD_ASSIGN_OR_RETURN(Plan plan, Plan::FromCanonicalText(record.offer.plan));
  ActiveRun run;
  run.plan = std::make_shared<const Plan>(std::move(plan));
  run.records = std::make_shared<const OpenSiteRequest>(
      OpenSiteRequest{record.run, record.offer, {settings->file, settings->bad_rows}});
  run.answers = std::make_unique<SqliteAnswerStore>(context_.state.ledger_store(), dataset.id, record.run);
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, context_.state.RowsOf(record.run));
  SYNOD_ASSIGN_OR_RETURN(SiteRound round, SiteRound::Begin({run.plan, record.run, dataset.id}, context_.state.ledger(),
                                                           *run.answers, rows));
  run.round = std::make_unique<SiteRound>(std::move(round));
  return &active_.emplace(record.run, std::move(run)).first->second;
}

bool AnswerDesk::IsOnItsWay(const QueryName& name) const {
  return std::any_of(outbox_.begin(), outbox_.end(), [&](const Waiting& waiting) {
    const auto* answer = std::get_if<Answer>(&waiting.envelope.message);
    return answer != nullptr && answer->name == name;
  });
}

void AnswerDesk::DropWaiting(const RunId& run, std::uint32_t last_query) {
  std::erase_if(outbox_, [&](const Waiting& waiting) {
    const auto* answer = std::get_if<Answer>(&waiting.envelope.message);
    return answer != nullptr && answer->name.run == run && answer->name.query <= last_query;
  });
}

void AnswerDesk::OnQuery(const QueryAsk& ask, ByteView payload) {
  if (IsOnItsWay(ask.name)) return;  // before the store is read: a repeated question costs nothing
  const SiteRunRecord* record = context_.state.runs().Find(ask.name.run);
  if (record == nullptr || record->state != SiteRunState::kApproved) {
    return Refuse(ask.name, RefusalReason::kOutsidePlan, "this site does not take part in the run, or not any more");
  }
  if (const std::optional<Error>& frozen = context_.state.ledger().frozen()) {  // as if the disk were full
    return Refuse(ask.name, RefusalReason::kLedgerUnavailable, frozen->message, kStorageRefusalSeconds);
  }
  const Result<ActiveRun*> run = Active(*record);
  if (!run.ok()) {  // silence: the administrator can put it right
    last_problem_ = run.error().message;
    return context_.log.Error("query_not_taken", With(NameFields(ask.name), "error", last_problem_));
  }
  const Result<std::shared_ptr<const Query>> query = ReadQuery(ask, payload);
  if (!query.ok()) return Refuse(ask.name, RefusalReason::kMalformed, query.error().message);
  // A deadline that makes no sense is the coordinator's loss: the query is dropped at once or kept for an hour.
  const double seconds = std::isfinite(ask.seconds_left) ? std::clamp(ask.seconds_left, 0.0, 3600.0) : 0.0;
  if ((*run)->plan->facts().aggregation == Aggregation::kSecure) {
    return OnSecureQuery(**run, ask.name, *query, seconds);
  }
  Act(**run, (*run)->round->OnQuery(*query, ask.name), context_.now() + seconds);
}

void AnswerDesk::OnSecureQuery(ActiveRun& run, const QueryName& name, const std::shared_ptr<const Query>& query,
                               double seconds) {
  if (const secure_agg::AttemptSetup* alive = masked_.Alive(name)) {
    if (alive->facts().query_hash == secure_agg::HashOfQuery(*query)) return masked_.Resume(name);
    return Refuse(name, RefusalReason::kReplayed, "the attempt was asked before, with another content");
  }
  SiteRound::Action action = run.round->OnQuery(query, name);
  if (!std::holds_alternative<SiteRound::Compute>(action)) return Act(run, std::move(action), 0.0);
  Result<secure_agg::AttemptSetup> setup =
      SetUpAttempt(*run.plan, name, *query, context_.trust, context_.signing_key.public_key());
  if (!setup.ok()) {
    run.round->Abandon();
    last_problem_ = setup.error().message;
    return Refuse(name, RefusalReason::kOutsidePlan, setup.error().message);
  }
  masked_.Begin(
      {std::make_shared<const secure_agg::AttemptSetup>(std::move(*setup)), run.plan->facts().slot_seconds, seconds});
  if (masked_.Alive(name) != nullptr) Act(run, std::move(action), context_.now() + seconds);
}

Result<SpendPermit> AnswerDesk::Charge(const QueryName& name) {
  SiteRound& round = *active_.at(name.run).round;
  Result<SpendPermit> permit = round.Charge(name);
  if (!permit.ok()) {
    NoteStorage(permit.error());
    Refuse(name, RefusalReason::kLedgerUnavailable, permit.error().message, kStorageRefusalSeconds);
    return permit;
  }
  last_problem_.clear();
  if (context_.Stored({}, "charge").ok()) context_.log.Debug("answer_charged", NameFields(name));
  return permit;
}

void AnswerDesk::OnMaskedEnded(const QueryName& name, const std::string& problem) {
  if (!problem.empty()) last_problem_ = problem;
  const auto run = active_.find(name.run);
  if (run == active_.end() || run->second.round->computing() != name) return;
  run->second.round->Abandon();
  context_.compute.DropAnswers(name.run, name.query);
}

void AnswerDesk::NoteStorage(const Error& error) {
  const Status noted = context_.Stored(error, "charge");
  last_problem_ = noted.error().message;
}

void AnswerDesk::Act(ActiveRun& run, SiteRound::Action action, double until) {
  if (auto* compute = std::get_if<SiteRound::Compute>(&action)) {
    context_.log.Debug("query_taken", NameFields(compute->name));
    return context_.compute.Answer({run.records, compute->name, compute->query, until});
  }
  if (const auto* send = std::get_if<SiteRound::Send>(&action)) {
    // A coordinator has one question of a run open at a time: nobody waits for the answer to another one.
    DropWaiting(send->name.run, UINT32_MAX);
    outbox_.push_back({EndOfSlot(context_.now(), run.plan->facts().slot_seconds), {Answer{send->name}, send->answer}});
    return;
  }
  if (const auto* refuse = std::get_if<SiteRound::Refuse>(&action)) {
    const std::optional<Error>& error = run.round->last_error();
    const std::string why = error ? error->message : "";
    const bool storage = refuse->reason == RefusalReason::kLedgerUnavailable;
    if (storage && error) NoteStorage(*error);
    Refuse(refuse->name, refuse->reason, why, storage ? kStorageRefusalSeconds : 0.0);
  }
}

void AnswerDesk::Refuse(const QueryName& name, RefusalReason reason, const std::string& why, double delay_seconds) {
  Json fields = With(NameFields(name), "reason", std::string(RefusalReasonName(reason)));
  context_.log.Warning("query_refused", With(std::move(fields), "error", why));
  outbox_.push_back({context_.now() + delay_seconds, {AnswerRefused{name, reason}, nullptr}});
}

void AnswerDesk::OnComputed(Computed computed) {
  const auto run = active_.find(computed.name.run);
  if (run == active_.end()) return;  // ended meanwhile: abandoned, uncharged
  if (run->second.plan->facts().aggregation == Aggregation::kSecure) return OnMaskedComputed(std::move(computed));
  SiteRound::Action action = run->second.round->OnComputed(computed.name, std::move(computed.words));
  if (std::holds_alternative<SiteRound::Send>(action)) {
    last_problem_.clear();
    const Status charged = context_.Stored({}, "charge");
    if (charged.ok()) context_.log.Debug("answer_charged", NameFields(computed.name));
  }
  Act(run->second, std::move(action), 0.0);
}

void AnswerDesk::OnMaskedComputed(Computed computed) {
  const secure_agg::AttemptSetup* alive = masked_.Alive(computed.name);
  if (alive == nullptr) return;
  Result<UnmaskedWords> words =
      UnmaskedWords::FromLocalPair(std::move(computed.words), alive->facts().bits, alive->facts().dimension);
  if (words.ok()) return masked_.OnWords(computed.name, std::move(*words));
  masked_.Drop(computed.name, words.error().message);
}

void AnswerDesk::OnMalformed(const QueryMalformed& malformed) {
  const auto run = active_.find(malformed.name.run);
  if (run == active_.end()) return;
  Act(run->second, run->second.round->OnMalformed(malformed.name), 0.0);
  masked_.Drop(malformed.name, "the query does not fit the model of the plan");
}

void AnswerDesk::OnNotComputed(const NotComputed& failed) {
  last_problem_ = failed.error.message;
  context_.log.Error("query_not_computed", With(NameFields(failed.name), "error", failed.error.message));
  masked_.Drop(failed.name, failed.error.message);
  const auto run = active_.find(failed.name.run);
  if (run != active_.end() && run->second.round->computing() == failed.name) run->second.round->Abandon();
}

void AnswerDesk::OnClosed(const QueryClosed& closed) {
  const SiteRunRecord* record = context_.state.runs().Find(closed.run);
  if (record == nullptr || record->state != SiteRunState::kApproved) return;
  const Result<ActiveRun*> run = Active(*record);
  if (!run.ok()) return;
  context_.compute.DropAnswers(closed.run, closed.query);
  masked_.DropUpTo(closed.run, closed.query);
  DropWaiting(closed.run, closed.query);
  const Status forgotten = (*run)->round->OnQueryClosed(closed.query);
  // Kept longer than needed, which harms nothing; the next close forgets it too.
  if (!forgotten.ok()) (void)context_.Stored(forgotten, "closed query").ok();
}

void AnswerDesk::OnLinkClosed() {
  outbox_.clear();
  masked_.OnLinkClosed();
}

void AnswerDesk::Stop(const RunId& run) {
  masked_.DropRun(run);
  active_.erase(run);
  DropWaiting(run, UINT32_MAX);
  const SiteRunRecord* record = context_.state.runs().Find(run);
  const RegisteredDataset* dataset = record == nullptr ? nullptr : context_.state.datasets().Find(record->dataset);
  if (dataset == nullptr) return;
  Status forgotten = context_.state.ledger_store().ForgetAnswers(dataset->id, run, UINT32_MAX);
  if (forgotten.ok()) forgotten = context_.state.ForgetPromises();
  if (!forgotten.ok()) (void)context_.Stored(forgotten, "ended run").ok();
}

double AnswerDesk::next_timer() const {
  double next = masked_.next_timer();
  for (const Waiting& waiting : outbox_) next = std::min(next, waiting.due);
  return next;
}

void AnswerDesk::Advance() {
  const double now = context_.now();
  const auto due =
      std::stable_partition(outbox_.begin(), outbox_.end(), [&](const Waiting& waiting) { return waiting.due > now; });
  const std::vector<Waiting> sending(std::make_move_iterator(due), std::make_move_iterator(outbox_.end()));
  outbox_.erase(due, outbox_.end());
  for (const Waiting& waiting : sending) SendNow(waiting.envelope);
  masked_.Advance();
}

void AnswerDesk::SendNow(const Envelope& envelope) {
  const auto* answer = std::get_if<Answer>(&envelope.message);
  if (answer != nullptr) context_.fail_points.At(FailPoint::kSiteBeforeAnswerSent);
  const Status sent = context_.coordinator.Send(envelope);
  if (answer != nullptr) context_.fail_points.At(FailPoint::kSiteAfterAnswerSent);
  if (sent.ok() && answer != nullptr) ++answers_sent_;
  if (!sent.ok() && answer != nullptr) {  // stored: it goes out when it is asked for again
    context_.log.Info("answer_not_sent", With(NameFields(answer->name), "error", sent.error().message));
  }
}

Result<AnswerDesk::Charged> AnswerDesk::ChargedFor(const SiteRunRecord& record) const {
  SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record.offer.plan));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, context_.state.RowsOf(record.run));
  Charged charged;
  charged.attempts.assign(plan.entries().size(), 0);
  for (const LedgerRow& row : rows) {
    if (row.charge.entry >= charged.attempts.size() || row.charge.plan_hash != record.plan_hash) {
      return VerificationFailed(fmt::format("ledger row {} is not of this run's plan", row.index));
    }
    ++charged.attempts[row.charge.entry];
    charged.entry_of[{row.charge.name.query, row.charge.name.attempt}] = row.charge.entry;
  }
  return charged;
}

}  // namespace synod
