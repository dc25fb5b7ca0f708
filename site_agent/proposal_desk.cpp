#include "site_agent/proposal_desk.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/core/hex.h"

namespace synod {
namespace {

constexpr double kJudgeAgainSeconds = 30.0;

bool IsUndecided(const SiteRunRecord& record) {
  return record.state == SiteRunState::kReviewing || record.state == SiteRunState::kWaiting;
}

SiteReview KeptOf(const ReviewReply& reply) {
  return {reply.plan_matches, reply.difference, reply.explanation, reply.epsilon, reply.parameters};
}

}  // namespace

Bytes ApprovalStatement(const RunId& run, const Digest& plan_hash, const std::string& site) {
  Bytes statement(run.bytes.begin(), run.bytes.end());
  statement.insert(statement.end(), plan_hash.begin(), plan_hash.end());
  statement.insert(statement.end(), site.begin(), site.end());
  return statement;
}

void ProposalDesk::Start() {
  for (const auto& [run, record] : context_.state.runs().runs()) {
    if (record.state == SiteRunState::kReviewing) context_.compute.Review(run, record.offer);
  }
  next_judgement_ = context_.now() + kJudgeAgainSeconds;
}

void ProposalDesk::TellRefusal(const RunProposal& proposal, DenialReason reason, const Error& why) {
  context_.log.Warning(
      "proposal_refused",
      {{"run", RunText(proposal.run)}, {"reason", std::string(DenialReasonName(reason))}, {"error", why.message}});
  const Status sent = context_.coordinator.Send(
      {RunDecision{proposal.run, proposal.plan_hash, Decision::kDenied, reason, Signature{}}, nullptr});
  if (!sent.ok()) context_.log.Info("decision_not_sent", {{"run", RunText(proposal.run)}});
}

void ProposalDesk::OnProposal(const std::string& coordinator, const RunProposal& proposal, ByteView payload) {
  if (const SiteRunRecord* known = context_.state.runs().Find(proposal.run)) {
    if (known->plan_hash == proposal.plan_hash) return Tell(proposal.run);
    return TellRefusal(proposal, DenialReason::kPlanMismatch, Refused("the run was proposed with another plan before"));
  }
  const Result<RunOffer> offer = RunOffer::FromJsonText(AsText(payload));
  if (!offer.ok()) return TellRefusal(proposal, DenialReason::kMalformed, offer.error());
  const Result<Plan> plan = Plan::FromCanonicalText(offer->plan);
  if (!plan.ok()) return TellRefusal(proposal, DenialReason::kMalformed, plan.error());
  if (plan->Hash() != proposal.plan_hash) {
    return TellRefusal(proposal, DenialReason::kMalformed, BadInput("the plan has another hash than is proposed"));
  }
  SiteRunRecord record;
  record.run = proposal.run;
  record.plan_hash = proposal.plan_hash;
  record.offer = *offer;
  record.coordinator = coordinator;
  record.submitter = proposal.submitter;
  record.proposed_unix = context_.clock.UnixSeconds();
  const Status added = context_.state.runs().Add(std::move(record));
  if (!added.ok() && added.error().code == ErrorCode::kRefused) {
    return TellRefusal(proposal, DenialReason::kUnavailable, added.error());
  }
  if (!context_.Stored(added, "proposal").ok()) {
    if (unstored_.size() >= kMaxUnstored && !unstored_.contains(proposal.run)) {
      return TellRefusal(proposal, DenialReason::kUnavailable, added.error());
    }
    unstored_.try_emplace(proposal.run, Unstored{coordinator, proposal, Bytes(payload.begin(), payload.end())});
    context_.retries.Add(
        "proposals", [this] { StoreAgain(); }, context_.now());
    return;
  }
  unstored_.erase(proposal.run);
  context_.log.Info("run_proposed", {{"run", RunText(proposal.run)}, {"plan_hash", ToHex(proposal.plan_hash)}});
  Tell(proposal.run);
  context_.compute.Review(proposal.run, *offer);
}

void ProposalDesk::StoreAgain() {
  // What fails again is kept again.
  for (const auto& [run, unstored] : std::exchange(unstored_, {})) {
    OnProposal(unstored.coordinator, unstored.proposal, unstored.offer);
  }
}

void ProposalDesk::OnReviewed(const Reviewed& reviewed) {
  const SiteRunRecord* record = context_.state.runs().Find(reviewed.run);
  if (record == nullptr || record->state != SiteRunState::kReviewing) return;
  if (reviewed.reply.ok()) return Decide(reviewed.run, KeptOf(*reviewed.reply));
  const Error& error = reviewed.reply.error();
  context_.log.Warning("review_failed", {{"run", RunText(reviewed.run)}, {"error", error.message}});
  const bool of_the_texts = error.code == ErrorCode::kBadInput || error.code == ErrorCode::kRefused;
  const DenialReason reason = of_the_texts ? DenialReason::kMalformed : DenialReason::kUnavailable;
  const Status stored = StoreDenial(reviewed.run, reason, "policy", {"review: " + error.message}, "");
  if (stored.ok()) return;
  context_.retries.Add(
      "review " + RunText(reviewed.run), [this, reviewed] { OnReviewed(reviewed); }, context_.now());
}

void ProposalDesk::Decide(const RunId& run, const SiteReview& review) {
  // The review is kept with the decision; judged is a copy that has it.
  const SiteRunRecord* record = context_.state.runs().Find(run);
  if (record == nullptr || !IsUndecided(*record)) return;
  if (!record->review) {
    const Status kept = context_.state.runs().Change(run, [&](SiteRunRecord& change) { change.review = review; });
    if (!context_.Stored(kept, "review").ok()) {
      context_.retries.Add(
          "decide " + RunText(run), [this, run, review] { Decide(run, review); }, context_.now());
      return;
    }
  }
  Apply(run, context_.Judge().Judge(*record, LocalMinuteOfDay(context_.clock.UnixSeconds())));
}

void ProposalDesk::Apply(const RunId& run, const RunVerdict& verdict) {
  Status stored;
  switch (verdict.verdict) {
    case Judgement::Verdict::kAllowed:
      stored = StoreApproval(run, verdict.dataset, "policy", verdict.findings);
      break;
    case Judgement::Verdict::kRefused:
      stored = StoreDenial(run, verdict.reason, "policy", verdict.findings, "");
      break;
    case Judgement::Verdict::kNeedsPerson:
    case Judgement::Verdict::kOutsideHours: {
      const SiteRunRecord* record = context_.state.runs().Find(run);
      const std::string why(VerdictName(verdict.verdict));
      if (record->state == SiteRunState::kWaiting && record->findings == verdict.findings) return;
      stored = context_.Stored(context_.state.runs().Change(run,
                                                            [&](SiteRunRecord& change) {
                                                              change.state = SiteRunState::kWaiting;
                                                              change.dataset = verdict.dataset;
                                                              change.findings = verdict.findings;
                                                            }),
                               "waiting run");
      if (stored.ok()) {
        context_.log.Info("run_waits", {{"run", RunText(run)}, {"for", why}});
        Tell(run);
      }
      break;
    }
  }
  if (stored.ok()) return;
  context_.retries.Add(
      "judge", [this] { JudgeWaiting(); }, context_.now());
}

Status ProposalDesk::StoreApproval(const RunId& run, const std::string& dataset, const std::string& by,
                                   const std::vector<std::string>& findings) {
  const SiteRunRecord* record = context_.state.runs().Find(run);
  SYNOD_ASSIGN_OR_RETURN(const Plan plan, Plan::FromCanonicalText(record->offer.plan));
  SYNOD_RETURN_IF_ERROR(context_.state.Reserve(dataset, run, plan));
  const Status stored = context_.Stored(context_.state.runs().Change(run,
                                                                     [&](SiteRunRecord& change) {
                                                                       change.state = SiteRunState::kApproved;
                                                                       change.dataset = dataset;
                                                                       change.decided_by = by;
                                                                       change.findings = findings;
                                                                       change.decided_unix =
                                                                           context_.clock.UnixSeconds();
                                                                     }),
                                        "approval");
  if (!stored.ok()) {
    // Nothing was charged: the account keeps nothing. If the row is there after all, the next start reserves again.
    const Status settled = context_.state.Settle(run);
    if (!settled.ok()) context_.log.Error("account_not_settled", {{"run", RunText(run)}});
    return stored;
  }
  context_.log.Info("run_approved", {{"run", RunText(run)}, {"by", by}, {"dataset", dataset}});
  context_.Audit("run_approved",
                 {{"run", RunText(run)}, {"by", by}, {"dataset", dataset}, {"plan_hash", ToHex(record->plan_hash)}});
  Tell(run);
  return {};
}

Status ProposalDesk::StoreDenial(const RunId& run, DenialReason reason, const std::string& by,
                                 const std::vector<std::string>& findings, const std::string& note) {
  const Status stored = context_.Stored(context_.state.runs().Change(run,
                                                                     [&](SiteRunRecord& change) {
                                                                       change.state = SiteRunState::kDenied;
                                                                       change.reason = reason;
                                                                       change.decided_by = by;
                                                                       change.findings = findings;
                                                                       change.note = note;
                                                                       change.decided_unix =
                                                                           context_.clock.UnixSeconds();
                                                                     }),
                                        "denial");
  if (!stored.ok()) return stored;
  const std::string reason_name(DenialReasonName(reason));
  context_.log.Info("run_denied", {{"run", RunText(run)}, {"by", by}, {"reason", reason_name}, {"findings", findings}});
  context_.Audit("run_denied", {{"run", RunText(run)}, {"by", by}, {"reason", reason_name}});
  Tell(run);
  return {};
}

void ProposalDesk::Tell(const RunId& run) {
  const SiteRunRecord* record = context_.state.runs().Find(run);
  RunDecision decision{run, record->plan_hash, record->decision(), DenialReason::kNone, Signature{}};
  if (decision.decision == Decision::kDenied) {
    decision.reason = record->reason == DenialReason::kNone ? DenialReason::kUnavailable : record->reason;
  }
  // Waiting without a reason: the review of the plan still goes on.
  if (record->state == SiteRunState::kWaiting) decision.reason = DenialReason::kPerson;
  if (decision.decision == Decision::kApproved) {
    decision.signature =
        context_.signing_key.Sign(kApprovalLabel, ApprovalStatement(run, record->plan_hash, context_.own_name()));
  }
  if (!context_.coordinator.open()) return;  // it proposes again when it is back
  const bool final = decision.decision != Decision::kWaiting;
  if (decision.decision == Decision::kApproved) announce_();
  if (final) context_.fail_points.At(FailPoint::kSiteBeforeDecisionSent);
  const Status sent = context_.coordinator.Send({decision, nullptr});
  if (final) context_.fail_points.At(FailPoint::kSiteAfterDecisionSent);
  if (!sent.ok()) context_.log.Info("decision_not_sent", {{"run", RunText(run)}});
}

void ProposalDesk::JudgeWaiting() {
  std::vector<RunId> waiting;
  for (const auto& [run, record] : context_.state.runs().runs()) {
    if (IsUndecided(record) && record.review) waiting.push_back(run);
  }
  for (const RunId& run : waiting) Decide(run, *context_.state.runs().Find(run)->review);
}

double ProposalDesk::next_timer() const {
  const auto& runs = context_.state.runs().runs();
  const bool waits =
      std::any_of(runs.begin(), runs.end(), [](const auto& run) { return run.second.state == SiteRunState::kWaiting; });
  return waits ? next_judgement_ : std::numeric_limits<double>::infinity();
}

void ProposalDesk::Advance() {
  if (context_.now() < next_timer()) return;
  next_judgement_ = context_.now() + kJudgeAgainSeconds;
  JudgeWaiting();
}

Status ProposalDesk::Approve(const RunId& run) {
  const SiteRunRecord* record = context_.state.runs().Find(run);
  if (record == nullptr) return BadInput("this run is not known");
  if (record->state == SiteRunState::kApproved || record->state == SiteRunState::kSigned) return {};
  if (record->state == SiteRunState::kReviewing) {
    return Refused("the run is still being reviewed", "try again in a few seconds");
  }
  if (record->state != SiteRunState::kWaiting) {
    return Refused(fmt::format("the run is {}; its decision stands", SiteRunStateName(record->state)));
  }
  const RunVerdict verdict = context_.Judge().Judge(*record, LocalMinuteOfDay(context_.clock.UnixSeconds()));
  if (verdict.verdict == Judgement::Verdict::kRefused) {
    Error error = Refused("the policy does not allow this run any more", "");
    for (const std::string& finding : verdict.findings) error.hint += (error.hint.empty() ? "" : "; ") + finding;
    if (verdict.reason == DenialReason::kBudget) error.code = ErrorCode::kBudgetExhausted;
    return error;
  }
  return StoreApproval(run, verdict.dataset, "person", verdict.findings);
}

Status ProposalDesk::Deny(const RunId& run, const std::string& note) {
  const SiteRunRecord* record = context_.state.runs().Find(run);
  if (record == nullptr) return BadInput("this run is not known");
  if (record->state == SiteRunState::kDenied) return {};
  if (record->state == SiteRunState::kSigned || record->state == SiteRunState::kEnded) {
    return Refused(fmt::format("the run is {}; nothing more is answered in it", SiteRunStateName(record->state)));
  }
  const std::vector<std::string> findings = record->findings;
  SYNOD_RETURN_IF_ERROR(StoreDenial(run, DenialReason::kPerson, "person", findings, note));
  Stop(run);
  return {};
}

void ProposalDesk::OnRestored(const std::vector<RunId>& ended) {
  for (const RunId& run : ended) {
    Stop(run);
    Tell(run);
  }
}

// After the state says so, durably: no answer leaves any more, what is computed is abandoned uncharged, and the account
// keeps what was charged.
void ProposalDesk::Stop(const RunId& run) {
  stopped_(run);
  context_.compute.Forget(run);
  const Status settled = context_.state.Settle(run);
  if (!settled.ok())
    context_.log.Error("account_not_settled", {{"run", RunText(run)}, {"error", settled.error().message}});
}

void ProposalDesk::End(const RunId& run, RunPhase phase) {
  const SiteRunRecord* record = context_.state.runs().Find(run);
  if (record == nullptr || record->state == SiteRunState::kEnded) return;
  const Status stored = context_.Stored(context_.state.runs().Change(run,
                                                                     [&](SiteRunRecord& change) {
                                                                       change.state = SiteRunState::kEnded;
                                                                       change.end = phase;
                                                                     }),
                                        "end of a run");
  if (!stored.ok()) {
    stopped_(run);  // no more answers in this process, whatever the disk says
    context_.compute.Forget(run);
    context_.retries.Add(
        "end " + RunText(run), [this, run, phase] { End(run, phase); }, context_.now());
    return;
  }
  context_.log.Info("run_ended", {{"run", RunText(run)}, {"as", std::string(RunPhaseName(phase))}});
  Stop(run);
}

void ProposalDesk::OnNotice(const RunNotice& notice) {
  switch (notice.phase) {
    case RunPhase::kPublished:
    case RunPhase::kFailed:
    case RunPhase::kAborted:
      return End(notice.run, notice.phase);
    case RunPhase::kProposed:
    case RunPhase::kRunning:
    case RunPhase::kSigning:
      context_.log.Debug("run_notice",
                         {{"run", RunText(notice.run)}, {"phase", std::string(RunPhaseName(notice.phase))}});
  }
}

}  // namespace synod
