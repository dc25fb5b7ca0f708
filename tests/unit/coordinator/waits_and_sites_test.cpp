#include <gtest/gtest.h>

#include "coordinator/coordinator_settings.h"
#include "coordinator/owed_answers.h"
#include "coordinator/run_views.h"
#include "coordinator/wait_reason.h"
#include "tests/unit/coordinator/run_fixture.h"

namespace synod {
namespace {

using testing::HandBook;
using testing::HandClock;

Hello HelloOf(const HandClock& clock, std::int64_t offset_seconds = 0) {
  Hello hello;
  hello.software_version = "1.2.3";
  hello.unix_seconds = clock.UnixSeconds() + offset_seconds;
  return hello;
}

TEST(Waits, ASiteThatIsAwayAPersonAndAReviewAreToldApart) {
  HandBook hand;
  SiteBook sites(hand.clock);
  const RunId run = hand.Propose(1);
  sites.Opened("site-b", 1, HelloOf(hand.clock));
  sites.Opened("site-c", 2, HelloOf(hand.clock));
  ASSERT_TRUE(*hand.book->TakeDecision(run, "site-c", SiteDecision{}));
  EXPECT_EQ(WaitsOf(*hand.book->Find(run), sites, nullptr)[2].kind, WaitKind::kDecision) << "it reviews the plan";
  SiteDecision person;
  person.reason = DenialReason::kPerson;
  ASSERT_TRUE(*hand.book->TakeDecision(run, "site-c", person));
  const std::vector<WaitReason> waits = WaitsOf(*hand.book->Find(run), sites, nullptr);
  ASSERT_EQ(waits.size(), 3u);
  EXPECT_EQ(waits[0].kind, WaitKind::kNotConnected);
  EXPECT_NE(waits[0].text.find("site-a is not connected since 2027-"), std::string::npos) << waits[0].text;
  EXPECT_EQ(waits[1].kind, WaitKind::kDecision);
  EXPECT_EQ(waits[2].kind, WaitKind::kPerson);
  EXPECT_NE(waits[2].text.find("waiting for site-c to approve"), std::string::npos) << waits[2].text;
  for (const WaitReason& wait : waits) {
    EXPECT_FALSE(wait.ends.empty());
    EXPECT_EQ(wait.sites.size(), 1u);
  }
}

TEST(Waits, AnApprovedRunBehindAnotherSaysBehindWhich) {
  HandBook hand;
  const SiteBook sites(hand.clock);
  const RunId first = hand.ProposeAndApprove(1);
  const RunId second = hand.ProposeAndApprove(2);
  ASSERT_TRUE(hand.book->Start(first).ok());
  const std::vector<WaitReason> waits = WaitsOf(*hand.book->Find(second), sites, hand.book->training());
  ASSERT_EQ(waits.size(), 1u);
  EXPECT_EQ(waits[0].kind, WaitKind::kQueued);
  EXPECT_NE(waits[0].text.find("queued behind run 01010101"), std::string::npos) << waits[0].text;
}

TEST(Waits, AnOpenQueryNamesItsSitesNumberAttemptAndTime) {
  TrainingWait wait;
  wait.kind = WaitKind::kAnswers;
  wait.sites = {"site-b", "site-c"};
  wait.query = 12;
  wait.elapsed_seconds = 41.2;
  wait.deadline_seconds = 600.0;
  EXPECT_EQ(Describe(wait).text, "waiting for answers of site-b, site-c to query 12 attempt 0 (41 s of 600 s)");
}

TEST(Waits, NothingIsWaitedForAtTheEnd) {
  HandBook hand;
  const SiteBook sites(hand.clock);
  const RunId run = hand.Propose(1);
  ASSERT_TRUE(hand.book->Abort(run, "operator").ok());
  EXPECT_TRUE(WaitsOf(*hand.book->Find(run), sites, nullptr).empty());
}

TEST(SiteBook, ASecondProcessOfASiteDoesNotHideTheFirst) {
  HandClock clock;
  SiteBook sites(clock);
  sites.Opened("site-a", 1, HelloOf(clock));
  sites.Closed("site-a", 2, "duplicate_identity: another process is connected");
  EXPECT_TRUE(sites.connected("site-a"));
  EXPECT_EQ(sites.Link("site-a").last_close, "duplicate_identity: another process is connected");
  clock.now += 5.0;
  sites.Closed("site-a", 1, "silence");
  EXPECT_FALSE(sites.connected("site-a"));
  clock.now += 7.0;
  EXPECT_DOUBLE_EQ(sites.AbsentSeconds("site-a"), 7.0);
}

TEST(SiteBook, ASiteThatNeverCameIsAbsentSinceTheStart) {
  HandClock clock;
  const SiteBook sites(clock);
  clock.now += 30.0;
  EXPECT_DOUBLE_EQ(sites.AbsentSeconds("site-z"), 30.0);
  EXPECT_EQ(sites.Link("site-z").last_contact_unix, 0);
}

TEST(SiteBook, ShowsAClockThatIsOff) {
  HandClock clock;
  SiteBook sites(clock);
  sites.Opened("site-a", 1, HelloOf(clock, 120));
  EXPECT_EQ(sites.Link("site-a").clock_offset_seconds, 120);
}

TEST(OwedAnswers, OnlyWhoWasAskedMaySendAndOnlyThatMuch) {
  OwedAnswers owed;
  const QueryName name{testing::RunNumber(1), 4, 0};
  owed.Ask("site-a", name, 400);
  EXPECT_EQ(owed.BytesOwed("site-a", name), 400u);
  EXPECT_EQ(owed.BytesOwed("site-b", name), 0u);
  EXPECT_EQ(owed.BytesOwed("site-a", {testing::RunNumber(1), 4, 1}), 0u);
  EXPECT_EQ(owed.BytesOwed("site-a", {testing::RunNumber(2), 4, 0}), 0u);
  owed.Settle("site-a", name);
  EXPECT_EQ(owed.BytesOwed("site-a", name), 0u);
}

TEST(OwedAnswers, ALateAnswerIsStillOwedAndTheListIsBounded) {
  OwedAnswers owed;
  for (std::uint32_t query = 0; query < 100; ++query) owed.Ask("site-a", {testing::RunNumber(1), query, 0}, 8);
  EXPECT_EQ(owed.BytesOwed("site-a", {testing::RunNumber(1), 98, 0}), 8u);
  EXPECT_EQ(owed.BytesOwed("site-a", {testing::RunNumber(1), 0, 0}), 0u);
}

TEST(CoordinatorSettings, AnEmptyFileMeansDefaults) {
  const auto settings = CoordinatorSettings::FromToml("", "coordinator.toml", "kit");
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->address, "0.0.0.0:7711");
  EXPECT_EQ(settings->database_file(), "kit/state/coordinator.db");
  EXPECT_EQ(settings->log.level, LogLevel::kInfo);
}

TEST(CoordinatorSettings, PathsAreRelativeToTheKit) {
  const auto settings =
      CoordinatorSettings::FromToml("[compute]\nworker = \"bin/w\"\n[log]\nfile = \"/var/log/c.log\"\n", "c", "kit");
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(settings->worker, "kit/bin/w");
  EXPECT_EQ(settings->log.file, "/var/log/c.log");
}

TEST(CoordinatorSettings, MistakesNameFileLineAndKey) {
  for (const char* text : {"[listen]\nadress = \"0.0.0.0:1\"\n", "[listen]\naddress = \"nowhere\"\n",
                           "[listen]\naddress = \"a:99999\"\n", "[compute]\nthreads = -1\n",
                           "[compute]\nthreads = 1.5\n", "[log]\nlevel = \"loud\"\n", "[other]\n", "listen = 3\n"}) {
    const auto settings = CoordinatorSettings::FromToml(text, "coordinator.toml", "kit");
    ASSERT_FALSE(settings.ok()) << text;
    EXPECT_EQ(settings.error().code, ErrorCode::kBadInput);
    EXPECT_NE(settings.error().message.find("coordinator.toml:"), std::string::npos) << settings.error().message;
  }
}

TEST(RunViews, SayWhoDecidedWhatAndHideNothing) {
  HandBook hand;
  const SiteBook sites(hand.clock);
  const RunId run = hand.Propose(1);
  ASSERT_TRUE(hand.book->TakeDecision(run, "site-b", testing::Denial(DenialReason::kPlanMismatch)).ok());
  const RunRecord& record = *hand.book->Find(run);
  const Json view = RunView({record, sites, WaitsOf(record, sites, nullptr), std::nullopt});
  EXPECT_EQ(view["state"], "proposed");
  EXPECT_EQ(view["sites"][1]["decision"], DecisionName(Decision::kDenied));
  EXPECT_EQ(view["sites"][1]["reason"], DenialReasonName(DenialReason::kPlanMismatch));
  EXPECT_EQ(view["sites"][0]["decision"], "none");
  EXPECT_EQ(view["plan"]["answers_needed"], 2);
  EXPECT_EQ(view["waits"].size(), 2u);
}

}  // namespace
}  // namespace synod
