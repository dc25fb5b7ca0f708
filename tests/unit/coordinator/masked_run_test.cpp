// A coordinator's run with secure aggregation, against the sites' own side of the protocol: who takes part, who leaves,
// what is asked again, and that the sum is exactly that of the survivors.
#include <gtest/gtest.h>

#include <cstring>

#include "common/crypto/sha256.h"
#include "common/query/unmasked_words.h"
#include "secure_agg/codec.h"
#include "secure_agg/plan_setup.h"
#include "secure_agg/site_attempt.h"
#include "tests/unit/coordinator/training_fixture.h"

namespace synod {
namespace {

using secure_agg::ServerPhase;
using secure_agg::SiteActions;
using testing::RoundPlanOptions;
using testing::ShareOf;
using testing::TrainingRunTest;

std::uint64_t SeedOf(const std::string& site, const QueryName& name) {
  return name.query * 1000 + name.attempt * 100 + static_cast<std::uint64_t>(site.back());
}

// A site's process: dies with what it holds in memory; its ledger and promises stay.
class MaskedSite {
 public:
  MaskedSite(std::string name, std::shared_ptr<const SigningKey> key, std::shared_ptr<const Plan> plan,
             const RunId& run)
      : name_(std::move(name)),
        key_(std::move(key)),
        plan_(std::move(plan)),
        ledger_(Ledger::Open(rows_).value()),
        guard_(*plan_, run, DatasetId{}, BudgetGuard::Attempts::kIncreasing) {}

  using Send = std::function<void(Envelope)>;
  void OnAsk(const QueryAsk& ask, ByteView payload, const std::map<std::string, PublicKey>& keys, const Send& send) {
    if (attempt_ && attempt_->setup().name() == ask.name) return Act(attempt_->OnReconnect(), send);
    Query query;
    query.index = ask.name.query;
    query.entry = ask.entry;
    query.kind = ask.kind;
    query.context.resize(ask.context_values);
    query.parameters.resize(ask.parameter_values);
    std::memcpy(query.context.data(), payload.data(), 4 * ask.context_values);
    std::memcpy(query.parameters.data(), payload.data() + 4 * ask.context_values, 4 * ask.parameter_values);
    const auto setup =
        std::make_shared<const secure_agg::AttemptSetup>(secure_agg::SetupOf(*plan_, ask.name, query, keys).value());
    entry_ = ask.entry;
    attempt_.emplace(secure_agg::SiteSelf{setup, *setup->IndexOf(name_), key_},
                     SecretRandomForTestsOnly::FromSeed(SeedOf(name_, ask.name) + 7), statement, promises_);
    Act(attempt_->Start(), send);
  }
  void OnStep(ByteView payload, const Send& send) {
    if (!attempt_) return;
    Act(attempt_->OnMessage(secure_agg::DecodeCoordinatorMessage(payload).value()), send);
  }
  void Die() { attempt_.reset(); }
  std::size_t charged() const { return rows_.Load()->size(); }
  const std::optional<secure_agg::SiteAttempt>& attempt() const { return attempt_; }

  bool computes = true;           // gives its input when it is asked for
  bool leaves_in_upload = false;  // sends its chunks and not their end
  Bytes statement;                // to its peers

 private:
  void Act(SiteActions actions, const Send& send) {
    const QueryName name = attempt_->setup().name();
    for (const secure_agg::SiteAction& action : actions) {
      if (const auto* step = std::get_if<secure_agg::SendToCoordinator>(&action)) {
        send({AggregationStep{name}, std::make_shared<const Bytes>(secure_agg::Encode(step->message))});
      } else if (std::holds_alternative<secure_agg::JudgePeers>(action)) {
        Act(attempt_->AcceptPeers(), send);
      } else if (std::holds_alternative<secure_agg::NeedInput>(action) && computes) {
        SpendPermit permit = guard_.Reserve(entry_, name, ledger_).value();
        Act(attempt_->OnInput(UnmaskedWords(ShareOf(*plan_, entry_, SeedOf(name_, name)), WordBits::k32),
                              std::move(permit)),
            send);
      } else if (const auto* upload = std::get_if<secure_agg::SendUpload>(&action)) {
        for (std::uint32_t i = upload->first_chunk; i < attempt_->chunks(); ++i) {
          const ByteView words = attempt_->Chunk(i).words;
          send({AggregationChunk{name, i}, std::make_shared<const Bytes>(words.begin(), words.end())});
        }
        if (leaves_in_upload) return;
        send({AggregationStep{name}, std::make_shared<const Bytes>(secure_agg::Encode(attempt_->EndOfUpload()))});
      }
    }
  }

  std::string name_;
  std::shared_ptr<const SigningKey> key_;
  std::shared_ptr<const Plan> plan_;
  InMemoryLedgerStore rows_;
  Ledger ledger_;
  BudgetGuard guard_;
  secure_agg::InMemoryPromises promises_;
  std::uint32_t entry_ = 0;
  std::optional<secure_agg::SiteAttempt> attempt_;
};

// Four sites, of which three are needed; one may collude.
class MaskedRunTest : public TrainingRunTest {
 protected:
  void SetUp() override {
    RoundPlanOptions options;
    options.aggregation = Aggregation::kSecure;
    options.sites = 4;
    options.quorum = 3;
    std::map<std::string, std::shared_ptr<const SigningKey>> keys;
    for (const char* site : {"site-a", "site-b", "site-c", "site-d"}) {
      keys[site] = std::make_shared<const SigningKey>(SigningKey::Generate());
      site_keys_.emplace(site, keys[site]->public_key());
      options.keys.push_back(Sha256(keys[site]->public_key().bytes()));
    }
    Make(options);
    keys_of_sites_ = site_keys_;
    for (const auto& [site, key] : keys) {
      Connect(site);
      homes_.emplace(site, std::make_unique<MaskedSite>(site, key, plan_, record_.run()));
    }
    Begin();
    Work();
  }

  // Delivers until nothing moves; what is sent to a site that is not connected is lost.
  void Pump() {
    while (!sent_.empty()) {
      const auto [site, envelope] = std::move(sent_.front());
      sent_.erase(sent_.begin());
      if (!sites_.connected(site)) continue;
      const ByteView payload = envelope.payload ? ByteView(*envelope.payload) : ByteView();
      std::vector<Envelope> answers;
      const auto send = [&](Envelope answer) { answers.push_back(std::move(answer)); };
      if (const auto* ask = std::get_if<QueryAsk>(&envelope.message)) {
        homes_.at(site)->OnAsk(*ask, payload, keys_of_sites_, send);
      } else if (std::holds_alternative<AggregationStep>(envelope.message)) {
        homes_.at(site)->OnStep(payload, send);
      }
      for (const Envelope& answer : answers) {
        if (const auto* step = std::get_if<AggregationStep>(&answer.message)) {
          run_->OnStep(site, step->name, *answer.payload);
        } else {
          run_->OnChunk(site, std::get<AggregationChunk>(answer.message), *answer.payload);
        }
        Work();
      }
    }
  }
  void WaitAndPump(double seconds) {
    for (double passed = 0.0; passed < seconds; passed += 1.0) {
      clock_.now += 1.0;
      run_->Tick();
      Work();
      Pump();
    }
  }
  // The words of the sum of these sites' shares, added up in the clear.
  Bytes SumOf(const std::vector<std::string>& sites, const QueryName& name) const {
    const std::uint32_t entry = name.query == 0 ? 0 : 1;
    SumAccumulator total(testing::GridOfEntry(plan_->entries()[entry]), WordBits::k32);
    for (const std::string& site : sites) total.Add(ShareOf(*plan_, entry, SeedOf(site, name)));
    return std::move(total).Finish().words();
  }
  QueryName Named(std::uint32_t query, std::uint32_t attempt = 0) const { return {record_.run(), query, attempt}; }
  // The words that the trainer was given for query 0, 1, ...
  Bytes Trained(std::size_t query) const { return trained_.at(query + 1).words; }

  std::map<std::string, std::unique_ptr<MaskedSite>> homes_;
  std::map<std::string, PublicKey> keys_of_sites_;  // as the sites know them
};

TEST_F(MaskedRunTest, TrainsToItsDraftOnSumsThatAreExactlyThoseOfAllSites) {
  Pump();
  ASSERT_TRUE(drafted_);
  for (std::uint32_t query = 0; query < 4; ++query) {
    EXPECT_EQ(Trained(query), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(query))) << query;
  }
  EXPECT_EQ(ledger_store_.Load()->size(), 4u);
  for (const auto& [site, home] : homes_) EXPECT_EQ(home->charged(), 4u) << site;
}

TEST_F(MaskedRunTest, ASiteThatStatesWhatCannotBeReadIsLeftOutAndTheSumOfTheOthersOpensInTheSameAttempt) {
  homes_.at("site-d")->statement = {0xff};
  Pump();
  ASSERT_TRUE(drafted_);
  for (std::uint32_t query = 0; query < 4; ++query) {
    EXPECT_EQ(Trained(query), SumOf({"site-a", "site-b", "site-c"}, Named(query))) << query;
  }
  EXPECT_EQ(homes_.at("site-d")->charged(), 0u);
}

TEST_F(MaskedRunTest, AnswersThatAreNotMaskedAreDropped) {
  const auto asks = TakeAsks();
  ASSERT_EQ(asks.size(), 4u);
  for (const auto& [site, name] : asks) {
    run_->OnAnswer(site, name, Bytes(4 * plan_->entries()[0].dimension, 1));
  }
  EXPECT_EQ(trained_.size(), 1u) << "nothing but the first query was trained";
  EXPECT_FALSE(failure_);
}

TEST_F(MaskedRunTest, ASiteThatIsAwayIsLeftOutAndTheSumIsThatOfTheOthers) {
  Disconnect("site-b");
  Pump();
  EXPECT_EQ(trained_.size(), 1u) << "it may come back";
  WaitAndPump(61.0);  // the deadline of a query; after it, nobody waits for the site
  ASSERT_TRUE(drafted_);
  for (std::uint32_t query = 0; query < 4; ++query) {
    EXPECT_EQ(Trained(query), SumOf({"site-a", "site-c", "site-d"}, Named(query))) << query;
  }
  EXPECT_EQ(run_->participation()->AnsweredBy(1, 2), (std::vector<std::uint64_t>{0, 0}));
  EXPECT_EQ(homes_.at("site-b")->charged(), 0u);
}

TEST_F(MaskedRunTest, ASiteThatNeverGivesItsInputIsLeftOutAtTheDeadline) {
  homes_.at("site-d")->computes = false;
  Pump();
  EXPECT_EQ(trained_.size(), 1u);
  EXPECT_EQ(Kind(), WaitKind::kAnswers);
  WaitAndPump(61.0);
  ASSERT_GE(trained_.size(), 2u);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-b", "site-c"}, Named(0)));
}

TEST_F(MaskedRunTest, ASiteWhoseProcessWasStartedAgainIsLeftOutAtOnce) {
  homes_.at("site-d")->computes = false;
  Pump();
  Disconnect("site-d");
  homes_.at("site-d")->Die();
  homes_.at("site-d")->computes = true;
  Connect("site-d", /*process=*/2);
  Pump();
  ASSERT_TRUE(drafted_) << "without waiting";
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-b", "site-c"}, Named(0)));
  EXPECT_EQ(Trained(1), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(1)));
}

TEST_F(MaskedRunTest, ASiteWhoseLinkWasLostInItsUploadGoesOn) {
  homes_.at("site-c")->leaves_in_upload = true;
  Pump();
  EXPECT_EQ(trained_.size(), 1u);
  Disconnect("site-c");
  homes_.at("site-c")->leaves_in_upload = false;
  WaitAndPump(3.0);
  EXPECT_EQ(trained_.size(), 1u) << "it may come back";
  Connect("site-c");
  Pump();
  ASSERT_TRUE(drafted_);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(0)));
  EXPECT_EQ(homes_.at("site-c")->charged(), 4u) << "one charge a query";
}

TEST_F(MaskedRunTest, ALinkThatStaysLostIsNotWaitedForUntilTheDeadline) {
  homes_.at("site-c")->leaves_in_upload = true;
  Pump();
  Disconnect("site-c");
  WaitAndPump(MaskedAttempt::kReturnSeconds + 1.0);
  ASSERT_GE(trained_.size(), 2u);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-b", "site-d"}, Named(0)));
}

TEST_F(MaskedRunTest, BelowTheQuorumNothingIsOpenedAndTheNextAttemptIsChargedAnew) {
  homes_.at("site-b")->computes = false;
  homes_.at("site-d")->computes = false;
  Pump();
  WaitAndPump(58.0);
  EXPECT_EQ(homes_.at("site-a")->charged(), 1u) << "its masked answer left, and cannot be told from random words";
  for (const char* site : {"site-b", "site-d"}) homes_.at(site)->computes = true;
  WaitAndPump(3.0);
  ASSERT_TRUE(drafted_);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-b", "site-c"}, Named(0, 1))) << "nobody waits for one that was silent";
  EXPECT_EQ(Trained(1), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(1))) << "until it says something";
  EXPECT_EQ(ledger_store_.Load()->size(), 5u);
  EXPECT_EQ(homes_.at("site-a")->charged(), 5u);
  EXPECT_EQ(homes_.at("site-d")->charged(), 3u);
}

TEST_F(MaskedRunTest, AnAttemptThatThePlanHasNoRetryForEndsTheRunWithItsReason) {
  for (const char* site : {"site-a", "site-b"}) homes_.at(site)->computes = false;
  Pump();
  WaitAndPump(400.0);
  ASSERT_TRUE(failure_);
  EXPECT_NE(failure_->message.find("no further attempt"), std::string::npos) << failure_->message;
  EXPECT_EQ(trained_.size(), 1u);
}

TEST_F(MaskedRunTest, WhileTooFewSitesAreConnectedTheClockStandsStillAndNothingIsUsedUp) {
  sent_.clear();
  for (const char* site : {"site-a", "site-b"}) Disconnect(site);
  WaitAndPump(1000.0);
  EXPECT_EQ(Kind(), WaitKind::kQuorum);
  EXPECT_EQ(ledger_store_.Load()->size(), 1u);
  for (const char* site : {"site-a", "site-b", "site-c", "site-d"}) {
    if (sites_.connected(site)) Disconnect(site);
    Connect(site);
  }
  Pump();
  EXPECT_TRUE(drafted_);
  EXPECT_EQ(ledger_store_.Load()->size(), 4u);
}

TEST_F(MaskedRunTest, ACoordinatorThatWasRestartedInTheMiddleAsksTheNextAttempt) {
  homes_.at("site-d")->computes = false;
  Pump();
  Begin();  // another process with the same stores
  homes_.at("site-d")->computes = true;
  Work();
  Pump();
  ASSERT_TRUE(drafted_);
  EXPECT_EQ(Trained(1), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(0, 1))) << "after the replayed start";
  const std::vector<std::uint64_t> used = run_->Progress().used;
  EXPECT_EQ(used[0], 2u);
}

TEST_F(MaskedRunTest, ARefusalIsADropOutAndNotTheEndOfTheAttempt) {
  run_->OnRefusal("site-b", Named(0), RefusalReason::kLedgerUnavailable);
  std::erase_if(sent_, [](const auto& sent) { return sent.first == "site-b"; });
  Pump();
  ASSERT_TRUE(drafted_);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-c", "site-d"}, Named(0)));
  EXPECT_EQ(Trained(1), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(1)));
}

TEST_F(MaskedRunTest, AStepThatCannotBeReadExcludesItsSenderAlone) {
  run_->OnStep("site-b", Named(0), Bytes{0xff, 0x00, 0x12});
  Pump();
  ASSERT_TRUE(drafted_);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-c", "site-d"}, Named(0)));
}

TEST_F(MaskedRunTest, StepsOfAnotherAttemptOrOfStrangersChangeNothing) {
  run_->OnStep("site-x", Named(0), Bytes{1});
  run_->OnStep("site-b", Named(0, 3), Bytes{1});
  run_->OnChunk("site-b", {Named(7), 0}, Bytes(16));
  Pump();
  ASSERT_TRUE(drafted_);
  EXPECT_EQ(Trained(0), SumOf({"site-a", "site-b", "site-c", "site-d"}, Named(0)));
}

TEST_F(MaskedRunTest, AMemberWhoseKeyIsNotThePlansEndsTheRunByName) {
  site_keys_.at("site-c") = SigningKey::Generate().public_key();
  Pump();
  ASSERT_TRUE(failure_);
  EXPECT_NE(failure_->message.find("site-c"), std::string::npos) << failure_->message;
}

}  // namespace
}  // namespace synod
