// Whole attempts without a network: what a sum is, and what a drop-out at every point does to it.
#include <gtest/gtest.h>

#include "tests/unit/secure_agg/attempt_world.h"

namespace synod::secure_agg::testing {
namespace {

TEST(Attempt, OpensExactlyTheSumOfAllSites) {
  for (const WordBits bits : {WordBits::k32, WordBits::k64}) {
    for (const std::uint32_t sites : {3u, 4u, 7u}) {
      AttemptWorld world({.sites = sites, .bits = bits, .dimension = 1001});
      DirectAttempt attempt(world);
      attempt.Run();
      ASSERT_TRUE(attempt.IsExact());
      EXPECT_EQ(attempt.survivors().size(), sites);
      EXPECT_TRUE(attempt.blames().empty());
      for (SiteIndex site = 0; site < sites; ++site) EXPECT_FALSE(attempt.site(site).failure());
    }
  }
}

TEST(Attempt, OpensVectorsOfManyChunks) {
  // Three chunks, the last of one word; more sites than slots.
  AttemptWorld world({.sites = 5, .dimension = 2 * kChunkBytes / 4 + 1});
  DirectAttempt attempt(world);
  attempt.Run();
  EXPECT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors().size(), 5u);
}

// Where a site vanishes: before it sends a message, after it, or in the middle of its vector.
struct DropOut {
  std::size_t body;  // of SiteBody: the message that is the first not to arrive
  bool sent;         // it still arrives, and nothing after it
  bool mid_chunk;
};

std::vector<DropOut> AllDropOuts() {
  std::vector<DropOut> all;
  for (std::size_t body = 0; body < std::variant_size_v<SiteBody>; ++body) {
    all.push_back({body, false, false});
    all.push_back({body, true, false});
  }
  all.push_back({2, false, true});
  return all;
}

// Cuts `leaver` off at `where`, in both directions.
void CutOff(DirectAttempt& attempt, const std::vector<SiteIndex>& leavers, const DropOut& where) {
  const auto gone = std::make_shared<std::map<SiteIndex, bool>>();
  for (const SiteIndex site : leavers) (*gone)[site] = false;
  attempt.from_site = [gone, where](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    const auto place = gone->find(from);
    if (place == gone->end()) return message;
    if (place->second || (message.body.index() == where.body && !where.sent)) {
      place->second = true;
      return std::nullopt;
    }
    place->second = message.body.index() == where.body;
    return message;
  };
  attempt.to_site = [gone](SiteIndex to, CoordinatorMessage message) -> std::optional<CoordinatorMessage> {
    const auto place = gone->find(to);
    if (place != gone->end() && place->second) return std::nullopt;
    return message;
  };
  attempt.chunk = [gone, where](SiteIndex from, std::uint32_t index, Bytes words) -> std::optional<Bytes> {
    const auto place = gone->find(from);
    if (place == gone->end() || !where.mid_chunk || index == 0) return words;
    place->second = true;
    return std::nullopt;
  };
}

TEST(Attempt, IsExactWhicheverSiteVanishesAtWhicheverPoint) {
  for (const DropOut& where : AllDropOuts()) {
    for (SiteIndex leaver = 0; leaver < 4; ++leaver) {
      const std::uint64_t dimension = where.mid_chunk ? kChunkBytes / 4 + 3 : 7;
      AttemptWorld world({.sites = 4, .dimension = dimension, .seed = leaver});
      DirectAttempt attempt(world);
      CutOff(attempt, {leaver}, where);
      attempt.Run();
      const bool counted = where.body > 2 || (where.body == 2 && where.sent);
      ASSERT_TRUE(attempt.IsExact()) << "message " << where.body << ", sent " << where.sent << ", site " << leaver;
      EXPECT_EQ(attempt.survivors().size(), counted ? 4u : 3u);
      EXPECT_TRUE(attempt.blames().empty()) << "a drop-out is nobody's fault";
    }
  }
}

TEST(Attempt, OpensNothingWhereTwoOfFourVanishAtAnyPoint) {
  for (const DropOut& where : AllDropOuts()) {
    // A reveal that arrives is all that is asked of a site.
    if (where.body == 4 && where.sent) continue;
    AttemptWorld world({.sites = 4, .dimension = where.mid_chunk ? kChunkBytes / 4 + 3 : 7});
    DirectAttempt attempt(world);
    CutOff(attempt, {1, 3}, where);
    attempt.Run();
    EXPECT_FALSE(attempt.sum()) << "message " << where.body << ", sent " << where.sent;
    ASSERT_TRUE(attempt.failure());
    const std::size_t phase = where.body + (where.sent ? 1 : 0);
    const FailureReason expected = phase <= 1   ? FailureReason::kTooFewSites
                                   : phase == 2 ? FailureReason::kBelowQuorum
                                   : phase == 3 ? FailureReason::kTooFewSignatures
                                                : FailureReason::kTooFewShares;
    EXPECT_EQ(attempt.failure()->reason, expected);
  }
}

TEST(Attempt, ToleratesAsManyDropOutsAsTheThresholdAllows) {
  AttemptWorld world({.sites = 10, .dimension = 50});
  DirectAttempt attempt(world);
  CutOff(attempt, {0, 4, 9}, {2, false, false});
  attempt.Run();
  EXPECT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors(), (std::vector<SiteIndex>{1, 2, 3, 5, 6, 7, 8}));
}

TEST(Attempt, AnotherAttemptAfterAFailureHasNothingInCommonWithIt) {
  AttemptWorld world({.sites = 4});
  DirectAttempt first(world, 0);
  CutOff(first, {0, 1}, {3, false, false});
  first.Run();
  ASSERT_TRUE(first.failure());
  DirectAttempt second(world, 1);
  second.Run();
  EXPECT_TRUE(second.IsExact());
}

TEST(Attempt, ASiteThatIsChargedForANameAlreadyGivesNoSecondInput) {
  AttemptWorld world({.sites = 4});
  const QueryName name = world.Setup()->name();
  ASSERT_TRUE(world.Charge(2, name));
  DirectAttempt attempt(world);
  attempt.Run();
  ASSERT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors(), (std::vector<SiteIndex>{0, 1, 3}));
  EXPECT_EQ(attempt.site(2).failure()->reason, FailureReason::kInputRefused);
}

TEST(Attempt, WaitsForNobodyWhoSaidThatItTakesNoPart) {
  AttemptWorld world({.sites = 4});
  DirectAttempt attempt(world);
  attempt.from_site = [](SiteIndex from, SiteMessage message) -> std::optional<SiteMessage> {
    return from == 3 ? std::nullopt : std::optional(message);
  };
  static_cast<void>(attempt.server().OnSiteLeft(3));
  attempt.Run();
  EXPECT_TRUE(attempt.IsExact());
  EXPECT_EQ(attempt.survivors().size(), 3u);
}

}  // namespace
}  // namespace synod::secure_agg::testing
