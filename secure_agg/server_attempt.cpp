#include "secure_agg/server_attempt.h"

#include <algorithm>
#include <utility>

#include "common/core/check.h"
#include "secure_agg/site_lists.h"

namespace synod::secure_agg {

std::string_view ServerPhaseName(ServerPhase phase) {
  switch (phase) {
    case ServerPhase::kAdvertise:
      return "advertise";
    case ServerPhase::kShareKeys:
      return "share_keys";
    case ServerPhase::kMaskedInput:
      return "masked_input";
    case ServerPhase::kConsistency:
      return "consistency";
    case ServerPhase::kUnmask:
      return "unmask";
  }
  return "unknown";
}

ServerAttempt::ServerAttempt(std::shared_ptr<const AttemptSetup> setup)
    : setup_(std::move(setup)), phase_(ServerAdvertise(setup_)) {}

ServerActions ServerAttempt::Start() {
  ServerActions actions;
  actions.push_back(PhaseBegan{phase_name_});
  return actions;
}

// ---- what comes in ----

ServerActions ServerAttempt::OnMessage(SiteIndex from, const SiteMessage& message) {
  ServerActions actions;
  if (message.name != setup_->name()) {
    ++dropped_.other_attempt;
    return actions;
  }
  if (ended_ || out_.contains(from)) {
    ++dropped_.unexpected;
    return actions;
  }
  Receipt receipt = Receipt::Of(Receipt::Verdict::kUnexpected);
  if (const auto* body = std::get_if<Advertisement>(&message.body)) {
    if (auto* phase = std::get_if<ServerAdvertise>(&phase_)) receipt = phase->Add(from, *body);
  } else if (const auto* bundle = std::get_if<ShareBundle>(&message.body)) {
    if (auto* phase = std::get_if<ServerShareKeys>(&phase_)) receipt = phase->Add(from, *bundle);
  } else if (const auto* end = std::get_if<UploadEnd>(&message.body)) {
    if (auto* phase = std::get_if<ServerMaskedInput>(&phase_)) receipt = phase->AddEnd(from, *end);
  } else if (const auto* signature = std::get_if<ConsistencySignature>(&message.body)) {
    if (auto* phase = std::get_if<ServerConsistency>(&phase_)) receipt = phase->Add(from, *signature);
  } else if (const auto* unmasking = std::get_if<Unmasking>(&message.body)) {
    if (auto* phase = std::get_if<ServerUnmask>(&phase_)) receipt = phase->Add(from, *unmasking);
  }
  Take(from, receipt, actions);
  return actions;
}

ServerActions ServerAttempt::OnChunk(SiteIndex from, const MaskedChunk& chunk) {
  ServerActions actions;
  if (chunk.name != setup_->name()) {
    ++dropped_.other_attempt;
    return actions;
  }
  Receipt receipt = Receipt::Of(Receipt::Verdict::kUnexpected);
  auto* phase = std::get_if<ServerMaskedInput>(&phase_);
  if (phase != nullptr && !out_.contains(from)) receipt = phase->AddChunk(from, chunk.index, chunk.words);
  Take(from, receipt, actions);
  return actions;
}

void ServerAttempt::Take(SiteIndex from, const Receipt& receipt, ServerActions& actions) {
  switch (receipt.verdict) {
    case Receipt::Verdict::kTaken:
      break;
    case Receipt::Verdict::kRepeated:
      ++dropped_.repeated;
      break;
    case Receipt::Verdict::kUnexpected:
      ++dropped_.unexpected;
      break;
    case Receipt::Verdict::kBlamed:
      blames_.push_back(*receipt.blame);
      Exclude(from);
      Send(from, AttemptClosed{}, actions);
      actions.push_back(Blamed{*receipt.blame});
      break;
  }
  SendGrants(actions);
  Advance(actions);
}

void ServerAttempt::Exclude(SiteIndex site) {
  out_.insert(site);
  if (auto* phase = std::get_if<ServerMaskedInput>(&phase_)) phase->Leave(site);
}

ServerActions ServerAttempt::OnSiteLeft(SiteIndex site) {
  ServerActions actions;
  if (ended_) return actions;
  Exclude(site);
  SendGrants(actions);
  Advance(actions);
  return actions;
}

ServerActions ServerAttempt::OnReconnect(SiteIndex site) {
  ServerActions actions;
  const std::vector<SiteIndex> expected = Expected();
  if (ended_ || out_.contains(site) || !Contains(expected, site)) {
    Send(site, AttemptClosed{}, actions);
  } else if (!HasAnswered(site)) {
    SayTo(site, actions);
    const auto* phase = std::get_if<ServerMaskedInput>(&phase_);
    if (phase == nullptr) return actions;
    if (const std::optional<Grant> grant = phase->GrantOf(site)) Send(site, UploadGrant{grant->next_chunk}, actions);
  }
  return actions;
}

ServerActions ServerAttempt::OnUploadStalled(SiteIndex site) {
  ServerActions actions;
  if (auto* phase = std::get_if<ServerMaskedInput>(&phase_)) phase->Evict(site);
  SendGrants(actions);
  return actions;
}

ServerActions ServerAttempt::OnPhaseDeadline() {
  ServerActions actions;
  if (ended_ || ready_) return actions;
  ClosePhase(actions);
  Advance(actions);
  return actions;
}

ServerActions ServerAttempt::Open(unsigned threads) {
  ServerActions actions;
  if (ended_ || !ready_) return actions;
  std::vector<SiteIndex> survivors = std::get<ServerUnmask>(phase_).survivors();
  std::variant<OpenedSum, Failure> result = std::get<ServerUnmask>(std::move(phase_)).Open(threads);
  if (Failure* failure = std::get_if<Failure>(&result)) {
    Fail(std::move(*failure), actions);
    return actions;
  }
  End(actions);
  actions.push_back(Opened{std::get<OpenedSum>(std::move(result)), std::move(survivors)});
  return actions;
}

ServerActions ServerAttempt::Abandon() {
  ServerActions actions;
  if (!ended_) Fail({FailureReason::kAbandoned, {}}, actions);
  return actions;
}

// ---- from phase to phase ----

void ServerAttempt::Advance(ServerActions& actions) {
  while (!ended_ && !ready_) {
    const auto* unmask = std::get_if<ServerUnmask>(&phase_);
    if (unmask != nullptr && unmask->Ready()) {
      ready_ = true;
      actions.push_back(ReadyToOpen{});
      return;
    }
    if (!Missing().empty()) return;
    ClosePhase(actions);
  }
}

void ServerAttempt::ClosePhase(ServerActions& actions) {
  const std::vector<SiteIndex> before = Expected();
  if (auto* advertise = std::get_if<ServerAdvertise>(&phase_)) {
    Enter(std::move(*advertise).Close(), actions);
  } else if (auto* share = std::get_if<ServerShareKeys>(&phase_)) {
    Enter(std::move(*share).Close(), actions);
  } else if (auto* input = std::get_if<ServerMaskedInput>(&phase_)) {
    for (const Blame& blame : input->ProvenByComplaints()) {
      blames_.push_back(blame);
      actions.push_back(Blamed{blame});
    }
    Enter(std::move(*input).Close(), actions);
  } else if (auto* consistency = std::get_if<ServerConsistency>(&phase_)) {
    Enter(std::move(*consistency).Close(), actions);
  } else {
    Fail({FailureReason::kTooFewShares, {}}, actions);
  }
  if (ended_) return;
  // Who did not answer in time takes no further part.
  const std::vector<SiteIndex> now = Expected();
  for (const SiteIndex site : before) {
    if (!Contains(now, site) && !out_.contains(site)) Send(site, AttemptClosed{}, actions);
  }
}

template <typename Next>
void ServerAttempt::Enter(std::variant<Next, Failure> next, ServerActions& actions) {
  if (Failure* failure = std::get_if<Failure>(&next)) return Fail(std::move(*failure), actions);
  phase_.emplace<Next>(std::get<Next>(std::move(next)));
  phase_name_ = static_cast<ServerPhase>(phase_.index());
  actions.push_back(PhaseBegan{phase_name_});
  Announce(actions);
  SendGrants(actions);
}

void ServerAttempt::Announce(ServerActions& actions) const {
  if (const auto* share = std::get_if<ServerShareKeys>(&phase_)) {
    // One list for all: it may be long.
    const auto message = std::make_shared<const CoordinatorMessage>(CoordinatorMessage{setup_->name(), share->list()});
    for (const SiteIndex site : Missing()) actions.push_back(SendToSite{site, message});
    return;
  }
  for (const SiteIndex site : Missing()) SayTo(site, actions);
}

void ServerAttempt::SayTo(SiteIndex site, ServerActions& actions) const {
  if (const auto* share = std::get_if<ServerShareKeys>(&phase_)) Send(site, share->list(), actions);
  if (const auto* input = std::get_if<ServerMaskedInput>(&phase_)) Send(site, input->ListFor(site), actions);
  if (const auto* consistency = std::get_if<ServerConsistency>(&phase_)) Send(site, consistency->list(), actions);
  if (const auto* unmask = std::get_if<ServerUnmask>(&phase_)) Send(site, unmask->list(), actions);
}

void ServerAttempt::SendGrants(ServerActions& actions) {
  auto* input = std::get_if<ServerMaskedInput>(&phase_);
  if (input == nullptr) return;
  for (const Grant& grant : input->TakeGrants()) Send(grant.site, UploadGrant{grant.next_chunk}, actions);
}

void ServerAttempt::Send(SiteIndex site, CoordinatorBody body, ServerActions& actions) const {
  actions.push_back(SendToSite{
      site, std::make_shared<const CoordinatorMessage>(CoordinatorMessage{setup_->name(), std::move(body)})});
}

void ServerAttempt::End(ServerActions& actions) {
  ended_ = true;
  ready_ = false;
  phase_.emplace<Finished>();
  for (SiteIndex site = 0; site < setup_->sites(); ++site) {
    if (!out_.contains(site)) Send(site, AttemptClosed{}, actions);
  }
}

void ServerAttempt::Fail(Failure failure, ServerActions& actions) {
  blames_.insert(blames_.end(), failure.blames.begin(), failure.blames.end());
  failure.blames = blames_;
  std::stable_sort(failure.blames.begin(), failure.blames.end(),
                   [](const Blame& a, const Blame& b) { return a.site < b.site; });
  failure.blames.erase(std::unique(failure.blames.begin(), failure.blames.end()), failure.blames.end());
  End(actions);
  actions.push_back(std::move(failure));
}

// ---- who is waited for ----

std::vector<SiteIndex> ServerAttempt::Expected() const {
  if (const auto* share = std::get_if<ServerShareKeys>(&phase_)) return share->sites();
  if (const auto* input = std::get_if<ServerMaskedInput>(&phase_)) return input->sites();
  if (const auto* consistency = std::get_if<ServerConsistency>(&phase_)) return consistency->survivors();
  if (const auto* unmask = std::get_if<ServerUnmask>(&phase_)) return unmask->signers();
  std::vector<SiteIndex> all;
  if (std::holds_alternative<ServerAdvertise>(phase_)) {
    for (SiteIndex site = 0; site < setup_->sites(); ++site) all.push_back(site);
  }
  return all;
}

bool ServerAttempt::HasAnswered(SiteIndex site) const {
  return std::visit(
      [site](const auto& phase) {
        if constexpr (std::is_same_v<std::decay_t<decltype(phase)>, Finished>) {
          return true;
        } else {
          return phase.HasAnswered(site);
        }
      },
      phase_);
}

std::vector<SiteIndex> ServerAttempt::Missing() const {
  std::vector<SiteIndex> missing = Expected();
  std::erase_if(missing, [this](SiteIndex site) { return out_.contains(site) || HasAnswered(site); });
  return missing;
}

std::vector<SiteIndex> ServerAttempt::Uploading() const {
  std::vector<SiteIndex> uploading;
  const auto* input = std::get_if<ServerMaskedInput>(&phase_);
  if (input == nullptr) return uploading;
  for (const SiteIndex site : input->sites()) {
    if (input->IsUploading(site)) uploading.push_back(site);
  }
  return uploading;
}

}  // namespace synod::secure_agg
