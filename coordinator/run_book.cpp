#include "coordinator/run_book.h"

#include <fmt/format.h>

#include "coordinator/round_history.h"

namespace synod {
namespace {

struct Votes {
  std::uint32_t approved = 0;
  std::uint32_t denied = 0;
  bool all_for_budget = true;  // of those that denied
  std::string denials;         // "site-b: policy; site-c: person"
};

Votes Count(const RunRecord& record) {
  Votes votes;
  for (const auto& [site, decision] : record.decisions) {
    if (decision.decision == Decision::kApproved) ++votes.approved;
    if (decision.decision != Decision::kDenied) continue;
    ++votes.denied;
    votes.all_for_budget = votes.all_for_budget && decision.reason == DenialReason::kBudget;
    votes.denials +=
        fmt::format("{}{}: {}", votes.denials.empty() ? "" : "; ", site, DenialReasonName(decision.reason));
  }
  return votes;
}

Error NoSuchRun(const RunId& run) {
  return BadInput(fmt::format("there is no run {}", RunIdText(run)));
}

}  // namespace

Result<RunBook> RunBook::Open(Ports ports) {
  RunBook book(ports);
  SYNOD_ASSIGN_OR_RETURN(std::vector<RunRecord> records, ports.store.LoadAll());
  for (RunRecord& record : records) {
    // Whether this is written down does not matter: the next start would do the same.
    if (record.state == RunState::kResolving) record.state = RunState::kSubmitted;
    book.order_.push_back(record.run());
    book.runs_.emplace(record.run(), std::move(record));
  }
  return book;
}

const RunRecord* RunBook::Find(const RunId& run) const {
  const auto found = runs_.find(run);
  return found == runs_.end() ? nullptr : &found->second;
}

std::vector<const RunRecord*> RunBook::InOrder() const {
  std::vector<const RunRecord*> records;
  for (const RunId& run : order_) records.push_back(&runs_.at(run));
  return records;
}

std::vector<const RunRecord*> RunBook::InState(RunState state) const {
  std::vector<const RunRecord*> records;
  for (const RunRecord* record : InOrder()) {
    if (record->state == state) records.push_back(record);
  }
  return records;
}

Result<RunRecord> RunBook::Copy(const RunId& run) const {
  const RunRecord* record = Find(run);
  if (record == nullptr) return NoSuchRun(run);
  return *record;
}

Status RunBook::Keep(RunRecord record) {
  SYNOD_RETURN_IF_ERROR(ports_.store.Save(record));
  const RunId run = record.run();
  runs_.insert_or_assign(run, std::move(record));
  return {};
}

Status RunBook::MoveTo(RunRecord record, RunState state) {
  if (!MayFollow(record.state, state)) {
    return Refused(fmt::format("run {} is {} and cannot become {}", RunIdText(record.run()), RunStateName(record.state),
                               RunStateName(state)));
  }
  record.state = state;
  record.state_since_unix = ports_.clock.UnixSeconds();
  return Keep(std::move(record));
}

Result<const RunRecord*> RunBook::Submit(const RunSubmission& submission, const RunSummary& summary) {
  if (const RunRecord* known = Find(submission.run)) {
    if (known->submission == submission) return known;
    return Refused(fmt::format("the run id {} stands for another submission", RunIdText(submission.run)),
                   "submit again with a new id");
  }
  RunRecord record;
  record.submission = submission;
  record.summary = summary;
  record.submitted_unix = ports_.clock.UnixSeconds();
  record.state_since_unix = record.submitted_unix;
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeRunStored);
  SYNOD_RETURN_IF_ERROR(Keep(std::move(record)));
  ports_.fail_points.At(FailPoint::kCoordinatorAfterRunStored);
  order_.push_back(submission.run);
  return Find(submission.run);
}

Status RunBook::BeginResolving(const RunId& run) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  return MoveTo(std::move(record), RunState::kResolving);
}

Status RunBook::TakeOffer(const RunId& run, std::string plan_text, std::string explanation) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  SYNOD_ASSIGN_OR_RETURN(Plan plan, Plan::FromCanonicalText(plan_text));
  record.plan = std::make_shared<const Plan>(std::move(plan));
  record.plan_text = std::move(plan_text);
  record.explanation = std::move(explanation);
  return MoveTo(std::move(record), RunState::kProposed);
}

Result<bool> RunBook::TakeDecision(const RunId& run, const std::string& site, SiteDecision decision) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  if (!record.OnRoster(site)) return Refused(fmt::format("{} is not on the roster of this run", site));
  if (record.state != RunState::kProposed && record.state != RunState::kRunning) return false;
  const auto known = record.decisions.find(site);
  decision.at_unix = ports_.clock.UnixSeconds();
  // A site that reviews once more has not taken anything back. What it waits for may change: its review, a person.
  const bool decided = known != record.decisions.end() && known->second.decision != Decision::kWaiting;
  if (decided && decision.decision == Decision::kWaiting) return false;
  if (known != record.decisions.end() && known->second.decision == decision.decision &&
      known->second.reason == decision.reason) {
    return false;
  }
  record.decisions[site] = decision;
  const Votes votes = Count(record);
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeDecisionStored);
  if (record.state == RunState::kProposed && record.plan->sites() - votes.denied < AnswersNeeded(*record.plan)) {
    record.failure = Refused(fmt::format("{} of {} sites said no ({}); {} answers are needed", votes.denied,
                                         record.plan->sites(), votes.denials, AnswersNeeded(*record.plan)),
                             "each site's own log and `synod-site explain` say which of its rules decided");
    if (votes.all_for_budget) record.failure->code = ErrorCode::kBudgetExhausted;
    SYNOD_RETURN_IF_ERROR(MoveTo(std::move(record), RunState::kRefused));
  } else {
    SYNOD_RETURN_IF_ERROR(Keep(std::move(record)));
  }
  ports_.fail_points.At(FailPoint::kCoordinatorAfterDecisionStored);
  return true;
}

bool RunBook::ReadyToStart(const RunRecord& record) {
  if (record.state != RunState::kProposed) return false;
  const Votes votes = Count(record);
  return votes.approved + votes.denied == record.plan->sites() && votes.approved >= AnswersNeeded(*record.plan);
}

const RunRecord* RunBook::training() const {
  for (const RunRecord* record : InOrder()) {
    if (record->state == RunState::kRunning) return record;
  }
  return nullptr;
}

std::vector<std::string> RunBook::TrainingSites() const {
  std::vector<std::string> sites;
  const RunRecord* record = training();
  if (record == nullptr || record->plan == nullptr) return sites;
  for (const RosterSite& site : record->plan->facts().roster) sites.push_back(site.id);
  return sites;
}

const RunRecord* RunBook::NextToStart() const {
  if (training() != nullptr) return nullptr;
  for (const RunRecord* record : InOrder()) {
    if (ReadyToStart(*record)) return record;
  }
  return nullptr;
}

Status RunBook::Start(const RunId& run) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  if (training() != nullptr) return Refused("another run trains");
  return MoveTo(std::move(record), RunState::kRunning);
}

Status RunBook::TakeDraft(const RunId& run, const Bytes& draft, const Digest& file_digest,
                          std::vector<std::string> signers) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  if (!MayFollow(record.state, RunState::kSigning)) return MoveTo(std::move(record), RunState::kSigning);
  record.state = RunState::kSigning;
  record.state_since_unix = ports_.clock.UnixSeconds();
  record.file_digest = file_digest;
  record.signers = std::move(signers);
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeDraftStored);
  SYNOD_RETURN_IF_ERROR(ports_.store.SaveWithDraft(record, draft));
  ports_.fail_points.At(FailPoint::kCoordinatorAfterDraftStored);
  runs_.insert_or_assign(run, std::move(record));
  return {};
}

Result<bool> RunBook::TakeSignature(const RunId& run, SiteSignature signature) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  const bool open = record.state == RunState::kSigning || (record.state == RunState::kPublished && !record.complete);
  if (!open || record.signatures.contains(signature.site)) return false;
  const std::string site = signature.site;
  record.signatures.emplace(site, std::move(signature));
  ports_.fail_points.At(FailPoint::kCoordinatorBeforeSignatureStored);
  SYNOD_RETURN_IF_ERROR(Keep(std::move(record)));
  ports_.fail_points.At(FailPoint::kCoordinatorAfterSignatureStored);
  return true;
}

Status RunBook::MarkPublished(const RunId& run) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  record.complete = record.MissingSignatures().empty();
  if (record.state == RunState::kPublished) return Keep(std::move(record));
  return MoveTo(std::move(record), RunState::kPublished);
}

Status RunBook::Fail(const RunId& run, Error error) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  record.failure = std::move(error);
  return MoveTo(std::move(record), RunState::kFailed);
}

Status RunBook::Abort(const RunId& run, const std::string& by) {
  SYNOD_ASSIGN_OR_RETURN(RunRecord record, Copy(run));
  if (record.state == RunState::kAborted) return {};
  record.aborted_by = by;
  return MoveTo(std::move(record), RunState::kAborted);
}

}  // namespace synod
