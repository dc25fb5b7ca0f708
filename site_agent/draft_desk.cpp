#include "site_agent/draft_desk.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/artefact/signatures.h"
#include "common/consortium/trust.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"

namespace synod {
namespace {

// Only in these a site may still owe a signature: a published file may lack it.
bool MaySign(const SiteRunRecord& record) {
  return record.state == SiteRunState::kApproved || record.state == SiteRunState::kSigned ||
         (record.state == SiteRunState::kEnded && record.end == RunPhase::kPublished);
}

}  // namespace

Status CheckParticipation(const Participation& participation, std::uint32_t site, const AnswerDesk::Charged& charged) {
  for (const ParticipationRow& row : participation.rows()) {
    if (!std::binary_search(row.answered.begin(), row.answered.end(), site)) continue;
    for (std::uint64_t query = row.first_query; query <= row.last_query; ++query) {
      const auto found = charged.entry_of.find({static_cast<std::uint32_t>(query), row.attempt});
      if (found == charged.entry_of.end() || found->second != row.entry) {
        return VerificationFailed(
            fmt::format("the draft counts an answer of this site to query {} attempt {} that its ledger does not have",
                        query, row.attempt));
      }
    }
  }
  return {};
}

void DraftDesk::OnDraft(const DraftToSign& draft, ByteView bytes) {
  const SiteRunRecord* record = context_.state.runs().Find(draft.run);
  const Digest file_digest = Sha256(bytes);
  if (record == nullptr || !MaySign(*record)) {
    return Refuse(draft.run, file_digest, Refused("this site does not take part in the run, or not any more"));
  }
  context_.compute.CheckDraft(draft.run, record->offer, Bytes(bytes.begin(), bytes.end()), file_digest);
}

Status DraftDesk::Check(const SiteRunRecord& record, const DraftChecked& checked) const {
  const CheckDraftReply& reply = *checked.reply;
  if (!reply.agrees) return VerificationFailed("the draft is not what the run leads to: " + reply.difference);
  if (reply.run != record.run || reply.file_digest != checked.file_digest) {
    return VerificationFailed("the draft is of another run");
  }
  // Who was a member and who was revoked is judged at this time: it must be a true one.
  const std::int64_t latest = context_.clock.UnixSeconds() + Trust::kClockSkewSeconds;
  const std::int64_t earliest = record.decided_unix - Trust::kClockSkewSeconds;
  if (reply.created_unix < earliest || reply.created_unix > latest) {
    return VerificationFailed("the draft is dated before this site approved the run, or in the future");
  }
  SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record.offer.plan));
  const auto& roster = plan.facts().roster;
  const auto own = std::find_if(roster.begin(), roster.end(),
                                [&](const RosterSite& site) { return site.id == context_.own_name(); });
  if (own == roster.end()) return VerificationFailed("the run's roster does not list this site");
  SYNOD_ASSIGN_OR_RETURN(const AnswerDesk::Charged charged, answers_.ChargedFor(record));
  return CheckParticipation(reply.participation, static_cast<std::uint32_t>(own - roster.begin()), charged);
}

void DraftDesk::OnChecked(const DraftChecked& checked) {
  const SiteRunRecord* record = context_.state.runs().Find(checked.run);
  if (record == nullptr || !MaySign(*record)) return;
  if (!checked.reply.ok()) {
    const Error& error = checked.reply.error();
    // A draft that cannot be read is the coordinator's fault; a worker that fails is ours: silence, and the draft comes
    // again.
    const bool of_the_draft = error.code == ErrorCode::kBadInput || error.code == ErrorCode::kVerificationFailed;
    if (of_the_draft) return Refuse(checked.run, checked.file_digest, error);
    return context_.log.Error("draft_not_checked", {{"run", RunText(checked.run)}, {"error", error.message}});
  }
  const Status agrees = Check(*record, checked);
  if (!agrees.ok()) return Refuse(checked.run, checked.file_digest, agrees.error());
  Sign(checked.run, checked.file_digest);
}

void DraftDesk::Sign(const RunId& run, const Digest& file_digest) {
  const SiteRunRecord* record = context_.state.runs().Find(run);
  if (record == nullptr || !MaySign(*record)) return;
  const auto later = [this, run, file_digest] {
    context_.retries.Add(
        "sign " + RunText(run), [this, run, file_digest] { Sign(run, file_digest); }, context_.now());
  };
  if (record->state == SiteRunState::kApproved) {
    stopped_(run);
    const Status closed =
        context_.state.runs().Change(run, [](SiteRunRecord& change) { change.state = SiteRunState::kSigned; });
    if (!context_.Stored(closed, "signature").ok()) return later();
    const Status settled = context_.state.Settle(run);
    if (!settled.ok()) context_.log.Error("account_not_settled", {{"run", RunText(run)}});
    context_.Audit("draft_signed", {{"run", RunText(run)}, {"file_digest", ToHex(file_digest)}});
  }
  const Result<AnswerDesk::Charged> charged = answers_.ChargedFor(*record);
  if (!charged.ok()) return later();
  const Digest head = context_.state.ledger().head();
  const SiteSignature signature = SignAsSite(
      context_.signing_key, {context_.own_name(), run, record->plan_hash, charged->attempts, head, file_digest});
  context_.log.Info("draft_signed", {{"run", RunText(run)}, {"file_digest", ToHex(file_digest)}});
  context_.fail_points.At(FailPoint::kSiteBeforeCounterSignatureSent);
  const Status sent = context_.coordinator.Send(
      {CounterSignature{run, file_digest, charged->attempts, head, signature.signature}, nullptr});
  context_.fail_points.At(FailPoint::kSiteAfterCounterSignatureSent);
  if (!sent.ok()) context_.log.Info("signature_not_sent", {{"run", RunText(run)}});  // the draft comes again
}

void DraftDesk::Refuse(const RunId& run, const Digest& file_digest, const Error& why) {
  context_.log.Error("draft_refused", {{"run", RunText(run)}, {"error", why.message}});
  context_.Audit("draft_refused", {{"run", RunText(run)}, {"file_digest", ToHex(file_digest)}});
  const Status sent = context_.coordinator.Send({DraftRefused{run, file_digest}, nullptr});
  if (!sent.ok()) context_.log.Info("refusal_not_sent", {{"run", RunText(run)}});
}

}  // namespace synod
