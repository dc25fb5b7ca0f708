#include "site_agent/witness_desk.h"

#include "common/core/hex.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

static_assert(kMaxHeadAheadSeconds == 2 * limits::kClockSkewSeconds, "two sites, each as far off as links allow");

Json HeadFields(const SignedHead& head) {
  return {{"site", head.head.site},
          {"ledger", ToHex(head.head.ledger.bytes)},
          {"rows", head.head.rows},
          {"digest", ToHex(head.head.digest)}};
}

}  // namespace

SignedHead WitnessDesk::OwnHead() const {
  const Ledger& ledger = context_.state.ledger();
  LedgerHead head{context_.own_name(),          ledger.id(),          ledger.rows(), ledger.head(),
                  context_.clock.UnixSeconds(), context_.state.Held()};
  return SignHead(context_.signing_key, context_.trust.self().consortium, std::move(head));
}

std::vector<SignedHead> WitnessDesk::SeenHeads() const {
  std::vector<SignedHead> heads;
  for (const auto& [key, kept] : context_.state.peer_heads().kept()) heads.push_back(kept.head);
  return heads;
}

void WitnessDesk::Send(LedgerHeads message) {
  if (!context_.coordinator.open()) return;
  context_.fail_points.At(FailPoint::kSiteBeforeHeadSent);
  const Status sent = context_.coordinator.Send({std::move(message), nullptr});
  context_.fail_points.At(FailPoint::kSiteAfterHeadSent);
  if (!sent.ok()) context_.log.Info("head_not_sent", {{"error", sent.error().message}});
}

void WitnessDesk::OnLinkOpened() {
  LedgerHeads message{InTellingOrder(context_.own_name(), SeenHeads())};
  message.heads.insert(message.heads.begin(), OwnHead());
  if (message.heads.size() > LedgerHeads::kMaxHeads) message.heads.resize(LedgerHeads::kMaxHeads);
  Send(std::move(message));
}

void WitnessDesk::Announce() {
  Send({{OwnHead()}});
}

void WitnessDesk::OnHeads(const LedgerHeads& message) {
  JudgeOwn(message);
  for (const SignedHead& head : message.heads) {
    if (head.head.site != context_.own_name()) TakeOfPeer(head);
  }
  Flush();
}

Bytes WitnessDesk::Statement() const {
  return EncodeWitnessStatement(OwnHead(), SeenHeads());
}

Status WitnessDesk::Judge(const std::vector<PeerWord>& peers) {
  for (const PeerWord& peer : peers) {
    if (peer.statement.empty()) continue;
    Result<WitnessStatement> stated = DecodeWitnessStatement(peer.statement);
    if (!stated.ok()) {
      // It proves nothing, like one that is missing. To refuse would let one peer keep all others from the sum.
      context_.log.Warning("statement_not_read", {{"site", peer.site}, {"error", stated.error().message}});
      continue;
    }
    LedgerHeads heads{std::move(stated->seen)};
    JudgeOwn(heads);
    // What a peer says of itself is kept; what it says of third sites comes from these themselves.
    if (stated->own.head.site == peer.site) TakeOfPeer(stated->own);
  }
  if (!context_.state.rolled_back()) return {};
  return Refused("this site's ledger was put back to an earlier state", "synod-site ledger restore");
}

void WitnessDesk::JudgeOwn(const LedgerHeads& message) {
  const LedgerOwner owner{context_.trust.self().consortium, context_.own_name(), context_.signing_key.public_key()};
  const std::vector<Contradiction> found = JudgeWitnesses(owner, context_.state.ledger(), message.heads);
  if (found.empty()) return;
  const bool known = context_.state.rolled_back();
  (void)context_.Stored(context_.state.NoteRollback(found, context_.clock.UnixSeconds()), "head of the own ledger");
  if (known) return;
  Json fields = HeadFields(found.front().head);
  fields["own_rows"] = context_.state.ledger().rows();
  context_.log.Error("ledger_rolled_back", fields);
  context_.Audit("ledger_rolled_back", fields);
  rolled_back_();
}

void WitnessDesk::TakeOfPeer(const SignedHead& head) {
  HeadBook& book = context_.state.peer_heads();
  const HeadBook::Taken would = book.Look(head, HeadBook::Source::kWitness);
  if (would == HeadBook::Taken::kNothingNew || would == HeadBook::Taken::kFull) return;
  if (IsDatedAhead(head.head, context_.clock.UnixSeconds())) {
    return context_.log.Warning("head_refused", {{"site", head.head.site}, {"reason", "it is dated ahead"}});
  }
  const std::string& consortium = context_.trust.self().consortium;
  const Member* member = context_.trust.manifest().Find({consortium, Role::kSite, head.head.site});
  if (member == nullptr || context_.trust.revocations().Contains(member->tls_key_fingerprint) ||
      !VerifyHead(member->signing_key, consortium, head)) {
    return context_.log.Warning("head_refused", {{"site", head.head.site}});
  }
  if (book.Take(head, HeadBook::Source::kWitness, context_.clock.UnixSeconds()) == HeadBook::Taken::kEvidence) {
    context_.log.Warning("head_contradicts", HeadFields(head));
  }
}

void WitnessDesk::Flush() {
  const Status stored = context_.state.FlushHeads();
  if (context_.Stored(stored, "heads of ledgers").ok()) return;
  context_.retries.Add(
      "heads", [this] { Flush(); }, context_.now());
}

}  // namespace synod
