// A coordinator that dies anywhere and is taken up again ends as if it had not died, bit for bit, and pays for nothing
// twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/crypto/sha256.h"
#include "tests/unit/coordinator/round_fixture.h"

namespace synod {
namespace {

using testing::AskedName;
using testing::GivenUp;
using ::testing::HasSubstr;
using testing::IsFinished;
using testing::NameText;
using testing::RoundBench;
using testing::RoundPlanOptions;

// Words of answers by entry and fate: made once, since exact noise is slow to set up.
using MadeAnswers = std::map<std::pair<std::uint32_t, std::uint64_t>, Bytes>;

// A run whose sites do what a seed says: for every attempt each of them answers, refuses or is silent. One step is one
// message, one deadline or one turn of the trainer, so that a run can be cut anywhere.
class ScriptedRun {
 public:
  ScriptedRun(std::uint64_t seed, MadeAnswers& made) : seed_(seed), made_(made) {
    bench.trainer.uses_spares = seed % 2 == 0;
    action_ = bench.round->Start();
  }

  // False when the run has ended.
  bool Step() {
    if (IsFinished(action_) || GivenUp(action_) != nullptr) return false;
    if (const auto* train = std::get_if<CoordinatorRound::Train>(&*action_)) {
      const auto turn = *train;
      action_ = bench.TrainOnce(turn);
      next_site_ = 0;
      return true;
    }
    const auto ask = std::get<CoordinatorRound::Ask>(*action_);
    std::optional<CoordinatorRound::Action> next =
        next_site_ < 3 ? Deliver(next_site_, ask) : bench.round->OnDeadline();
    ++next_site_;
    if (next) {
      action_ = std::move(next);
      next_site_ = 0;
    }
    return true;
  }
  int RunToEnd() {
    int steps = 0;
    while (Step()) ++steps;
    return steps;
  }

  // The process dies; a trainer's checkpoint (an index of bench.checkpoints) survives or nothing of it does.
  void Restart(std::optional<std::size_t> checkpoint) {
    const std::uint32_t trained = checkpoint ? bench.checkpoints[*checkpoint].first : 0;
    testing::TestTrainer trainer(bench.plan, bench.log);
    trainer.uses_spares = seed_ % 2 == 0;
    bench.trainer = checkpoint ? bench.checkpoints[*checkpoint].second : trainer;
    bench.trained.clear();
    const Status restored = bench.Restart(bench.History(trained));
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    action_ = bench.round->Start();
    next_site_ = 0;
  }

  const CoordinatorRound::Action& action() const { return *action_; }
  RoundBench bench;

 private:
  std::uint64_t Fate(std::size_t site, const QueryName& name) const {
    const Digest digest = Sha256(AsBytes(std::to_string(seed_) + "/" + std::to_string(site) + "/" + NameText(name)));
    return digest[0];
  }
  std::optional<CoordinatorRound::Action> Deliver(std::size_t site, const CoordinatorRound::Ask& ask) {
    const std::string& id = bench.plan->facts().roster[site].id;
    const std::uint64_t fate = Fate(site, ask.name);
    if (fate % 8 == 0) return std::nullopt;
    if (fate % 8 == 1) return bench.round->OnRefusal(id, ask.name, RefusalReason::kMalformed);
    Bytes& words = made_[{ask.query->entry, fate}];
    if (words.empty()) words = testing::AnswerOf(*bench.plan, ask.query->entry, fate).Encode(WordBits::k32);
    return bench.round->OnAnswer(id, ask.name, ByteView(words));
  }

  std::uint64_t seed_;
  MadeAnswers& made_;
  std::optional<CoordinatorRound::Action> action_;
  std::size_t next_site_ = 0;  // that has its turn in the open attempt
};

void ExpectSameEnd(const ScriptedRun& cut, const ScriptedRun& whole) {
  EXPECT_EQ(cut.action().index(), whole.action().index());
  if (const auto* gave_up = std::get_if<CoordinatorRound::GaveUp>(&whole.action())) {
    // Why a site refused is not recorded: after a restart the text says so.
    const std::string& message = std::get<CoordinatorRound::GaveUp>(cut.action()).error.message;
    EXPECT_EQ(message.substr(0, message.find(';')), gave_up->error.message.substr(0, gave_up->error.message.find(';')));
  }
  EXPECT_EQ(cut.bench.round->participation(), whole.bench.round->participation());
  EXPECT_EQ(cut.bench.round->used(), whole.bench.round->used());
  EXPECT_EQ(cut.bench.trainer.absorbed, whole.bench.trainer.absorbed);
  EXPECT_EQ(cut.bench.trainer.values, whole.bench.trainer.values);
  EXPECT_EQ(cut.bench.trainer.answers, whole.bench.trainer.answers);
  EXPECT_EQ(cut.bench.ledger_store.rows(), whole.bench.ledger_store.rows()) << "nothing is charged twice";
  EXPECT_EQ(cut.bench.store.attempts, whole.bench.store.attempts);
  // The trainer saw the same answers left at every turn that it took again.
  const auto& cut_turns = cut.bench.trained;
  const auto& turns = whole.bench.trained;
  ASSERT_LE(cut_turns.size(), turns.size());
  for (std::size_t i = 0; i < cut_turns.size(); ++i) {
    const auto& expected = turns[turns.size() - cut_turns.size() + i];
    EXPECT_EQ(cut_turns[i].left, expected.left);
    EXPECT_EQ(cut_turns[i].trained_queries, expected.trained_queries);
    if (i == 0) continue;  // a checkpoint has absorbed the sum of its own turn
    ASSERT_EQ(cut_turns[i].sum == nullptr, expected.sum == nullptr);
    if (expected.answered != nullptr) {
      EXPECT_EQ(*cut_turns[i].answered, *expected.answered);
    }
  }
}

TEST(CoordinatorRestart, AtAnyStepEndsAsTheRunThatWasNeverCut) {
  MadeAnswers made;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    ScriptedRun whole(seed, made);
    const int steps = whole.RunToEnd();
    for (int cut_at = 0; cut_at <= steps; ++cut_at) {
      ScriptedRun cut(seed, made);
      for (int step = 0; step < cut_at; ++step) cut.Step();
      cut.Restart(std::nullopt);
      cut.RunToEnd();
      ExpectSameEnd(cut, whole);
      if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << ", cut at step " << cut_at;
    }
  }
}

TEST(CoordinatorRestart, FromAnyCheckpointEndsAsTheRunThatWasNeverCut) {
  MadeAnswers made;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    ScriptedRun whole(seed, made);
    const int steps = whole.RunToEnd();
    for (int cut_at = 1; cut_at <= steps; cut_at += 3) {
      ScriptedRun cut(seed, made);
      for (int step = 0; step < cut_at; ++step) cut.Step();
      const std::size_t checkpoints = cut.bench.checkpoints.size();
      for (std::size_t checkpoint = 0; checkpoint < checkpoints; ++checkpoint) {
        ScriptedRun again(seed, made);
        for (int step = 0; step < cut_at; ++step) again.Step();
        // What a checkpoint has absorbed is not needed, and is not there.
        std::erase_if(again.bench.store.words,
                      [&](const auto& sum) { return sum.first < again.bench.checkpoints[checkpoint].first; });
        again.Restart(checkpoint);
        again.RunToEnd();
        ExpectSameEnd(again, whole);
        if (::testing::Test::HasFailure()) FAIL() << "seed " << seed << ", cut at step " << cut_at;
      }
    }
  }
}

TEST(CoordinatorRestart, AgainAndAgainEndsAsTheRunThatWasNeverCut) {
  MadeAnswers made;
  for (std::uint64_t seed = 0; seed < 30; ++seed) {
    ScriptedRun whole(seed, made);
    whole.RunToEnd();
    ScriptedRun cut(seed, made);
    for (int steps = 1; steps < 200; ++steps) {
      bool ended = false;
      for (int step = 0; step < steps && !ended; ++step) ended = !cut.Step();
      if (ended) break;
      cut.Restart(std::nullopt);
    }
    ExpectSameEnd(cut, whole);
    if (::testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

// ---- Step by step.

TEST(CoordinatorRestart, AsksAnOpenAttemptAgainUnderItsNameWithoutASecondCharge) {
  RoundBench bench;
  bench.Start();
  bench.Answer("site-a", bench.Name(0), 1);
  ASSERT_TRUE(bench.Restart(bench.History()).ok());
  EXPECT_EQ(AskedName(bench.Start()), bench.Name(0));
  EXPECT_EQ(bench.ledger_store.rows().size(), 1U);
  EXPECT_THAT(bench.round->missing(), ::testing::ElementsAre("site-a", "site-b", "site-c")) << "answers lay in memory";
  EXPECT_EQ(AskedName(bench.AnswerAll(bench.Name(0), 0)), bench.Name(1));
}

TEST(CoordinatorRestart, ChargesNothingForAnAttemptThatWasRecordedAndGoesOnToTheNext) {
  RoundBench bench;
  bench.ledger_store.fail_from = 1;
  bench.Start();
  const auto stopped = bench.Deadline();
  ASSERT_NE(GivenUp(stopped), nullptr) << "recorded, and the next attempt could not be charged";
  EXPECT_TRUE(std::get<CoordinatorRound::GaveUp>(*stopped).resumable);
  bench.ledger_store.fail_from = SIZE_MAX;
  ASSERT_TRUE(bench.Restart(bench.History()).ok());
  EXPECT_EQ(AskedName(bench.Start()), bench.Name(0, 1));
  EXPECT_EQ(bench.ledger_store.rows().size(), 2U);
}

TEST(CoordinatorRestart, TakesUpARunWhoseDisksFailed) {
  for (const bool keeps_row : {false, true}) {
    RoundBench bench;
    bench.ledger_store.fail_from = 1;
    bench.ledger_store.keeps_row_on_failure = keeps_row;
    bench.Start();
    const auto stopped = bench.AnswerAll(bench.Name(0), 0);
    ASSERT_NE(GivenUp(stopped), nullptr);
    EXPECT_TRUE(std::get<CoordinatorRound::GaveUp>(*stopped).resumable);
    bench.ledger_store.fail_from = SIZE_MAX;
    bench.trainer = testing::TestTrainer(bench.plan, bench.log);
    ASSERT_TRUE(bench.Restart(bench.History()).ok());
    EXPECT_EQ(AskedName(bench.Start()), bench.Name(1));
    EXPECT_EQ(bench.ledger_store.rows().size(), 2U) << "the row was there, or is there now";
  }
  RoundBench bench;
  bench.store.fails = true;
  bench.Start();
  const auto stopped = bench.AnswerAll(bench.Name(0), 0);
  EXPECT_TRUE(std::get<CoordinatorRound::GaveUp>(*stopped).resumable);
  bench.store.fails = false;
  ASSERT_TRUE(bench.Restart(bench.History()).ok());
  EXPECT_EQ(AskedName(bench.Start()), bench.Name(0)) << "the same attempt: sites send what they stored";
  EXPECT_EQ(AskedName(bench.AnswerAll(bench.Name(0), 0)), bench.Name(1));
}

TEST(CoordinatorRestart, CannotHelpARunThatGaveUpForGood) {
  RoundBench bench;
  bench.Start();
  bench.Deadline();
  const auto stopped = bench.Deadline();
  ASSERT_NE(GivenUp(stopped), nullptr);
  EXPECT_FALSE(std::get<CoordinatorRound::GaveUp>(*stopped).resumable);
  ASSERT_TRUE(bench.Restart(bench.History()).ok());
  const auto again = bench.Start();
  ASSERT_NE(GivenUp(again), nullptr) << "and is not charged for trying";
  EXPECT_EQ(bench.ledger_store.rows().size(), 2U);
}

TEST(CoordinatorRestart, SaysThatASumComesFromTheStore) {
  RoundBench bench;
  bench.Start();
  bench.AnswerAll(bench.Name(0), 0);
  bench.trained.clear();
  bench.trainer = testing::TestTrainer(bench.plan, bench.log);
  ASSERT_TRUE(bench.Restart(bench.History()).ok());
  bench.Start();
  ASSERT_EQ(bench.trained.size(), 2U);
  EXPECT_FALSE(bench.trained[0].replayed);
  EXPECT_TRUE(bench.trained[1].replayed);
  bench.AnswerAll(bench.Name(1), 1);
  EXPECT_FALSE(bench.trained[2].replayed);
}

// ---- A trainer that does not do again what it did.

std::optional<CoordinatorRound::Action> ReplayWith(const std::function<void(RoundBench&)>& change) {
  RoundBench bench;
  bench.Start();
  bench.AnswerAll(bench.Name(0), 0);
  bench.AnswerAll(bench.Name(1), 1);
  bench.trainer = testing::TestTrainer(bench.plan, bench.log);
  change(bench);
  EXPECT_TRUE(bench.Restart(bench.History()).ok());
  return bench.Start();
}

TEST(CoordinatorReplay, StopsAtATrainerThatAsksSomethingElseAndNamesTheRow) {
  const auto other = ReplayWith([](RoundBench& bench) { bench.trainer.uses_spares = true; });
  ASSERT_NE(GivenUp(other), nullptr);
  EXPECT_EQ(GivenUp(other)->code, ErrorCode::kVerificationFailed);
  EXPECT_THAT(GivenUp(other)->message, HasSubstr("ledger row 1"));
  EXPECT_FALSE(std::get<CoordinatorRound::GaveUp>(*other).resumable);
  const auto done = ReplayWith([](RoundBench& bench) { bench.trainer.stops_early = true; });
  ASSERT_NE(GivenUp(done), nullptr);
  EXPECT_THAT(GivenUp(done)->message, HasSubstr("ledger row 0"));
}

TEST(CoordinatorReplay, StopsAtASumThatIsMissingOrOfAnotherLength) {
  const auto missing = ReplayWith([](RoundBench& bench) { bench.store.words.erase(1); });
  ASSERT_NE(GivenUp(missing), nullptr);
  EXPECT_EQ(GivenUp(missing)->code, ErrorCode::kVerificationFailed);
  const auto shorter = ReplayWith([](RoundBench& bench) { bench.store.words.at(0).pop_back(); });
  ASSERT_NE(GivenUp(shorter), nullptr);
  EXPECT_THAT(GivenUp(shorter)->message, HasSubstr("query 0"));
}

// ---- What the daemon looks at while it waits, and answers as bytes.

TEST(CoordinatorOpen, NamesTheAttemptAndWhoHasNotSpoken) {
  RoundBench bench;
  EXPECT_EQ(bench.round->open(), nullptr);
  EXPECT_TRUE(bench.round->missing().empty());
  bench.Start();
  ASSERT_NE(bench.round->open(), nullptr);
  EXPECT_EQ(bench.round->open()->name, bench.Name(0));
  bench.Answer("site-b", bench.Name(0), 1);
  bench.Refuse("site-a", bench.Name(0));
  EXPECT_THAT(bench.round->missing(), ::testing::ElementsAre("site-c"));
  const auto training = bench.round->OnDeadline();
  EXPECT_EQ(AskedName(training), bench.Name(0, 1));
  EXPECT_EQ(bench.round->missing().size(), 3U);
  bench.round->OnAnswer("site-a", bench.Name(0, 1), testing::AnswerOf(*bench.plan, 0, 1));
  bench.round->OnAnswer("site-b", bench.Name(0, 1), testing::AnswerOf(*bench.plan, 0, 2));
  ASSERT_TRUE(bench.round->OnDeadline().has_value());
  EXPECT_EQ(bench.round->open(), nullptr) << "while the trainer works nothing is open";
  EXPECT_FALSE(bench.Answer("site-c", bench.Name(0, 1), 3));
  EXPECT_FALSE(bench.round->OnDeadline());
}

TEST(CoordinatorWords, OfTheWrongLengthAreDroppedAndCounted) {
  RoundBench bench;
  bench.Start();
  const Bytes words = testing::AnswerOf(*bench.plan, 0, 1).Encode(WordBits::k32);
  for (const std::size_t length : {std::size_t{0}, words.size() - 1, words.size() + 4, 2 * words.size()}) {
    Bytes other = words;
    other.resize(length);
    EXPECT_FALSE(bench.round->OnAnswer("site-a", bench.Name(0), ByteView(other)));
  }
  EXPECT_EQ(bench.round->dropped_messages(), 4U);
  EXPECT_FALSE(bench.round->OnAnswer("site-a", bench.Name(0), ByteView(words))) << "and a right one still counts";
  EXPECT_EQ(bench.round->missing().size(), 2U);
}

TEST(CoordinatorWords, AreNotTakenWhereSharesAreAddedUp) {
  RoundPlanOptions options;
  options.aggregation = Aggregation::kCurator;
  RoundBench bench(options);
  bench.Start();
  EXPECT_FALSE(bench.round->OnAnswer("site-a", bench.Name(0), ByteView(Bytes(16, 1))));
  EXPECT_EQ(bench.round->dropped_messages(), 1U);
  EXPECT_EQ(bench.round->missing().size(), 3U);
}

TEST(CoordinatorTrainer, ThatAsksForWhatThePlanDoesNotHaveEndsTheRun) {
  const auto with = [](std::uint32_t entry, QueryKind kind) {
    RoundBench bench;
    bench.round->Start();
    Query query;
    query.entry = entry;
    query.kind = kind;
    const auto action = bench.round->OnTrained(query);
    EXPECT_TRUE(std::holds_alternative<CoordinatorRound::GaveUp>(action));
    EXPECT_TRUE(bench.ledger_store.rows().empty());
  };
  with(2, QueryKind::kGradient);
  with(0, QueryKind::kGradient);
  with(1, QueryKind::kHistogram);
}

}  // namespace
}  // namespace synod
