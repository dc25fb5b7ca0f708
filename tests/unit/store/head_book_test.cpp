// What a witness remembers of ledgers: through restarts, deaths in the middle of a write, and lies.
#include "common/store/head_book.h"

#include <gtest/gtest.h>

#include "tests/unit/store/store_fixture.h"

namespace synod {
namespace {

using Source = HeadBook::Source;
using Taken = HeadBook::Taken;

SignedHead HeadOf(std::uint64_t rows, std::uint8_t digest = 1, std::uint8_t ledger = 1,
                  const std::string& site = "site-a") {
  SignedHead head;
  head.head.site = site;
  head.head.ledger.bytes.fill(ledger);
  head.head.rows = rows;
  head.head.digest.fill(static_cast<std::uint8_t>(digest + rows));
  head.head.signed_unix = 1'800'000'000;
  return head;
}

HeadBook MustOpenBook(Database& database, FailPoints& fail_points, const std::string& shelf = "sites") {
  return HeadBook::Open(database, shelf, fail_points, FailPoint::kSiteBeforeHeadStored, FailPoint::kSiteAfterHeadStored)
      .value();
}

TEST(HeadBook, KeepsTheNewestAndKnowsItAfterARestart) {
  const std::string path = testing::FreshDatabasePath();
  NoFailPoints none;
  {
    const auto database = testing::MustOpen(path);
    HeadBook book = MustOpenBook(*database, none);
    EXPECT_EQ(book.Take(HeadOf(5), Source::kSiteItself, 10), Taken::kNewer);
    EXPECT_EQ(book.Take(HeadOf(9), Source::kWitness, 11), Taken::kNewer);
    EXPECT_EQ(book.Take(HeadOf(7), Source::kWitness, 12), Taken::kNothingNew) << "a witness may remember less";
    EXPECT_EQ(book.Take(HeadOf(9), Source::kSiteItself, 12), Taken::kNothingNew);
    ASSERT_TRUE(book.Flush().ok());
    EXPECT_FALSE(book.dirty());
  }
  const auto database = testing::MustOpen(path);
  const HeadBook book = MustOpenBook(*database, none);
  ASSERT_EQ(book.Of("site-a").size(), 1u);
  EXPECT_EQ(book.Of("site-a")[0].head, HeadOf(9));
  EXPECT_EQ(book.Of("site-a")[0].seen_unix, 11);
  EXPECT_TRUE(MustOpenBook(*database, none, "another shelf").kept().empty());
}

TEST(HeadBook, FewerRowsFromTheSiteItselfAndAnotherDigestFromAnybodyAreEvidenceThatStays) {
  const std::string path = testing::FreshDatabasePath();
  NoFailPoints none;
  {
    const auto database = testing::MustOpen(path);
    HeadBook book = MustOpenBook(*database, none);
    book.Take(HeadOf(9), Source::kSiteItself, 10);
    EXPECT_EQ(book.Take(HeadOf(7), Source::kSiteItself, 11), Taken::kEvidence);
    EXPECT_EQ(book.Take(HeadOf(7), Source::kSiteItself, 12), Taken::kNothingNew) << "known by now";
    EXPECT_EQ(book.Take(HeadOf(9, 2), Source::kWitness, 13), Taken::kEvidence);
    ASSERT_TRUE(book.Flush().ok());
  }
  const auto database = testing::MustOpen(path);
  const HeadBook book = MustOpenBook(*database, none);
  EXPECT_EQ(book.evidence().size(), 2u);
  EXPECT_EQ(book.Of("site-a")[0].head, HeadOf(9)) << "the head that was kept stays";
}

TEST(HeadBook, WithoutAnotherRowAccountsThatHoldMoreOrAreToldLaterCount) {
  const auto database = testing::MustOpen(testing::FreshDatabasePath());
  NoFailPoints none;
  HeadBook book = MustOpenBook(*database, none);
  const auto holding = [](double rdp, std::int64_t at) {
    SignedHead head = HeadOf(9);
    head.head.signed_unix += at;
    head.head.held = {{{}, 2.0, rdp, 1}};
    return head;
  };
  book.Take(holding(0.5, 0), Source::kWitness, 10);
  EXPECT_EQ(book.Take(holding(0.75, -5), Source::kWitness, 10), Taken::kNewer);
  EXPECT_EQ(book.Take(holding(0.25, -5), Source::kWitness, 10), Taken::kNothingNew) << "an old one, replayed";
  EXPECT_EQ(book.Take(holding(0.25, 5), Source::kWitness, 10), Taken::kNewer);
  EXPECT_EQ(book.Take(holding(0.1, -9), Source::kSiteItself, 10), Taken::kNewer) << "what it says now";
}

TEST(HeadBook, TakesSoManyLedgersOfASiteAndNoMore) {
  const auto database = testing::MustOpen(testing::FreshDatabasePath());
  NoFailPoints none;
  HeadBook book = MustOpenBook(*database, none);
  for (std::uint8_t i = 0; i < HeadBook::kMaxLedgers; ++i) book.Take(HeadOf(1, 1, i), Source::kSiteItself, 10);
  EXPECT_EQ(book.Take(HeadOf(1, 1, 200), Source::kSiteItself, 10), Taken::kFull);
  EXPECT_EQ(book.Take(HeadOf(1, 1, 200, "site-b"), Source::kSiteItself, 10), Taken::kNewer) << "others have their own";
  EXPECT_EQ(book.Take(HeadOf(2, 1, 3), Source::kSiteItself, 10), Taken::kNewer) << "known ones go on";
}

TEST(HeadBook, DeathAroundAWriteLosesAllOfItOrNothing) {
  for (const FailPoint point : {FailPoint::kSiteBeforeHeadStored, FailPoint::kSiteAfterHeadStored}) {
    const std::string path = testing::FreshDatabasePath();
    const int code = testing::InChild([&] {
      testing::DieAt die(point);
      const auto database = testing::MustOpen(path);
      HeadBook book = MustOpenBook(*database, die);
      book.Take(HeadOf(9), Source::kSiteItself, 10);
      book.Take(HeadOf(4), Source::kSiteItself, 10);
      (void)book.Flush().ok();
    });
    ASSERT_EQ(code, testing::DieAt::kExitCode);
    NoFailPoints none;
    const auto database = testing::MustOpen(path);
    const HeadBook book = MustOpenBook(*database, none);
    const std::size_t there = point == FailPoint::kSiteAfterHeadStored ? 1 : 0;
    EXPECT_EQ(book.kept().size(), there);
    EXPECT_EQ(book.evidence().size(), there);
  }
}

}  // namespace
}  // namespace synod
