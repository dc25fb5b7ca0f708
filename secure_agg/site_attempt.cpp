#include "secure_agg/site_attempt.h"

#include <utility>

#include "common/core/check.h"

namespace synod::secure_agg {
namespace {

// Places of the phases in SiteAttempt::Phase.
constexpr std::size_t kAdvertising = 0;
constexpr std::size_t kSharing = 1;
constexpr std::size_t kComputing = 2;
constexpr std::size_t kUploading = 3;
constexpr std::size_t kUnmasking = 4;

SiteActions One(SiteAction action) {
  SiteActions actions;
  actions.push_back(std::move(action));
  return actions;
}

}  // namespace

SiteAttempt::SiteAttempt(SiteSelf self, SecretRandom random, Bytes statement, PromiseStore& promises)
    : setup_(self.setup),
      promises_(&promises),
      phase_(SiteAdvertise(std::move(self), std::move(random), std::move(statement))) {}

SiteActions SiteAttempt::Start() {
  SYNOD_CHECK(!last_sent_ && !ended_, "an attempt starts once");
  const Result<bool> promised = promises_->Has(setup_->name());
  if (!promised.ok()) return Fail({FailureReason::kPromiseNotStored, {}});
  if (*promised) return Fail({FailureReason::kAlreadyPromised, {}});
  return Send(std::get<SiteAdvertise>(phase_).message());
}

SiteActions SiteAttempt::OnMessage(const CoordinatorMessage& message) {
  if (message.name != setup_->name()) {
    ++dropped_.other_attempt;
    return {};
  }
  if (ended_ || !last_sent_) {
    ++dropped_.after_end;
    return {};
  }
  return std::visit([this](const auto& body) { return On(body); }, message.body);
}

SiteAttempt::Turn SiteAttempt::TurnOf(std::size_t phase) const {
  if (phase_.index() == phase) return Turn::kNow;
  return phase_.index() > phase ? Turn::kRepeated : Turn::kEarly;
}

SiteActions SiteAttempt::NotNow(Turn turn) {
  if (turn == Turn::kEarly) return Fail({FailureReason::kOutOfTurn, {}});
  ++dropped_.repeated;
  return {};
}

SiteActions SiteAttempt::On(const AdvertisementList& list) {
  if (const Turn turn = TurnOf(kAdvertising); turn != Turn::kNow) return NotNow(turn);
  Next<SiteShareKeys> next = std::get<SiteAdvertise>(std::move(phase_)).OnAdvertisements(list);
  if (Failure* failure = std::get_if<Failure>(&next)) return Fail(std::move(*failure));
  SiteShareKeys& sharing = phase_.emplace<SiteShareKeys>(std::get<SiteShareKeys>(std::move(next)));
  judging_ = true;
  return One(JudgePeers{sharing.statements()});
}

SiteActions SiteAttempt::AcceptPeers() {
  if (!std::exchange(judging_, false)) return {};
  return Send(std::get<SiteShareKeys>(phase_).message());
}

SiteActions SiteAttempt::RefusePeers() {
  if (!std::exchange(judging_, false)) return {};
  return Fail({FailureReason::kPeersRefused, {}});
}

SiteActions SiteAttempt::On(const ShareList& list) {
  if (const Turn turn = TurnOf(kSharing); turn != Turn::kNow) return NotNow(turn);
  if (judging_) return NotNow(Turn::kEarly);
  Next<SiteMaskedInput> next = std::get<SiteShareKeys>(std::move(phase_)).OnShares(list);
  if (Failure* failure = std::get_if<Failure>(&next)) return Fail(std::move(*failure));
  phase_.emplace<SiteMaskedInput>(std::get<SiteMaskedInput>(std::move(next)));
  return One(NeedInput{});
}

bool SiteAttempt::wants_input() const {
  return phase_.index() == kComputing;
}

SiteActions SiteAttempt::OnInput(UnmaskedWords&& words, SpendPermit&& permit) {
  if (!wants_input()) return {};
  SiteConsistency uploading = std::get<SiteMaskedInput>(std::move(phase_)).Mask(std::move(words), std::move(permit));
  phase_.emplace<SiteConsistency>(std::move(uploading));
  return Upload();
}

SiteActions SiteAttempt::RefuseInput() {
  if (!wants_input()) return {};
  return Fail({FailureReason::kInputRefused, {}});
}

SiteActions SiteAttempt::Upload() {
  if (!granted_ || !has_upload()) return {};
  const std::uint32_t first = *std::exchange(granted_, std::nullopt);
  if (first > chunks()) return Fail({FailureReason::kBadList, {}});
  return One(SendUpload{first});
}

SiteActions SiteAttempt::On(const UploadGrant& grant) {
  if (phase_.index() == kAdvertising || judging_) return NotNow(Turn::kEarly);
  if (phase_.index() > kUploading) return NotNow(Turn::kRepeated);
  granted_ = grant.next_chunk;  // it may overtake the share list
  return Upload();
}

bool SiteAttempt::has_upload() const {
  return phase_.index() == kUploading;
}

std::uint32_t SiteAttempt::chunks() const {
  SYNOD_CHECK(has_upload(), "there is no upload now");
  return std::get<SiteConsistency>(phase_).upload().chunks();
}

MaskedChunk SiteAttempt::Chunk(std::uint32_t index) {
  SYNOD_CHECK(has_upload(), "there is no upload now");
  return {setup_->name(), index, std::get<SiteConsistency>(phase_).upload().Chunk(index)};
}

SiteMessage SiteAttempt::EndOfUpload() {
  SYNOD_CHECK(has_upload(), "there is no upload now");
  return {setup_->name(), std::get<SiteConsistency>(phase_).End()};
}

SiteActions SiteAttempt::On(const SurvivorList& list) {
  const Turn turn = TurnOf(kUploading);
  if (turn == Turn::kRepeated && survivors_ != list) return Fail({FailureReason::kAlreadyPromised, {}});
  if (turn != Turn::kNow) return NotNow(turn);
  Next<SiteUnmask> next = std::get<SiteConsistency>(std::move(phase_)).OnSurvivors(list, *promises_);
  if (Failure* failure = std::get_if<Failure>(&next)) return Fail(std::move(*failure));
  const SiteUnmask& unmasking = phase_.emplace<SiteUnmask>(std::get<SiteUnmask>(std::move(next)));
  survivors_ = list;
  return Send(unmasking.message());
}

SiteActions SiteAttempt::On(const SignatureList& list) {
  if (const Turn turn = TurnOf(kUnmasking); turn != Turn::kNow) return NotNow(turn);
  Next<Unmasking> next = std::get<SiteUnmask>(std::move(phase_)).OnSignatures(list);
  if (Failure* failure = std::get_if<Failure>(&next)) return Fail(std::move(*failure));
  phase_.emplace<Finished>();
  SiteActions actions = Send(std::get<Unmasking>(std::move(next)));
  actions.emplace_back(Revealed{});
  return actions;
}

SiteActions SiteAttempt::On(const AttemptClosed&) {
  phase_.emplace<Finished>();
  judging_ = false;
  ended_ = true;
  return One(Closed{});
}

SiteActions SiteAttempt::OnReconnect() {
  const bool is_uploading = phase_.index() == kComputing || phase_.index() == kUploading;
  if (ended_ || judging_ || is_uploading || !last_sent_) return {};
  return One(SendToCoordinator{*last_sent_});
}

SiteActions SiteAttempt::OnPhaseDeadline() {
  if (ended_) return {};
  return Fail({FailureReason::kAbandoned, {}});
}

SiteActions SiteAttempt::Send(SiteBody body) {
  last_sent_ = SiteMessage{setup_->name(), std::move(body)};
  return One(SendToCoordinator{*last_sent_});
}

SiteActions SiteAttempt::Fail(Failure failure) {
  phase_.emplace<Finished>();  // with every secret
  judging_ = false;
  ended_ = true;
  failure_ = failure;
  return One(std::move(failure));
}

}  // namespace synod::secure_agg
