// The part of SiteState that knows when its ledger was rolled back, and counts what was lost.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/crypto/secret_random.h"
#include "site_agent/site_state.h"

namespace synod {
namespace {

Error RolledBack(const Contradiction& found, std::uint64_t own_rows) {
  return Refused(
      fmt::format("the site's ledger was rolled back: it has {} rows, and a witness holds a head that this site "
                  "signed with {} rows; {}",
                  own_rows, found.head.head.rows, HeadVerdictText(found.verdict)),
      "if this state was put back from a backup: synod-site ledger restore --accept (what it lost stays charged)");
}

// One end of a ledger, told twice: it is not known which was told last.
std::vector<HeldAccount> MoreOfEach(std::vector<HeldAccount> a, const std::vector<HeldAccount>& b) {
  for (const HeldAccount& account : b) {
    const auto same =
        std::find_if(a.begin(), a.end(), [&](const HeldAccount& other) { return other.dataset == account.dataset; });
    if (same == a.end()) {
      a.push_back(account);
    } else {
      *same = Worse(*same, account);
    }
  }
  return a;
}

// Divergence of what a plan still allows, rounded up.
LifetimeCost Remaining(const LifetimeCost& plan, const LifetimeCost& charged) {
  const double rdp = std::max(0.0, plan.rdp - charged.rdp) + plan.rdp * 1e-14;
  return {rdp, plan.answers - std::min(plan.answers, charged.answers)};
}

}  // namespace

std::vector<HeldAccount> SiteState::Held() const {
  std::vector<HeldAccount> accounts;
  for (const auto& [name, account] : accounts_) {
    const RegisteredDataset* dataset = datasets_->Find(name);
    if (dataset == nullptr) continue;
    const LifetimeCost held = account.held();
    accounts.push_back({dataset->id, account.budget().order, held.rdp, held.answers});
  }
  return HeldForHead(std::move(accounts));
}

void SiteState::AddLost(const Contradiction& found) {
  const LedgerHead& head = found.head.head;
  if (!ledger_->frozen()) ledger_->Freeze(RolledBack(found, ledger_->rows()));
  const auto same_ledger = [&](const LedgerHead& other) { return other.ledger == head.ledger; };
  const bool covered = std::any_of(lost_.begin(), lost_.end(), [&](const LedgerHead& other) {
    return same_ledger(other) && other.rows > head.rows;
  });
  if (covered) return;
  std::erase_if(lost_, [&](const LedgerHead& other) { return same_ledger(other) && other.rows < head.rows; });
  for (LedgerHead& other : lost_) {
    if (!same_ledger(other) || other.digest != head.digest) continue;
    other.held = MoreOfEach(other.held, head.held);
    return;
  }
  lost_.push_back(head);
}

// Heads were verified before they were kept.
void SiteState::JudgeKeptHeads() {
  const auto judge = [&](const SignedHead& head) {
    const HeadVerdict verdict = JudgeOwnHead(*ledger_, head.head);
    if (verdict != HeadVerdict::kOwn) AddLost({head, verdict});
  };
  for (const auto& [key, kept] : own_heads_->kept()) judge(kept.head);
  for (const HeadBook::Evidence& evidence : own_heads_->evidence()) judge(evidence.offered);
}

Status SiteState::NoteRollback(const std::vector<Contradiction>& found, std::int64_t now_unix) {
  for (const Contradiction& contradiction : found) {
    own_heads_->Take(contradiction.head, HeadBook::Source::kWitness, now_unix);
    AddLost(contradiction);
  }
  return own_heads_->Flush();
}

Status SiteState::FlushHeads() {
  SYNOD_RETURN_IF_ERROR(own_heads_->Flush());
  return peer_heads_->Flush();
}

std::vector<RestoredDataset> SiteState::RestoredDatasets() const {
  std::vector<RestoredDataset> datasets;
  for (const auto& [name, dataset] : datasets_->registered()) {
    datasets.push_back({dataset.id, dataset.budget.order, dataset.budget.rdp});
  }
  return datasets;
}

Result<LedgerRestoration> SiteState::PlanRestoration(std::int64_t now_unix) const {
  if (!rolled_back()) return Refused("the ledger was not rolled back, as far as any witness has told: nothing is lost");
  LedgerRestoration restoration;
  restoration.replaced = ledger_->id();
  SecretRandom::FromOperatingSystem().Fill(restoration.ledger.bytes);
  restoration.restored_unix = std::max<std::int64_t>(0, now_unix);
  std::vector<RestoredCharge> open;
  for (const auto& [run, record] : runs_->runs()) {
    if (record.state != SiteRunState::kApproved) continue;
    restoration.ended.push_back(run);
    const RegisteredDataset* dataset = datasets_->Find(record.dataset);
    if (dataset == nullptr) continue;
    SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record.offer.plan));
    SYNOD_ASSIGN_OR_RETURN(const std::vector<LedgerRow> rows, RowsOf(run));
    SYNOD_ASSIGN_OR_RETURN(const LifetimeCost whole, CostOfPlan(plan, dataset->budget.order));
    SYNOD_ASSIGN_OR_RETURN(const LifetimeCost charged, CostOfRows(rows, plan, dataset->budget.order));
    const LifetimeCost left = Remaining(whole, charged);
    open.push_back({dataset->id, left.rdp, left.answers});
  }
  const std::vector<RestoredDataset> datasets = RestoredDatasets();
  if (std::max({lost_.size(), datasets.size(), restoration.ended.size()}) > LedgerRestoration::kMaxItems) {
    return Failed("one restoration cannot count so many runs and data sets");
  }
  ChargeLost(lost_, datasets, open, restoration);
  return restoration;
}

Status SiteState::EndRunsOf(const LedgerRestoration& restoration) {
  for (const RunId& run : restoration.ended) {
    const SiteRunRecord* record = runs_->Find(run);
    if (record == nullptr || record->state != SiteRunState::kApproved) continue;
    SYNOD_RETURN_IF_ERROR(runs_->Change(run, [](SiteRunRecord& change) {
      change.state = SiteRunState::kDenied;
      change.reason = DenialReason::kUnavailable;
      change.decided_by = "person";
      change.findings.emplace_back("ledger: it was rolled back while the run was open; its whole plan is charged");
    }));
  }
  return {};
}

Result<LedgerRestoration> SiteState::Restore(std::int64_t now_unix) {
  SYNOD_ASSIGN_OR_RETURN(LedgerRestoration restoration, PlanRestoration(now_unix));
  SYNOD_RETURN_IF_ERROR(ledger_->Restore(restoration));
  lost_.clear();
  for (const auto& [name, dataset] : datasets_->registered()) {
    const RestoredCharge charge = ChargeOf(restoration, {dataset.id, dataset.budget.order, dataset.budget.rdp});
    accounts_.at(name).Charge({charge.rdp, charge.answers});
  }
  const Status ended = EndRunsOf(restoration);
  if (!ended.ok()) {
    ledger_->Freeze(Failed("the restoration is in the ledger, and runs that it ended could not be stored as ended",
                           "start the daemon again"));
    return ended.error();
  }
  for (const RunId& run : restoration.ended) SYNOD_RETURN_IF_ERROR(Settle(run));
  return restoration;
}

}  // namespace synod
