// Random histories of a site's accounts in a real database: runs on two data sets at once, answers, deaths before and
// after each write, restarts, ends, backups put back and restorations. Whatever happens, what the accounts hold is
// never less than a recomputation from everything that was ever permitted, lost copies included, and nothing is
// admitted beyond the budget. Every history is repeatable (PublicRandom with a fixed seed): no false alarms.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "common/privacy/ledger_guard.h"
#include "common/privacy/noise_arithmetic.h"
#include "common/privacy/rdp_accountant.h"
#include "common/query/public_random.h"
#include "site_agent/site_state.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

struct Death {};

// Ends the "process" at the n-th fail point that is reached.
class DeathSoon final : public FailPoints {
 public:
  void At(FailPoint) override {
    if (left >= 0 && left-- == 0) throw Death();
  }
  int left = -1;
};

class FixedClock final : public Clock {
 public:
  std::int64_t UnixSeconds() const override { return 1'800'000'000; }
  double MonotonicSeconds() const override { return 0.0; }
};

constexpr const char* kPolicy = R"([lifetime]
epsilon = 3.0
delta = 1e-5
[[allow]]
dataset = "one"
families = ["test"]
columns = ["age"]
max_epsilon = 3.0
max_own_share_epsilon = 9.0
max_delta = 1e-5
[[allow]]
dataset = "two"
families = ["test"]
columns = ["age"]
max_epsilon = 3.0
max_own_share_epsilon = 9.0
max_delta = 1e-5
)";

Plan RandomPlan(PublicRandom& random) {
  PlanFacts facts;
  facts.name = "history";
  facts.roster = {{"site-a", {}}, {"site-b", {}}};
  facts.quorum = 2;
  facts.delta = 1e-6;
  facts.epsilon_target = 1.0;
  facts.units = 1000;
  facts.model_family = "test";
  facts.aggregation = Aggregation::kNone;
  PlanEntry counts;
  counts.name = "counts";
  counts.dimension = 4;
  counts.count = 1 + static_cast<std::uint32_t>(random.NextWord64() % 3);
  counts.retries = static_cast<std::uint32_t>(random.NextWord64() % 3);
  counts.parts = {{"vector", 1.0}};
  counts.grid_scale = 1024.0;
  counts.sensitivity = SensitivityOnGrid(counts.grid_scale, 1.0, 4);
  const double sigma = 5.0 + static_cast<double>(random.NextWord64() % 10);
  counts.site_variance = static_cast<std::uint64_t>(std::pow(sigma * counts.sensitivity, 2));
  PlanEntry training = counts;
  training.name = "training";
  training.kind = QueryKind::kGradient;
  training.count = 4;
  training.sampling_rate = 0.25;
  return Plan::Create(facts, {counts, training}).value();
}

class History {
 public:
  explicit History(std::uint64_t seed)
      : random_(seed, "synod.tests.account_history"), key_(SigningKey::Generate()), kit_(testing::TemporaryFolder()) {
    configuration_.datasets = {{"one", "a", kit_ + "/one.csv", "drop"}, {"two", "b", kit_ + "/two.csv", "drop"}};
    policy_ = SitePolicy::FromToml(kPolicy, "policy.toml").value();
    Open();
  }

  void Step() {
    fail_points_.left = random_.NextWord64() % 4 == 0 ? static_cast<int>(random_.NextWord64() % 3) : -1;
    try {
      Act(random_.NextWord64() % 100);
    } catch (const Death&) {
      Reopen();
    }
    fail_points_.left = -1;
    Tell();
    CheckNothingIsMissing();
  }

  std::uint64_t permitted = 0;
  std::uint64_t restorations = 0;
  std::uint64_t approvals = 0;
  std::uint64_t refusals = 0;

 private:
  void Open() {
    Result<std::unique_ptr<SiteState>> state = SiteState::Open(kit_, clock_, fail_points_);
    ASSERT_TRUE(state.ok()) << state.error().message;
    state_ = std::move(*state);
    ASSERT_TRUE(state_->Reconcile(configuration_, policy_).ok());
    for (const auto& [name, dataset] : state_->datasets().registered()) orders_[name] = dataset.budget.order;
  }
  void Reopen() {
    fail_points_.left = -1;
    state_.reset();
    Open();
  }

  void Act(std::uint64_t dice) {
    if (state_->rolled_back()) return Recover();
    if (dice < 15) return Approve();
    if (dice < 75) return Answer();
    if (dice < 83) return End();
    if (dice < 91) return Reopen();
    if (dice < 95) return Copy("/state", "/backup");
    if (std::filesystem::exists(kit_ + "/backup")) PutBack();
  }

  void Copy(const std::string& from, const std::string& to) {
    fail_points_.left = -1;
    state_.reset();
    std::filesystem::remove_all(kit_ + to);
    std::filesystem::copy(kit_ + from, kit_ + to, std::filesystem::copy_options::recursive);
    Open();
  }

  void PutBack() {
    const bool loses = Told();
    const std::uint64_t rows = state_->ledger().rows();
    const LedgerId id = state_->ledger().id();
    Copy("/backup", "/state");
    if (!loses) return;
    const bool lost = state_->ledger().rows() < rows || state_->ledger().id() != id;
    const LedgerOwner owner{"wards", "site-a", key_.public_key()};
    const auto found = JudgeWitnesses(owner, state_->ledger(), std::vector<SignedHead>{*witnessed_});
    EXPECT_EQ(!found.empty(), lost) << "what was lost is noticed, and nothing else";
    if (!found.empty()) {
      EXPECT_TRUE(state_->NoteRollback(found, 0).ok());
    }
  }
  bool Told() const { return witnessed_.has_value(); }

  void Recover() {
    const RunId run = NewRun();
    EXPECT_FALSE(state_->Reserve("one", run, RandomPlan(random_)).ok()) << "nothing is approved meanwhile";
    if (state_->Restore(0).ok()) ++restorations;
  }

  RunId NewRun() {
    RunId run;
    for (std::size_t i = 0; i < 8; ++i) run.bytes[i] = static_cast<std::uint8_t>(next_run_ >> (8 * i));
    ++next_run_;
    return run;
  }

  void Approve() {
    const std::string dataset = random_.NextWord64() % 2 == 0 ? "one" : "two";
    const Plan plan = RandomPlan(random_);
    SiteRunRecord record;
    record.run = NewRun();
    record.plan_hash = plan.Hash();
    record.offer.plan = plan.CanonicalText();
    record.dataset = dataset;
    const RunId run = record.run;
    if (!state_->runs().Add(std::move(record)).ok()) return;
    if (!state_->Reserve(dataset, run, plan).ok()) {
      ++refusals;
      EXPECT_TRUE(state_->runs().Change(run, [](auto& change) { change.state = SiteRunState::kDenied; }).ok());
      return;
    }
    const LifetimeFilter& account = *state_->Account(dataset);
    EXPECT_LE(account.held().rdp, account.budget().rdp) << "never admits beyond the budget";
    ++approvals;
    EXPECT_TRUE(state_->runs().Change(run, [](auto& change) { change.state = SiteRunState::kApproved; }).ok());
  }

  std::vector<RunId> OpenRuns() const {
    std::vector<RunId> open;
    for (const auto& [run, record] : state_->runs().runs()) {
      if (record.state == SiteRunState::kApproved) open.push_back(run);
    }
    return open;
  }

  void Answer() {
    const std::vector<RunId> open = OpenRuns();
    if (open.empty()) return;
    const RunId run = open[random_.NextWord64() % open.size()];
    const SiteRunRecord& record = *state_->runs().Find(run);
    const std::string name = record.dataset;
    const Plan plan = Plan::FromCanonicalText(record.offer.plan).value();
    const DatasetId dataset = state_->datasets().Find(name)->id;
    BudgetGuard guard =
        BudgetGuard::Restore(plan, run, dataset, BudgetGuard::Attempts::kIncreasing, state_->RowsOf(run).value())
            .value();
    const auto entry = static_cast<std::uint32_t>(random_.NextWord64() % 2);
    const auto query = static_cast<std::uint32_t>(state_->ledger().rows() + random_.NextWord64() % 2);
    Result<SpendPermit> permit = guard.Reserve(entry, {run, query, 0}, state_->ledger());
    if (!permit.ok()) return;
    ++permitted;
    spent_[name] += RdpAtOrder({plan.entries()[entry].Event(plan.honest_shares(), 1)}, orders_.at(name)).value();
  }

  void End() {
    const std::vector<RunId> open = OpenRuns();
    if (open.empty()) return;
    const RunId run = open[random_.NextWord64() % open.size()];
    EXPECT_TRUE(state_->runs().Change(run, [](auto& change) { change.state = SiteRunState::kEnded; }).ok());
    EXPECT_TRUE(state_->Settle(run).ok());
  }

  // As the site does: after every approval and answer.
  void Tell() {
    if (state_->rolled_back()) return;
    const Ledger& ledger = state_->ledger();
    LedgerHead head{"site-a", ledger.id(), ledger.rows(), ledger.head(), 1'800'000'000, state_->Held()};
    witnessed_ = SignHead(key_, "wards", head);
  }

  void CheckNothingIsMissing() {
    std::map<std::string, double> whole;
    for (const RunId& run : OpenRuns()) {
      const SiteRunRecord& record = *state_->runs().Find(run);
      const Plan plan = Plan::FromCanonicalText(record.offer.plan).value();
      whole[record.dataset] += CostOfPlan(plan, orders_.at(record.dataset))->rdp;
    }
    for (const auto& [name, order] : orders_) {
      const double held = state_->Account(name)->held().rdp;
      EXPECT_GE(held, whole[name] * (1 - 1e-12));
      // A copy that was put back counts again once its loss is restored; until then it permits nothing.
      if (!state_->rolled_back()) {
        EXPECT_GE(held, spent_[name] * (1 - 1e-12)) << "data set " << name;
      }
    }
  }

  PublicRandom random_;
  SigningKey key_;
  std::string kit_;
  FixedClock clock_;
  DeathSoon fail_points_;
  SiteConfiguration configuration_;
  SitePolicy policy_;
  std::unique_ptr<SiteState> state_;
  std::map<std::string, double> orders_;
  std::map<std::string, double> spent_;  // by everything that was permitted, in any copy
  std::optional<SignedHead> witnessed_;
  std::uint64_t next_run_ = 1;
};

TEST(AccountHistory, NeverUnderCountsWhateverHappens) {
  std::uint64_t permitted = 0;
  std::uint64_t restorations = 0;
  std::uint64_t approvals = 0;
  std::uint64_t refusals = 0;
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    History history(seed);
    for (int step = 0; step < 80 && !::testing::Test::HasFailure(); ++step) history.Step();
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
    permitted += history.permitted;
    restorations += history.restorations;
    approvals += history.approvals;
    refusals += history.refusals;
  }
  EXPECT_GT(permitted, 100u) << "the histories must be about something";
  EXPECT_GT(restorations, 10u);
  EXPECT_GT(approvals, 50u);
  EXPECT_GT(refusals, 5u) << "budgets must have come to their end";
}

TEST(AccountHistory, AFileRegisteredUnderTwoNamesHasOneAccountAndAChangedSourceIsAnAct) {
  const std::string kit = testing::TemporaryFolder();
  const FixedClock clock;
  NoFailPoints none;
  const SitePolicy policy = SitePolicy::FromToml(kPolicy, "policy.toml").value();
  const auto state = SiteState::Open(kit, clock, none).value();
  SiteConfiguration twice;
  twice.datasets = {{"one", "a", kit + "/records.csv", "drop"}, {"two", "b", kit + "/records.csv", "drop"}};
  ASSERT_TRUE(state->Reconcile(twice, policy).ok());
  EXPECT_NE(state->Account("one"), nullptr);
  EXPECT_EQ(state->Account("two"), nullptr) << "a second name over the same records has no budget of its own";
  EXPECT_FALSE(state->datasets().Usable("two").ok());
  SiteConfiguration moved;
  moved.datasets = {{"one", "a", kit + "/other.csv", "drop"}};
  ASSERT_TRUE(state->Reconcile(moved, policy).ok());
  EXPECT_FALSE(state->datasets().Usable("one").ok()) << "until the administrator accepts the file";
  const DatasetId id = state->datasets().Find("one")->id;
  ASSERT_TRUE(state->datasets().AcceptSource("one", moved).ok());
  ASSERT_TRUE(state->Reconcile(moved, policy).ok());
  EXPECT_EQ(state->datasets().Usable("one")->id, id) << "the account stays";
}

}  // namespace
}  // namespace synod
