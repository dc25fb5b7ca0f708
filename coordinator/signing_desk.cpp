#include "coordinator/signing_desk.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "common/artefact/generator_file.h"
#include "common/core/hex.h"

namespace synod {
namespace {

Result<std::uint32_t> RosterIndex(const RunRecord& record, const std::string& site) {
  const auto& roster = record.plan->facts().roster;
  for (std::uint32_t i = 0; i < roster.size(); ++i) {
    if (roster[i].id == site) return i;
  }
  return Refused(fmt::format("{} is not on the roster of this run", site));
}

}  // namespace

SigningDesk::SigningDesk(Ports ports) : ports_(std::move(ports)) {}

bool SigningDesk::WaitsForSignatures(const RunRecord& record) {
  return record.state == RunState::kSigning || (record.state == RunState::kPublished && !record.complete);
}

Result<const SigningDesk::Draft*> SigningDesk::DraftOf(const RunRecord& record) {
  const auto known = drafts_.find(record.run());
  if (known != drafts_.end()) return &known->second;
  SYNOD_ASSIGN_OR_RETURN(Bytes bytes, ports_.store.LoadDraft(record.run()));
  SYNOD_ASSIGN_OR_RETURN(const GeneratorDraft draft, GeneratorDraft::FromBytes(bytes));
  storage_errors_.erase(record.run());
  Draft loaded{std::make_shared<const Bytes>(std::move(bytes)), draft.certificate().participation};
  return &drafts_.emplace(record.run(), std::move(loaded)).first->second;
}

void SigningDesk::SendDraft(const RunRecord& record, const std::string& site) {
  const std::optional<PeerId> peer = ports_.sites.Link(site).peer;
  if (!peer) return;
  const double now = ports_.clock.MonotonicSeconds();
  const auto sent = sent_.find({record.run(), *peer});
  if (sent != sent_.end() && now < sent->second) return;
  const Result<const Draft*> draft = DraftOf(record);
  if (!draft.ok()) return NotePublication(record.run(), "draft_not_read", draft.error());
  const double bytes = static_cast<double>((*draft)->bytes->size());
  sent_[{record.run(), *peer}] = now + kAnswerSeconds + bytes / kSlowestBytesPerSecond;
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeDraftSent);
  ports_.to_site(site, {DraftToSign{record.run()}, (*draft)->bytes});
  ports_.fail_points.At(FailPoint::kCoordinatorAfterDraftSent);
}

void SigningDesk::NotePublication(const RunId& run, std::string_view event, const Error& error) {
  if (!storage_errors_.contains(run)) {
    ports_.log.Error(event, {{"run", RunIdText(run)}, {"reason", error.message}});
  }
  storage_errors_[run] = error.message;
  retry_at_ = ports_.clock.MonotonicSeconds() + kRetrySeconds;
}

void SigningDesk::OnSiteConnected(const std::string& site) {
  for (const RunRecord* record : ports_.book.InOrder()) {
    if (!WaitsForSignatures(*record)) continue;
    const std::vector<std::string> missing = record->MissingSignatures();
    if (std::find(missing.begin(), missing.end(), site) != missing.end()) SendDraft(*record, site);
  }
}

Status SigningDesk::Check(const RunRecord& record, const std::string& site, const CounterSignature& message) {
  if (message.file_digest != record.file_digest) return Refused(fmt::format("{} signed another file", site));
  SYNOD_ASSIGN_OR_RETURN(const std::uint32_t index, RosterIndex(record, site));
  SYNOD_ASSIGN_OR_RETURN(const Draft* draft, DraftOf(record));
  if (const Status covered = CheckCharged(*record.plan, draft->participation, index, message.attempts); !covered.ok()) {
    return Refused(fmt::format("the counts of {}: {}", site, covered.error().message));
  }
  const TrustedKeys keys = ports_.trust.Keys();
  const auto key = keys.sites.find(site);
  if (key == keys.sites.end() || KeyFingerprint(key->second) != record.plan->facts().roster[index].key_fingerprint) {
    return Refused(fmt::format("{} has another signing key than the plan's roster names", site));
  }
  const SiteStatement statement{
      site, record.run(), record.plan->Hash(), message.attempts, message.ledger_head, message.file_digest};
  if (!VerifySite(key->second, statement, message.signature)) {
    return Refused(fmt::format("the signature of {} is wrong", site));
  }
  return {};
}

Status SigningDesk::OnCounterSignature(const std::string& site, const CounterSignature& message) {
  const RunRecord* record = ports_.book.Find(message.run);
  if (record == nullptr || !WaitsForSignatures(*record)) return {};
  const std::vector<std::string> missing = record->MissingSignatures();
  if (std::find(missing.begin(), missing.end(), site) == missing.end()) return {};
  SYNOD_RETURN_IF_ERROR(Check(*record, site, message));
  const Result<bool> taken =
      ports_.book.TakeSignature(message.run, {site, message.attempts, message.ledger_head, message.signature});
  if (!taken.ok()) {
    // Not stored: the site is asked again.
    storage_errors_[message.run] = taken.error().message;
    const std::optional<PeerId> peer = ports_.sites.Link(site).peer;
    if (peer) sent_.erase({message.run, *peer});
    retry_at_ = ports_.clock.MonotonicSeconds() + kRetrySeconds;
    return {};
  }
  ports_.log.Info("signed", {{"run", RunIdText(message.run)}, {"site", site}});
  PublishIfDue(*ports_.book.Find(message.run));
  return {};
}

void SigningDesk::OnDraftRefused(const std::string& site, const DraftRefused& message) {
  const RunRecord* record = ports_.book.Find(message.run);
  if (record == nullptr || record->state != RunState::kSigning || message.file_digest != record->file_digest) return;
  // Only a site whose answers are in the file, and that has not signed it, has a say.
  const std::vector<std::string> missing = record->MissingSignatures();
  if (std::find(missing.begin(), missing.end(), site) == missing.end()) return;
  ports_.log.Error("draft_refused", {{"run", RunIdText(message.run)}, {"site", site}});
  const Status failed = ports_.book.Fail(
      message.run, Refused(fmt::format("{} refused to sign: the file does not agree with its own ledger or plan", site),
                           "nothing was published; the log of that site says what differs"));
  if (failed.ok()) ports_.on_moved(*ports_.book.Find(message.run));
}

Status SigningDesk::Publish(const RunRecord& record) {
  SYNOD_ASSIGN_OR_RETURN(const Draft* loaded, DraftOf(record));
  SYNOD_ASSIGN_OR_RETURN(const GeneratorDraft draft, GeneratorDraft::FromBytes(*loaded->bytes));
  std::vector<SiteSignature> signatures;
  for (const auto& [site, signature] : record.signatures) signatures.push_back(signature);
  const TrustBundle bundle = ports_.trust.Bundle();
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file,
                         draft.Finish(SignAsCoordinator(ports_.key, draft.file_digest()), std::move(signatures),
                                      FileConsortium{bundle.manifest, bundle.revocations}));
  ports_.fail_points.At(FailPoint::kCoordinatorBeforePublished);
  SYNOD_RETURN_IF_ERROR(file.Write(ports_.file_of(record.run())));
  SYNOD_RETURN_IF_ERROR(ports_.book.MarkPublished(record.run()));
  ports_.fail_points.At(FailPoint::kCoordinatorAfterPublished);
  return {};
}

void SigningDesk::PublishIfDue(const RunRecord& record) {
  const bool all = record.MissingSignatures().empty();
  const double waited = static_cast<double>(ports_.clock.UnixSeconds() - record.state_since_unix);
  const bool late = record.state == RunState::kSigning && waited >= record.summary.deadline_seconds;
  if (!WaitsForSignatures(record) || (!all && !late)) return;
  const RunId run = record.run();
  const Status published = Publish(record);
  if (!published.ok()) return NotePublication(run, "not_published", published.error());
  storage_errors_.erase(run);
  const RunRecord& now = *ports_.book.Find(run);
  ports_.log.Info("published", {{"run", RunIdText(run)},
                                {"complete", now.complete},
                                {"missing_signatures", now.MissingSignatures()},
                                {"file_digest", ToHex(now.file_digest)}});
  ports_.on_moved(now);
}

void SigningDesk::ForgetEnded() {
  const auto ended = [&](const RunId& run) {
    const RunRecord* record = ports_.book.Find(run);
    return record == nullptr || !WaitsForSignatures(*record);
  };
  std::erase_if(drafts_, [&](const auto& draft) { return ended(draft.first); });
  std::erase_if(sent_, [&](const auto& sent) { return ended(sent.first.first); });
  std::erase_if(storage_errors_, [&](const auto& error) { return ended(error.first); });
}

void SigningDesk::Tick() {
  ForgetEnded();
  if (ports_.clock.MonotonicSeconds() < retry_at_) return;
  for (const RunRecord* record : ports_.book.InOrder()) {
    if (!WaitsForSignatures(*record)) continue;
    for (const std::string& site : record->MissingSignatures()) SendDraft(*record, site);
    PublishIfDue(*record);
  }
}

std::string SigningDesk::StorageError(const RunId& run) const {
  const auto found = storage_errors_.find(run);
  return found == storage_errors_.end() ? "" : found->second;
}

}  // namespace synod
