#include "coordinator/head_desk.h"

#include <algorithm>

#include "common/core/hex.h"
#include "common/privacy/ledger_witness.h"

namespace synod {
namespace {

Json HeadView(const SignedHead& head) {
  return {{"ledger", ToHex(head.head.ledger.bytes)},
          {"rows", head.head.rows},
          {"head", ToHex(head.head.digest)},
          {"signed", Rfc3339(head.head.signed_unix)}};
}

}  // namespace

void HeadDesk::Give(const std::string& site, const std::vector<HeadBook::Kept>& heads) {
  LedgerHeads message;
  for (const HeadBook::Kept& kept : heads) {
    if (message.heads.size() == LedgerHeads::kMaxHeads) break;
    message.heads.push_back(kept.head);
  }
  if (!message.heads.empty()) ports_.to_site(site, {std::move(message), nullptr});
}

void HeadDesk::OnSiteConnected(const std::string& site) {
  std::vector<HeadBook::Kept> heads = ports_.book.All();
  given_[site] = heads.empty() ? 0 : heads.front().number;
  std::stable_partition(heads.begin(), heads.end(),
                        [&](const HeadBook::Kept& kept) { return kept.head.head.site == site; });
  Give(site, heads);
}

bool HeadDesk::Verified(const SignedHead& head) const {
  const Manifest& manifest = ports_.trust.manifest();
  const Member* member = manifest.Find({manifest.consortium, Role::kSite, head.head.site});
  return member != nullptr && !ports_.trust.revocations().Contains(member->tls_key_fingerprint) &&
         VerifyHead(member->signing_key, manifest.consortium, head);
}

void HeadDesk::OnHeads(const std::string& from, const LedgerHeads& message) {
  WatchTraining();  // a short run may begin and end between two ticks
  for (const SignedHead& head : message.heads) Take(from, head);
}

void HeadDesk::Take(const std::string& from, const SignedHead& head) {
  const std::string& site = head.head.site;
  const bool of_itself = site == from;
  const auto source = of_itself ? HeadBook::Source::kSiteItself : HeadBook::Source::kWitness;
  const HeadBook::Taken would = ports_.book.Look(head, source);
  if (would == HeadBook::Taken::kNothingNew) return;
  const Json fields = {
      {"from", from}, {"site", site}, {"rows", head.head.rows}, {"ledger", ToHex(head.head.ledger.bytes)}};
  if (would == HeadBook::Taken::kFull) return ports_.log.Warning("head_not_kept", fields);
  if (IsDatedAhead(head.head, ports_.clock.UnixSeconds()) || !Verified(head)) {
    return ports_.log.Warning("head_refused", fields);
  }
  const std::vector<HeadBook::Kept> before = ports_.book.Of(site);
  ports_.book.Take(head, source, ports_.clock.UnixSeconds());
  if (would == HeadBook::Taken::kEvidence) {
    ports_.log.Error("ledger_contradicts", fields);
    return Flush();
  }
  const bool other_ledger = !before.empty() && before.front().head.head.ledger != head.head.ledger;
  if (of_itself && other_ledger) ports_.log.Warning("ledger_begun_anew", fields);
  // The site may be here with less: it is told at once.
  if (!of_itself) Give(site, {ports_.book.kept().at({site, head.head.ledger})});
  const auto [passed, first] = passed_rows_.try_emplace({site, head.head.ledger}, head.head.rows);
  news_ = news_ || head.head.rows >= passed->second + kPassRows;
}

void HeadDesk::PassNews(const std::vector<std::string>& sites) {
  const std::vector<HeadBook::Kept> heads = ports_.book.All();
  for (const std::string& site : sites) {
    std::uint64_t& given = given_[site];
    std::vector<HeadBook::Kept> news;
    for (const HeadBook::Kept& kept : heads) {
      const std::string& of = kept.head.head.site;
      const bool of_run = std::find(sites.begin(), sites.end(), of) != sites.end();
      if (kept.number > given && of_run && of != site) news.push_back(kept);
    }
    Give(site, news);
    if (!heads.empty()) given = heads.front().number;
  }
  for (const HeadBook::Kept& kept : heads) {
    passed_rows_[{kept.head.head.site, kept.head.head.ledger}] = kept.head.head.rows;
  }
  news_ = false;
}

void HeadDesk::Flush() {
  next_flush_ = ports_.clock.MonotonicSeconds() + kFlushSeconds;
  const Status flushed = ports_.book.Flush();
  if (!flushed.ok()) ports_.log.Error("heads_not_stored", {{"reason", flushed.error().message}});
}

void HeadDesk::WatchTraining() {
  const std::vector<std::string> training = ports_.training_sites();
  const bool changed = training != training_;
  if (changed && !training_.empty()) PassNews(training_);
  if (!training.empty() && (changed || news_)) PassNews(training);
  training_ = training;
}

void HeadDesk::Tick() {
  WatchTraining();
  if (ports_.book.dirty() && ports_.clock.MonotonicSeconds() >= next_flush_) Flush();
}

Json HeadDesk::View(const std::string& site) const {
  const std::vector<HeadBook::Kept> kept = ports_.book.Of(site);
  Json evidence = Json::array();
  for (const HeadBook::Evidence& found : ports_.book.evidence()) {
    if (found.offered.head.site != site) continue;
    evidence.push_back(
        {{"seen", Rfc3339(found.seen_unix)}, {"kept", HeadView(found.kept)}, {"offered", HeadView(found.offered)}});
  }
  Json view = kept.empty() ? Json::object() : HeadView(kept.front().head);
  view["ledgers"] = kept.size();
  view["evidence"] = std::move(evidence);
  return view;
}

}  // namespace synod
