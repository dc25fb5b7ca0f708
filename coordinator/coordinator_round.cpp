#include "coordinator/coordinator_round.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/check.h"
#include "common/query/grid.h"

namespace synod {
namespace {

Grid GridOf(const PlanEntry& entry) {
  Result<Grid> grid = Grid::Make(entry.grid_scale, entry.clip, entry.dimension);
  SYNOD_CHECK(grid.ok(), "a valid plan has valid grids");
  return std::move(grid).value();
}

WordBits BitsOf(const PlanEntry& entry) {
  return entry.word_bits == 32 ? WordBits::k32 : WordBits::k64;
}

// What went wrong with a disk may be over later; what was refused or does not verify stays so.
bool MayPass(const Error& error) {
  return error.code == ErrorCode::kFailed;
}

}  // namespace

CoordinatorRound::CoordinatorRound(std::shared_ptr<const Plan> plan, RunId run, Ports ports)
    : plan_(std::move(plan)),
      ports_(ports),
      guard_(*plan_, run, kNoDataset),
      run_(run),
      completed_(plan_->entries().size(), 0) {}

std::vector<std::uint64_t> CoordinatorRound::left() const {
  std::vector<std::uint64_t> left;
  for (std::size_t e = 0; e < plan_->entries().size(); ++e) left.push_back(guard_.left(static_cast<std::uint32_t>(e)));
  return left;
}

const CoordinatorRound::Ask* CoordinatorRound::open() const {
  return state_ == State::kAsking ? &*open_ : nullptr;
}

std::vector<std::string> CoordinatorRound::missing() const {
  std::vector<std::string> missing;
  if (state_ != State::kAsking) return missing;
  for (const RosterSite& site : plan_->facts().roster) {
    if (!answered_.contains(site.id) && !refused_.contains(site.id)) missing.push_back(site.id);
  }
  return missing;
}

const PlanEntry& CoordinatorRound::open_entry() const {
  return plan_->entries()[open_->query->entry];
}

CoordinatorRound::Action CoordinatorRound::Fail(Error error, bool resumable) {
  state_ = State::kFailed;
  return GaveUp{std::move(error), resumable};
}

// ---- Training.

CoordinatorRound::Action CoordinatorRound::Start() {
  SYNOD_CHECK(state_ == State::kIdle, "a round starts once");
  return TrainNext(nullptr, /*replayed=*/false);
}

CoordinatorRound::Action CoordinatorRound::TrainNext(std::shared_ptr<const NoisySum> sum, bool replayed) {
  state_ = State::kTraining;
  Train train;
  if (sum != nullptr) train.answered = open_->query;
  train.sum = std::move(sum);
  train.left = left();
  train.replayed = replayed;
  train.trained_queries = next_query_;
  open_.reset();
  return train;
}

CoordinatorRound::Action CoordinatorRound::OnTrainingFailed(Error error) {
  SYNOD_CHECK(state_ == State::kTraining, "only who was asked to train can fail to");
  return Fail(std::move(error));
}

Status CoordinatorRound::CheckNext(const Query& next) const {
  const auto& entries = plan_->entries();
  if (next.entry >= entries.size() || entries[next.entry].kind != next.kind || guard_.left(next.entry) == 0) {
    return Failed(fmt::format("the trainer asks for an answer of entry {} that the plan does not have", next.entry));
  }
  return {};
}

CoordinatorRound::Action CoordinatorRound::OnTrained(std::optional<Query> next) {
  SYNOD_CHECK(state_ == State::kTraining, "a query comes when training was asked for one");
  if (!next) return FinishTraining();
  if (Status fits = CheckNext(*next); !fits.ok()) return Fail(fits.error());
  next->index = next_query_++;
  const QueryName name{run_, next->index, 0};
  open_ = Ask{std::make_shared<const Query>(std::move(*next)), name};
  return OpenAttempt();
}

CoordinatorRound::Action CoordinatorRound::FinishTraining() {
  if (recalled_ < history_.ledger_rows.size()) {
    return Fail(VerificationFailed(fmt::format("ledger row {}: the trainer was done before the query that it charges",
                                               history_.ledger_rows[recalled_].index)));
  }
  for (std::size_t e = 0; e < completed_.size(); ++e) {
    if (completed_[e] >= plan_->entries()[e].count) continue;
    return Fail(Failed(fmt::format("training ended after {} of {} answers of {}", completed_[e],
                                   plan_->entries()[e].count, plan_->entries()[e].name)));
  }
  state_ = State::kDone;
  return Finished{};
}

// ---- Asking.

CoordinatorRound::Action CoordinatorRound::OpenAttempt() {
  while (recalled_ < history_.ledger_rows.size()) {
    if (Status recalled = RecallAttempt(); !recalled.ok()) return Fail(recalled.error());
    // Charged and without a record: it is still open, unless its masks are gone.
    if (recalled_ > history_.attempts.size()) {
      if (!secure()) return WaitForAnswers();
      answered_.clear();
      not_opened_ = "the coordinator was restarted in the middle";
      return AskAgain();
    }
    const AttemptRecord& attempt = history_.attempts[recalled_ - 1];
    Count(attempt);
    if (attempt.completed) {
      Result<std::shared_ptr<const NoisySum>> sum = LoadSum(attempt);
      if (!sum.ok()) return Fail(sum.error(), MayPass(sum.error()));
      return TrainNext(std::move(*sum), /*replayed=*/true);
    }
    answered_.clear();
    for (const std::uint32_t site : attempt.answered) answered_.insert(plan_->facts().roster[site].id);
    if (std::optional<Action> end = EndWithoutSum(/*recalled=*/true)) return std::move(*end);
  }
  const Result<SpendPermit> permit = guard_.Reserve(open_->query->entry, open_->name, ports_.ledger);
  if (!permit.ok()) return Fail(permit.error(), MayPass(permit.error()));
  return WaitForAnswers();
}

CoordinatorRound::Action CoordinatorRound::WaitForAnswers() {
  accumulator_.reset();
  answered_.clear();
  refused_.clear();
  not_opened_.clear();
  state_ = State::kAsking;
  return *open_;
}

AttemptRecord CoordinatorRound::AttemptOf(bool completed) const {
  AttemptRecord attempt{open_->name, open_->query->entry, completed, {}};
  const auto& roster = plan_->facts().roster;
  for (std::uint32_t site = 0; site < roster.size(); ++site) {
    if (answered_.contains(roster[site].id)) attempt.answered.push_back(site);
  }
  return attempt;
}

void CoordinatorRound::Count(const AttemptRecord& attempt) {
  participation_.Record(attempt.name.query, attempt.name.attempt, attempt.entry, attempt.completed, attempt.answered);
  if (!attempt.completed) return;
  ++completed_[attempt.entry];
  guard_.CloseQuery(attempt.name.query);
}

CoordinatorRound::Action CoordinatorRound::AskAgain() {
  const AttemptRecord attempt = AttemptOf(/*completed=*/false);
  const Status stored = ports_.store.AppendAttempt(attempt, nullptr);
  if (!stored.ok()) return Fail(stored.error(), MayPass(stored.error()));
  Count(attempt);
  if (std::optional<Action> end = EndWithoutSum(/*recalled=*/false)) return std::move(*end);
  return OpenAttempt();
}

// Goes on to the next attempt, or says what happens where there is none.
std::optional<CoordinatorRound::Action> CoordinatorRound::EndWithoutSum(bool recalled) {
  const PlanEntry& entry = open_entry();
  const std::uint64_t completed = completed_[open_->query->entry];
  const bool spare = completed >= entry.count;
  // Answers that later queries need are not used up here: a run that cannot finish any more is charged no further.
  if (guard_.left(open_->query->entry) >= (spare ? 1 : entry.count - completed)) {
    ++open_->name.attempt;
    return std::nullopt;
  }
  guard_.CloseQuery(open_->query->index);
  // A query beyond what the run needs may fail: nothing is lost but what it was charged.
  if (spare) return TrainNext(nullptr, /*replayed=*/false);
  return Fail(
      Failed(fmt::format("{} of {} sites answered a query of \"{}\", {} are needed, and the plan allows no "
                         "further attempt{}",
                         answered_.size(), plan_->sites(), entry.name, AnswersNeeded(*plan_), ReasonsText(recalled)),
             "look at those sites, then start a new run; the answers that were given stay charged"));
}

// Records do not keep why a site refused.
std::string CoordinatorRound::ReasonsText(bool recalled) const {
  const std::string_view silent = recalled ? "no answer, or a refusal before the restart" : "no answer";
  std::string reasons;
  if (!not_opened_.empty()) reasons.append("; ").append(not_opened_);
  for (const RosterSite& site : plan_->facts().roster) {
    if (answered_.contains(site.id)) continue;
    const auto refused = refused_.find(site.id);
    const std::string_view reason = refused == refused_.end() ? silent : RefusalReasonName(refused->second);
    reasons += fmt::format("; {}: {}", site.id, reason);
  }
  return reasons;
}

SumAccumulator& CoordinatorRound::Accumulator() {
  if (accumulator_ == nullptr) {
    accumulator_ = std::make_unique<SumAccumulator>(GridOf(open_entry()), BitsOf(open_entry()));
  }
  return *accumulator_;
}

bool CoordinatorRound::FitsOpenAttempt(const std::string& site, const QueryName& name) {
  const auto& roster = plan_->facts().roster;
  const bool known = std::any_of(roster.begin(), roster.end(), [&](const RosterSite& s) { return s.id == site; });
  const bool fits =
      state_ == State::kAsking && known && name == open_->name && !answered_.contains(site) && !refused_.contains(site);
  if (!fits) ++dropped_messages_;
  return fits;
}

template <typename Sum>
std::optional<CoordinatorRound::Action> CoordinatorRound::Take(const std::string& site, const QueryName& name,
                                                               Sum&& sum) {
  if (!FitsOpenAttempt(site, name)) return std::nullopt;
  if (sum.dimension() != open_entry().dimension) {
    ++dropped_messages_;
    return std::nullopt;
  }
  Accumulator().Add(std::move(sum));
  answered_.insert(site);
  return AfterEvent();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnAnswer(const std::string& site, const QueryName& name,
                                                                   NoisedSum&& sum) {
  // A share alone is not private, and has no bytes: one arrives here only where one process simulates all sites.
  SYNOD_CHECK(plan_->facts().aggregation != Aggregation::kNone, "an answer that is seen on its own carries all noise");
  return Take(site, name, std::move(sum));
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnAnswer(const std::string& site, const QueryName& name,
                                                                   StandaloneSum&& sum) {
  return Take(site, name, std::move(sum));
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnAnswer(const std::string& site, const QueryName& name,
                                                                   ByteView words) {
  if (!FitsOpenAttempt(site, name)) return std::nullopt;
  // Only where every answer carries the whole noise do its words come alone from outside.
  if (plan_->facts().aggregation != Aggregation::kNone || !Accumulator().AddEncoded(words).ok()) {
    ++dropped_messages_;
    return std::nullopt;
  }
  answered_.insert(site);
  return AfterEvent();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnRefusal(const std::string& site, const QueryName& name,
                                                                    RefusalReason reason) {
  if (!FitsOpenAttempt(site, name)) return std::nullopt;
  refused_.emplace(site, reason);
  return AfterEvent();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnOpened(const QueryName& name,
                                                                   const std::vector<std::string>& survivors,
                                                                   OpenedSum&& sum) {
  SYNOD_CHECK(secure() && sum.answers() == survivors.size(), "a masked sum says how many answers are in it");
  if (state_ != State::kAsking || name != open_->name) return std::nullopt;
  SYNOD_CHECK(sum.answers() >= AnswersNeeded(*plan_), "a sum below the quorum was opened");
  SYNOD_CHECK(sum.bits() == BitsOf(open_entry()), "a masked sum has the words of its entry");
  answered_.insert(survivors.begin(), survivors.end());
  return CloseWith(std::make_shared<const NoisySum>(SumAccumulator::Open(GridOf(open_entry()), std::move(sum))));
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnNotOpened(const QueryName& name,
                                                                      const std::vector<std::string>& answered,
                                                                      std::string reason) {
  if (state_ != State::kAsking || name != open_->name) return std::nullopt;
  answered_.insert(answered.begin(), answered.end());
  not_opened_ = std::move(reason);
  return AskAgain();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::AfterEvent() {
  if (answered_.size() + refused_.size() < plan_->sites()) return std::nullopt;
  return answered_.size() >= AnswersNeeded(*plan_) ? Close() : AskAgain();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnDeadline() {
  if (state_ != State::kAsking) return std::nullopt;
  return answered_.size() >= AnswersNeeded(*plan_) ? Close() : AskAgain();
}

CoordinatorRound::Action CoordinatorRound::Close() {
  return CloseWith(std::make_shared<const NoisySum>(std::move(*accumulator_).Finish()));
}

CoordinatorRound::Action CoordinatorRound::CloseWith(std::shared_ptr<const NoisySum> sum) {
  const AttemptRecord attempt = AttemptOf(/*completed=*/true);
  accumulator_.reset();
  const Status stored = ports_.store.AppendAttempt(attempt, sum.get());
  if (!stored.ok()) return Fail(stored.error(), MayPass(stored.error()));
  Count(attempt);
  return TrainNext(std::move(sum), /*replayed=*/false);
}

// ---- Replay.

Result<CoordinatorRound> CoordinatorRound::Restore(std::shared_ptr<const Plan> plan, RunId run, Ports ports,
                                                   RoundHistory history) {
  CoordinatorRound round(std::move(plan), run, ports);
  const std::uint32_t trained_queries = history.trained_queries;
  SYNOD_ASSIGN_OR_RETURN(round.history_, CheckHistory(*round.plan_, run, std::move(history)));
  round.SkipTrained(trained_queries);
  return round;
}

// What the trainer's checkpoint has behind it counts without being given to it again.
void CoordinatorRound::SkipTrained(std::uint32_t trained_queries) {
  while (recalled_ < history_.attempts.size() && history_.attempts[recalled_].name.query < trained_queries) {
    const Status recalled = guard_.Recall(history_.ledger_rows[recalled_]);
    SYNOD_CHECK(recalled.ok(), "a checked history follows the rules");
    Count(history_.attempts[recalled_++]);
  }
  next_query_ = trained_queries;
}

// The next row of the history must charge the open attempt.
Status CoordinatorRound::RecallAttempt() {
  const LedgerRow& row = history_.ledger_rows[recalled_];
  if (row.charge.name != open_->name || row.charge.entry != open_->query->entry) {
    return VerificationFailed(
        fmt::format("ledger row {}: it charges query {} attempt {} of entry {}, the trainer asks "
                    "query {} attempt {} of entry {}",
                    row.index, row.charge.name.query, row.charge.name.attempt, row.charge.entry, open_->name.query,
                    open_->name.attempt, open_->query->entry));
  }
  SYNOD_RETURN_IF_ERROR(guard_.Recall(row));
  ++recalled_;
  return {};
}

Result<std::shared_ptr<const NoisySum>> CoordinatorRound::LoadSum(const AttemptRecord& attempt) const {
  SYNOD_ASSIGN_OR_RETURN(const Bytes words, ports_.store.LoadWords(attempt.name.query));
  const PlanEntry& entry = plan_->entries()[attempt.entry];
  Result<NoisySum> sum =
      SumAccumulator::Decode(GridOf(entry), BitsOf(entry), words, static_cast<std::uint32_t>(attempt.answered.size()));
  if (!sum.ok()) {
    return VerificationFailed(fmt::format("the stored sum of query {} has the wrong length", attempt.name.query));
  }
  return std::make_shared<const NoisySum>(std::move(*sum));
}

}  // namespace synod
