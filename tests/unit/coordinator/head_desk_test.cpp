// The coordinator as a witness: what it keeps, whom it tells, and what does not count.
#include "coordinator/head_desk.h"

#include <gtest/gtest.h>

#include <limits>

#include "common/consortium/make_kits.h"
#include "common/privacy/ledger_witness.h"
#include "tests/support/shared_data.h"
#include "tests/unit/coordinator/run_fixture.h"

namespace synod {
namespace {

const Kits& WitnessKits() {
  static const Kits kKits = [] {
    ConsortiumOptions options;
    options.name = "test";
    options.coordinator_address = "127.0.0.1:1";
    options.now_unix = SystemClock().UnixSeconds();
    return MakeKits(testing::TemporaryFolder(), options, {"site-a", "site-b", "site-c"}).value();
  }();
  return kKits;
}

class HeadDeskTest : public ::testing::Test {
 protected:
  HeadDeskTest() : trust_(Trust::Load(WitnessKits().coordinator + "/trust", SystemClock()).value()) {
    log_ = EventLog::Open({testing::TemporaryFolder() + "/heads.log", LogLevel::kDebug, false}, clock_).value();
    database_ = Database::Open(path_).value();
    Open();
  }
  void Open() {
    book_.emplace(HeadBook::Open(*database_, "sites", fail_points_, FailPoint::kCoordinatorBeforeHeadStored,
                                 FailPoint::kCoordinatorAfterHeadStored)
                      .value());
    desk_.emplace(HeadDesk::Ports{
        *book_, trust_, clock_, *log_,
        [this](const std::string& site, Envelope envelope) { sent_.emplace_back(site, std::move(envelope)); },
        [this] { return training_; }});
  }
  SignedHead Head(const std::string& site, std::uint64_t rows, std::uint8_t digest = 0,
                  std::int64_t signed_unix = 1'800'000'000) const {
    const SigningKey key =
        Trust::Load(WitnessKits().sites.at(site) + "/trust", SystemClock()).value().LoadSigningKey().value();
    LedgerHead head;
    head.site = site;
    head.rows = rows;
    head.digest.fill(static_cast<std::uint8_t>(rows + digest));
    head.signed_unix = signed_unix;
    return SignHead(key, "test", head);
  }
  // Sites of the heads that were sent to `site`, in order, since the last call.
  std::vector<std::string> SentTo(const std::string& site) {
    std::vector<std::string> names;
    for (const auto& [to, envelope] : sent_) {
      if (to != site) continue;
      for (const SignedHead& head : std::get<LedgerHeads>(envelope.message).heads) names.push_back(head.head.site);
    }
    std::erase_if(sent_, [&](const auto& sent) { return sent.first == site; });
    return names;
  }

  const std::string path_ = testing::TemporaryFolder() + "/coordinator.db";
  testing::HandClock clock_;
  NoFailPoints fail_points_;
  Trust trust_;
  std::unique_ptr<EventLog> log_;
  std::unique_ptr<Database> database_;
  std::optional<HeadBook> book_;
  std::optional<HeadDesk> desk_;
  std::vector<std::string> training_;
  std::vector<std::pair<std::string, Envelope>> sent_;
};

using Names = std::vector<std::string>;

TEST_F(HeadDeskTest, GivesASiteThatConnectsItsOwnHeadFirstAndAfterARestartToo) {
  desk_->OnHeads("site-a", {{Head("site-a", 5)}});
  desk_->OnHeads("site-b", {{Head("site-b", 7)}});
  desk_->OnSiteConnected("site-a");
  EXPECT_EQ(SentTo("site-a"), (Names{"site-a", "site-b"}));
  desk_->Flush();
  Open();
  desk_->OnSiteConnected("site-a");
  EXPECT_EQ(SentTo("site-a"), (Names{"site-a", "site-b"}));
}

TEST_F(HeadDeskTest, LearnsWhatItLostFromWitnessesAndTellsTheSiteAtOnce) {
  desk_->OnHeads("site-b", {{Head("site-b", 1), Head("site-a", 50)}});
  EXPECT_EQ(SentTo("site-a"), (Names{"site-a"}));
  EXPECT_EQ(desk_->View("site-a")["rows"], 50);
}

TEST_F(HeadDeskTest, HeadsWithoutTheirSitesSignatureChangeNothing) {
  SignedHead forged = Head("site-a", 5);
  forged.head.rows = 500;
  desk_->OnHeads("site-b", {{forged}});
  SignedHead stranger = Head("site-a", 5);
  stranger.head.site = "site-x";
  desk_->OnHeads("site-b", {{stranger}});
  EXPECT_TRUE(book_->kept().empty());
  EXPECT_TRUE(sent_.empty());
}

TEST_F(HeadDeskTest, HeadsThatAreDatedLaterThanAnyClockCanBeAreNotTaken) {
  desk_->OnHeads("site-a", {{Head("site-a", 5, 0, std::numeric_limits<std::int64_t>::max())}});
  desk_->OnHeads("site-b", {{Head("site-a", 5, 0, clock_.UnixSeconds() + kMaxHeadAheadSeconds + 1)}});
  EXPECT_TRUE(book_->kept().empty());
  desk_->OnHeads("site-a", {{Head("site-a", 5, 0, clock_.UnixSeconds() + kMaxHeadAheadSeconds)}});
  EXPECT_EQ(book_->kept().size(), 1u);
}

TEST_F(HeadDeskTest, ALedgerThatWasPutBackIsEvidenceThatIsShown) {
  desk_->OnHeads("site-a", {{Head("site-a", 9)}});
  desk_->OnHeads("site-b", {{Head("site-a", 4)}});
  EXPECT_TRUE(desk_->View("site-a")["evidence"].empty()) << "a witness may remember less";
  desk_->OnHeads("site-a", {{Head("site-a", 4)}});
  EXPECT_EQ(desk_->View("site-a")["evidence"].size(), 1u);
  desk_->OnHeads("site-a", {{Head("site-a", 9, 3)}});
  EXPECT_EQ(desk_->View("site-a")["evidence"].size(), 2u);
  EXPECT_FALSE(book_->dirty()) << "evidence does not wait for the next write";
  EXPECT_EQ(desk_->View("site-a")["rows"], 9);
}

TEST_F(HeadDeskTest, PassesNewsWhenARunBeginsEvery64RowsAndWhenItEndsAndNotInBetween) {
  desk_->OnHeads("site-a", {{Head("site-a", 0)}});
  desk_->OnHeads("site-c", {{Head("site-c", 0)}});
  training_ = {"site-a", "site-b"};
  desk_->Tick();
  EXPECT_EQ(SentTo("site-b"), (Names{"site-a"})) << "site-c is not in the run";
  EXPECT_EQ(SentTo("site-a"), Names{});
  for (std::uint64_t rows = 1; rows < HeadDesk::kPassRows; ++rows) {
    desk_->OnHeads("site-a", {{Head("site-a", rows)}});
    desk_->Tick();
  }
  EXPECT_EQ(SentTo("site-b"), Names{});
  desk_->OnHeads("site-a", {{Head("site-a", HeadDesk::kPassRows)}});
  desk_->Tick();
  EXPECT_EQ(SentTo("site-b"), (Names{"site-a"}));
  desk_->OnHeads("site-a", {{Head("site-a", HeadDesk::kPassRows + 1)}});
  training_.clear();
  desk_->Tick();
  EXPECT_EQ(SentTo("site-b"), (Names{"site-a"}));
}

TEST_F(HeadDeskTest, PassesNewsOfARunThatBeganAndEndedBetweenTwoTicks) {
  desk_->Tick();
  training_ = {"site-a", "site-b"};
  desk_->OnHeads("site-a", {{Head("site-a", 3)}});
  training_.clear();
  desk_->Tick();
  EXPECT_EQ(SentTo("site-b"), (Names{"site-a"}));
}

TEST_F(HeadDeskTest, WritesAtMostOnceASecond) {
  desk_->OnHeads("site-a", {{Head("site-a", 1)}});
  desk_->Tick();
  EXPECT_FALSE(book_->dirty());
  desk_->OnHeads("site-a", {{Head("site-a", 2)}});
  desk_->Tick();
  EXPECT_TRUE(book_->dirty());
  clock_.now += HeadDesk::kFlushSeconds;
  desk_->Tick();
  EXPECT_FALSE(book_->dirty());
}

}  // namespace
}  // namespace synod
