#include "coordinator/coordinator_round.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/core/check.h"

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

// The ledger of a coordinator is about the run, not about a registered data set.
constexpr DatasetId kNoDataset{};

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

CoordinatorRound::Action CoordinatorRound::Fail(Error error) {
  state_ = State::kFailed;
  return GaveUp{std::move(error)};
}

CoordinatorRound::Action CoordinatorRound::Start() {
  SYNOD_CHECK(state_ == State::kIdle, "a round starts once");
  return AskNext();
}

CoordinatorRound::Action CoordinatorRound::AskNext() {
  std::optional<Query> query = ports_.trainer.Next(left());
  if (!query) {
    for (std::size_t e = 0; e < completed_.size(); ++e) {
      if (completed_[e] >= plan_->entries()[e].count) continue;
      return Fail(Failed(fmt::format("training ended after {} of {} answers of {}", completed_[e],
                                     plan_->entries()[e].count, plan_->entries()[e].name)));
    }
    state_ = State::kDone;
    return Finished{};
  }
  query->index = next_query_++;
  SYNOD_CHECK(query->entry < completed_.size() && guard_.left(query->entry) > 0, "a trainer stays within its plan");
  open_ = std::make_shared<const Query>(std::move(*query));
  open_name_ = {run_, open_->index, 0};
  Result<Ask> ask = OpenAttempt();
  if (!ask.ok()) return Fail(ask.error());
  return *ask;
}

Result<CoordinatorRound::Ask> CoordinatorRound::OpenAttempt() {
  SYNOD_ASSIGN_OR_RETURN(const SpendPermit permit, guard_.Reserve(open_->entry, open_name_, ports_.ledger));
  const PlanEntry& entry = plan_->entries()[open_->entry];
  accumulator_ = std::make_unique<SumAccumulator>(GridOf(entry), BitsOf(entry));
  answered_.clear();
  refused_.clear();
  state_ = State::kAsking;
  return Ask{open_, permit.name()};
}

void CoordinatorRound::RecordAttempt(bool completed) {
  std::vector<std::uint32_t> answered;
  const auto& roster = plan_->facts().roster;
  for (std::uint32_t site = 0; site < roster.size(); ++site) {
    if (answered_.contains(roster[site].id)) answered.push_back(site);
  }
  participation_.Record(open_name_.query, open_name_.attempt, open_->entry, completed, std::move(answered));
}

CoordinatorRound::Action CoordinatorRound::AskAgain() {
  RecordAttempt(/*completed=*/false);
  const PlanEntry& entry = plan_->entries()[open_->entry];
  const std::uint64_t completed = completed_[open_->entry];
  const bool spare = completed >= entry.count;
  // Answers that later queries need are not used up here: a run that cannot finish any more is charged no further.
  if (guard_.left(open_->entry) >= (spare ? 1 : entry.count - completed)) {
    ++open_name_.attempt;
    Result<Ask> ask = OpenAttempt();
    if (!ask.ok()) return Fail(ask.error());
    return *ask;
  }
  guard_.CloseQuery(open_->index);
  // A query beyond what the run needs may fail: nothing is lost but what it was charged.
  if (spare) return AskNext();
  return Fail(Failed(fmt::format("{} of {} sites answered a query of \"{}\", {} are needed, and the plan allows no "
                                 "further attempt{}",
                                 answered_.size(), plan_->sites(), entry.name, answers_needed(), ReasonsText()),
                     "look at those sites, then start a new run; the answers that were given stay charged"));
}

std::string CoordinatorRound::ReasonsText() const {
  std::string reasons;
  for (const RosterSite& site : plan_->facts().roster) {
    if (answered_.contains(site.id)) continue;
    const auto refused = refused_.find(site.id);
    const std::string_view reason = refused == refused_.end() ? "no answer" : RefusalReasonName(refused->second);
    reasons += fmt::format("; {}: {}", site.id, reason);
  }
  return reasons;
}

std::uint32_t CoordinatorRound::answers_needed() const {
  return std::max(plan_->facts().quorum, plan_->honest_shares());
}

bool CoordinatorRound::FitsOpenAttempt(const std::string& site, const QueryName& name) {
  const auto& roster = plan_->facts().roster;
  const bool known = std::any_of(roster.begin(), roster.end(), [&](const RosterSite& s) { return s.id == site; });
  const bool fits =
      state_ == State::kAsking && known && name == open_name_ && !answered_.contains(site) && !refused_.contains(site);
  if (!fits) ++dropped_messages_;
  return fits;
}

template <typename Sum>
std::optional<CoordinatorRound::Action> CoordinatorRound::Take(const std::string& site, const QueryName& name,
                                                               Sum&& sum) {
  if (!FitsOpenAttempt(site, name)) return std::nullopt;
  if (sum.dimension() != plan_->entries()[open_->entry].dimension) {
    ++dropped_messages_;
    return std::nullopt;
  }
  accumulator_->Add(std::move(sum));
  answered_.insert(site);
  return AfterEvent();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnAnswer(const std::string& site, const QueryName& name,
                                                                   NoisedSum&& sum) {
  // A share alone is not private: shares are only ever added up here where one trusted process holds all of them.
  SYNOD_CHECK(plan_->facts().aggregation == Aggregation::kCurator, "shares are summed in the clear by a curator alone");
  return Take(site, name, std::move(sum));
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnAnswer(const std::string& site, const QueryName& name,
                                                                   StandaloneSum&& sum) {
  return Take(site, name, std::move(sum));
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnRefusal(const std::string& site, const QueryName& name,
                                                                    RefusalReason reason) {
  if (!FitsOpenAttempt(site, name)) return std::nullopt;
  refused_.emplace(site, reason);
  return AfterEvent();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::AfterEvent() {
  if (answered_.size() + refused_.size() < plan_->sites()) return std::nullopt;
  return answered_.size() >= answers_needed() ? Close() : AskAgain();
}

std::optional<CoordinatorRound::Action> CoordinatorRound::OnDeadline() {
  if (state_ != State::kAsking) return std::nullopt;
  return answered_.size() >= answers_needed() ? Close() : AskAgain();
}

CoordinatorRound::Action CoordinatorRound::Close() {
  guard_.CloseQuery(open_->index);
  RecordAttempt(/*completed=*/true);
  const NoisySum sum = std::move(*accumulator_).Finish();
  accumulator_.reset();
  if (Status stored = ports_.store.AppendSum(open_name_, open_->entry, sum); !stored.ok()) return Fail(stored.error());
  if (Status absorbed = ports_.trainer.Absorb(*open_, sum); !absorbed.ok()) return Fail(absorbed.error());
  ++completed_[open_->entry];
  return AskNext();
}

}  // namespace synod
