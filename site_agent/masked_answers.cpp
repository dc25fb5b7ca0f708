#include "site_agent/masked_answers.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <limits>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/codec.h"
#include "site_agent/event_fields.h"
#include "site_agent/time_slot.h"

namespace synod {
MaskedAnswers::Attempt* MaskedAnswers::Find(const QueryName& name) {
  const auto found = attempts_.find(name.run);
  return found == attempts_.end() || found->second->name() != name ? nullptr : found->second.get();
}

const secure_agg::AttemptSetup* MaskedAnswers::Alive(const QueryName& name) const {
  const auto found = attempts_.find(name.run);
  const bool alive = found != attempts_.end() && found->second->name() == name;
  return alive ? &found->second->protocol.setup() : nullptr;
}

void MaskedAnswers::Begin(Begun begun) {
  const QueryName name = begun.setup->name();
  End(name.run);
  const std::optional<secure_agg::SiteIndex> own = begun.setup->IndexOf(context_.own_name());
  SYNOD_CHECK(own.has_value(), "a set-up of this site lists it");
  // The key is the agent's, which outlives its attempts.
  std::shared_ptr<const SigningKey> key(std::shared_ptr<const void>(), &context_.signing_key);
  secure_agg::SiteSelf self{begun.setup, *own, std::move(key)};
  secure_agg::SiteAttempt protocol(std::move(self), context_.secrets.ForAttempt("synod.masks", name),
                                   context_.witness.make(), context_.state.promises());
  auto attempt = std::unique_ptr<Attempt>(
      new Attempt{std::move(protocol), begun.slot_seconds, std::max(begun.seconds, kLeastPatienceSeconds),
                  context_.now() + begun.seconds, std::nullopt, std::nullopt, false, false, ""});
  Attempt& begins = *attempt;
  attempts_[name.run] = std::move(attempt);
  Do(begins, begins.protocol.Start());
}

void MaskedAnswers::Resume(const QueryName& name) {
  Attempt* attempt = Find(name);
  if (attempt != nullptr) Do(*attempt, attempt->protocol.OnReconnect());
}

void MaskedAnswers::OnStep(const QueryName& name, ByteView payload) {
  Attempt* attempt = Find(name);
  if (attempt == nullptr) return context_.log.Debug("step_not_taken", NameFields(name));  // late
  Result<secure_agg::CoordinatorMessage> message = secure_agg::DecodeCoordinatorMessage(payload);
  if (message.ok() && message->name != name) message = BadInput("the message is of another attempt than it says");
  if (!message.ok()) {
    attempt->over = true;
    attempt->problem = message.error().message;
    return Do(*attempt, {});
  }
  attempt->deadline = context_.now() + attempt->patience_seconds;
  Do(*attempt, attempt->protocol.OnMessage(*message));
}

void MaskedAnswers::OnWords(const QueryName& name, UnmaskedWords words) {
  Attempt* attempt = Find(name);
  if (attempt == nullptr) return;
  attempt->words.emplace(std::move(words));
  Do(*attempt, GiveInput(*attempt));
}

void MaskedAnswers::Drop(const QueryName& name, const std::string& problem) {
  Attempt* attempt = Find(name);
  if (attempt == nullptr) return;
  attempt->problem = problem;
  End(name.run);
}

void MaskedAnswers::DropUpTo(const RunId& run, std::uint32_t query) {
  const auto found = attempts_.find(run);
  if (found != attempts_.end() && found->second->name().query <= query) End(run);
}

void MaskedAnswers::End(const RunId& run) {
  const auto found = attempts_.find(run);
  if (found == attempts_.end()) return;
  const std::unique_ptr<Attempt> ends = std::move(found->second);
  attempts_.erase(found);
  Json fields = NameFields(ends->name());
  if (ends->problem.empty()) {
    context_.log.Debug("attempt_ended", std::move(fields));
  } else {
    context_.log.Warning("attempt_ended", With(std::move(fields), "error", ends->problem));
  }
  owner_.ended(ends->name(), ends->problem);
}

void MaskedAnswers::Do(Attempt& attempt, secure_agg::SiteActions actions) {
  std::deque<secure_agg::SiteAction> todo(std::make_move_iterator(actions.begin()),
                                          std::make_move_iterator(actions.end()));
  while (!todo.empty() && !attempt.over) {
    secure_agg::SiteActions more = Act(attempt, std::move(todo.front()));
    todo.pop_front();
    std::move(more.begin(), more.end(), std::back_inserter(todo));
  }
  if (attempt.over) End(attempt.name().run);
}

secure_agg::SiteActions MaskedAnswers::Act(Attempt& attempt, secure_agg::SiteAction action) {
  if (const auto* send = std::get_if<secure_agg::SendToCoordinator>(&action)) {
    // Where it does not go out it is sent again when the link is back.
    (void)SendStep(send->message).ok();
  } else if (const auto* peers = std::get_if<secure_agg::JudgePeers>(&action)) {
    return Judge(attempt, peers->statements);
  } else if (std::holds_alternative<secure_agg::NeedInput>(action)) {
    return GiveInput(attempt);
  } else if (const auto* upload = std::get_if<secure_agg::SendUpload>(&action)) {
    attempt.upload = Upload{upload->first_chunk, EndOfSlot(context_.now(), attempt.slot_seconds), false};
  } else if (const auto* failed = std::get_if<secure_agg::Failure>(&action)) {
    attempt.over = true;
    if (attempt.problem.empty()) attempt.problem = Describe(*failed, attempt.protocol.setup());
  } else if (std::holds_alternative<secure_agg::Closed>(action)) {
    attempt.over = true;
  }
  if (std::holds_alternative<secure_agg::Revealed>(action)) attempt.revealed = true;
  return {};
}

secure_agg::SiteActions MaskedAnswers::Judge(Attempt& attempt,
                                             const std::vector<secure_agg::PeerStatement>& statements) {
  std::vector<PeerWord> stated;
  for (const secure_agg::PeerStatement& peer : statements) {
    stated.push_back({attempt.protocol.setup().id_of(peer.site), peer.statement});
  }
  const Status accepted = context_.witness.judge(stated);
  if (accepted.ok()) return attempt.protocol.AcceptPeers();
  attempt.problem = accepted.error().message;
  return attempt.protocol.RefusePeers();
}

// Spend before send: what is masked has its permit.
secure_agg::SiteActions MaskedAnswers::GiveInput(Attempt& attempt) {
  if (!attempt.words || !attempt.protocol.wants_input()) return {};
  Result<SpendPermit> permit = owner_.charge(attempt.name());
  UnmaskedWords words = std::move(*attempt.words);
  attempt.words.reset();
  if (permit.ok()) return attempt.protocol.OnInput(std::move(words), std::move(*permit));
  attempt.problem = permit.error().message;
  return attempt.protocol.RefuseInput();
}

Status MaskedAnswers::SendStep(const secure_agg::SiteMessage& message) {
  context_.fail_points.At(FailPoint::kSiteBeforeStepSent);
  Status sent = context_.coordinator.Send(
      {AggregationStep{message.name}, std::make_shared<const Bytes>(secure_agg::Encode(message))});
  context_.fail_points.At(FailPoint::kSiteAfterStepSent);
  return sent;
}

bool MaskedAnswers::SendChunk(Attempt& attempt) {
  const secure_agg::MaskedChunk chunk = attempt.protocol.Chunk(attempt.upload->next_chunk);
  const Status sent =
      context_.coordinator.Send({AggregationChunk{chunk.name, chunk.index},
                                 std::make_shared<const Bytes>(chunk.words.begin(), chunk.words.end())});
  ++attempt.upload->next_chunk;
  return sent.ok();
}

void MaskedAnswers::Pump(Attempt& attempt) {
  const double now = context_.now();
  if (!attempt.upload || now < attempt.upload->due) return;
  if (!attempt.protocol.has_upload() || !context_.coordinator.open()) return attempt.upload.reset();
  if (!std::exchange(attempt.upload->begun, true)) context_.fail_points.At(FailPoint::kSiteBeforeAnswerSent);
  while (context_.coordinator.queued_bytes() < kUploadWindowBytes) {
    if (attempt.upload->next_chunk >= attempt.protocol.chunks()) {
      (void)SendStep(attempt.protocol.EndOfUpload()).ok();
      context_.fail_points.At(FailPoint::kSiteAfterAnswerSent);
      context_.log.Debug("masked_answer_sent", NameFields(attempt.name()));
      return attempt.upload.reset();
    }
    if (!SendChunk(attempt)) return attempt.upload.reset();  // the next grant says where to go on
  }
  attempt.upload->due = now + kLookSeconds;
}

void MaskedAnswers::OnLinkOpened() {
  for (const QueryName& name : Names()) Resume(name);
}

void MaskedAnswers::OnLinkClosed() {
  for (auto& [run, attempt] : attempts_) attempt->upload.reset();
}

double MaskedAnswers::next_timer() const {
  double next = std::numeric_limits<double>::infinity();
  for (const auto& [run, attempt] : attempts_) {
    next = std::min(next, attempt->deadline);
    if (attempt->upload) next = std::min(next, attempt->upload->due);
  }
  return next;
}

std::vector<QueryName> MaskedAnswers::Names() const {
  std::vector<QueryName> names;
  for (const auto& [run, attempt] : attempts_) names.push_back(attempt->name());
  return names;
}

void MaskedAnswers::Advance() {
  for (const QueryName& name : Names()) {
    Attempt& attempt = *Find(name);
    if (attempt.deadline > context_.now()) {
      Pump(attempt);
      continue;
    }
    attempt.over = attempt.revealed;
    Do(attempt, attempt.protocol.OnPhaseDeadline());
  }
}

}  // namespace synod
