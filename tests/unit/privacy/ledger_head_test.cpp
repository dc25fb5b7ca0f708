// Signed heads, what they prove, and what a restoration counts: forged, replayed, cut and swapped heads change nothing.
#include "common/privacy/ledger_head.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "common/privacy/ledger_witness.h"

namespace synod {
namespace {

template <typename Id>
Id IdOf(std::uint8_t number) {
  Id id;
  id.bytes.fill(number);
  return id;
}

// Rows in memory, with an id.
class NamedStore final : public LedgerStore {
 public:
  Status AppendDurably(const LedgerRow& row) override {
    rows.push_back(row);
    return {};
  }
  Result<std::vector<LedgerRow>> Load() const override { return rows; }
  LedgerId FirstId() const override { return id; }

  std::vector<LedgerRow> rows;
  LedgerId id = IdOf<LedgerId>(1);
};

class SignedLedger {
 public:
  SignedLedger() : key_(SigningKey::Generate()), ledger_(Ledger::Open(store_).value()) {}

  void Spend(std::uint32_t query, std::uint8_t run = 5) {
    EXPECT_TRUE(ledger_.Spend({IdOf<DatasetId>(9), {IdOf<RunId>(run), query, 0}, {}, 0, {0.5, 2.0, 1}}).ok());
  }
  SignedHead Head(double held = 0.25) const {
    LedgerHead head{"site-a", ledger_.id(), ledger_.rows(), ledger_.head(), 1'800'000'000, {}};
    head.held = {{IdOf<DatasetId>(9), 10.0, held, 7}};
    return SignHead(key_, "wards", head);
  }
  // As from a backup: the first `rows` rows.
  void RollBack(std::size_t rows) {
    store_.rows.resize(rows);
    ledger_ = Ledger::Open(store_).value();
  }
  LedgerOwner owner() const { return {"wards", "site-a", key_.public_key()}; }
  std::vector<Contradiction> Judge(const SignedHead& head) const {
    return JudgeWitnesses(owner(), ledger_, std::vector<SignedHead>{head});
  }
  const SigningKey& key() const { return key_; }
  Ledger& ledger() { return ledger_; }
  NamedStore& store() { return store_; }

 private:
  NamedStore store_;
  SigningKey key_;
  Ledger ledger_;
};

TEST(LedgerHead, ComesBackFromItsOneEncodingAndFromNoOther) {
  SignedLedger site;
  site.Spend(0);
  const SignedHead head = site.Head();
  const Bytes bytes = EncodeHead(head);
  EXPECT_EQ(*DecodeHead(bytes), head);
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(DecodeHead(ByteView(bytes).first(size)).ok());
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(DecodeHead(longer).ok());
}

TEST(LedgerHead, AnyChangedBitIsRefusedOrDoesNotVerify) {
  SignedLedger site;
  const Bytes bytes = EncodeHead(site.Head());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    Bytes changed = bytes;
    changed[i] = static_cast<std::uint8_t>(changed[i] ^ (1u << (i % 8)));
    const Result<SignedHead> head = DecodeHead(changed);
    EXPECT_FALSE(head.ok() && VerifyHead(site.key().public_key(), "wards", *head)) << "byte " << i;
  }
}

TEST(LedgerHead, OfAnotherConsortiumDoesNotVerifyEvenWithTheSameKey) {
  SignedLedger site;
  const SignedHead head = site.Head();
  EXPECT_TRUE(VerifyHead(site.key().public_key(), "wards", head));
  EXPECT_FALSE(VerifyHead(site.key().public_key(), "ward", head));
  EXPECT_FALSE(VerifyHead(SigningKey::Generate().public_key(), "wards", head));
}

TEST(LedgerHead, AccountsBeyondTheLimitAreFoldedIntoOneThatBoundsThem) {
  std::vector<HeldAccount> accounts;
  for (std::uint8_t i = 1; i <= 7; ++i) accounts.push_back({IdOf<DatasetId>(i), 20.0 - i, 0.1 * i, i});
  accounts.push_back({IdOf<DatasetId>(8), 3.0, 0.0, 0});
  const std::vector<HeldAccount> held = HeldForHead(accounts);
  ASSERT_EQ(held.size(), LedgerHead::kMaxAccounts);
  EXPECT_EQ(held[0].dataset, DatasetId{});
  EXPECT_EQ(held[0].order, 16.0) << "the lowest of those that were folded; the empty account is none of them";
  EXPECT_EQ(held[0].rdp, 0.4);
  EXPECT_EQ(held[3].dataset, IdOf<DatasetId>(7));
}

TEST(Witness, EveryEarlierHeadOfTheSameLedgerIsFine) {
  SignedLedger site;
  std::vector<SignedHead> heads = {site.Head()};
  for (std::uint32_t query = 0; query < 5; ++query) {
    site.Spend(query);
    heads.push_back(site.Head());
  }
  EXPECT_TRUE(JudgeWitnesses(site.owner(), site.ledger(), heads).empty());
}

TEST(Witness, MoreRowsOtherRowsAndAnotherLedgerAreNoticed) {
  SignedLedger site;
  for (std::uint32_t query = 0; query < 5; ++query) site.Spend(query);
  const SignedHead five = site.Head();
  site.RollBack(3);
  ASSERT_EQ(site.Judge(five).size(), 1u);
  EXPECT_EQ(site.Judge(five)[0].verdict, HeadVerdict::kAhead);
  // The copy goes on, and even has more rows in the end: the head is none of its.
  for (std::uint32_t query = 10; query < 14; ++query) site.Spend(query);
  EXPECT_EQ(site.Judge(five)[0].verdict, HeadVerdict::kForked);
  site.store().id = IdOf<LedgerId>(2);
  site.RollBack(0);
  EXPECT_EQ(site.Judge(five)[0].verdict, HeadVerdict::kOtherLedger);
}

TEST(Witness, ForgedReplayedAndForeignHeadsChangeNothing) {
  SignedLedger site;
  SignedHead head = site.Head();
  head.head.rows = 1000;
  EXPECT_TRUE(site.Judge(head).empty()) << "the signature is of another content";
  EXPECT_TRUE(site.Judge(SignHead(SigningKey::Generate(), "wards", head.head)).empty()) << "another key";
  EXPECT_TRUE(site.Judge(SignHead(site.key(), "other", head.head)).empty()) << "another consortium";
  head.head.site = "site-b";
  EXPECT_TRUE(site.Judge(SignHead(site.key(), "wards", head.head)).empty()) << "another site";
}

LedgerRestoration RestorationOf(SignedLedger& site, const LedgerHead& lost, std::uint8_t id) {
  LedgerRestoration restoration;
  restoration.replaced = site.ledger().id();
  restoration.ledger = IdOf<LedgerId>(id);
  ChargeLost(std::vector<LedgerHead>{lost}, std::vector<RestoredDataset>{{IdOf<DatasetId>(9), 10.0, 1.0}}, {},
             restoration);
  return restoration;
}

TEST(Witness, AfterARestorationTheLostRowsAreKnownAndALaterLossIsNoticedAgain) {
  SignedLedger site;
  for (std::uint32_t query = 0; query < 5; ++query) site.Spend(query);
  const SignedHead four_lost = site.Head();
  site.Spend(5);
  const SignedHead six = site.Head(0.75);
  site.RollBack(3);
  site.ledger().Freeze(Refused("rolled back"));
  EXPECT_FALSE(site.ledger().Spend({IdOf<DatasetId>(9), {IdOf<RunId>(5), 50, 0}, {}, 0, {0.5, 2.0, 1}}).ok());
  ASSERT_TRUE(site.ledger().Restore(RestorationOf(site, four_lost.head, 3)).ok());
  EXPECT_EQ(site.ledger().id(), IdOf<LedgerId>(3));
  EXPECT_TRUE(site.Judge(four_lost).empty());
  EXPECT_EQ(site.Judge(six).size(), 1u) << "more was lost than the restoration knew";
  site.Spend(50);
  const SignedHead restored = site.Head();
  EXPECT_TRUE(site.Judge(restored).empty());
  site.RollBack(3);
  EXPECT_EQ(site.Judge(restored)[0].verdict, HeadVerdict::kOtherLedger) << "put back behind its restoration";
  EXPECT_EQ(site.Judge(four_lost).size(), 1u);
}

TEST(Witness, ARestoredRowIsPartOfTheChainAndOfItsJson) {
  SignedLedger site;
  site.Spend(0);
  LedgerRestoration restoration = RestorationOf(site, site.Head().head, 3);
  restoration.ended = {IdOf<RunId>(5)};
  restoration.others = HeldAccount{{}, 3.0, 0.5, 2};
  ASSERT_TRUE(site.ledger().Restore(restoration).ok());
  site.Spend(1);
  for (const LedgerRow& row : site.store().rows) EXPECT_EQ(*LedgerRow::FromJson(row.ToJson()), row);
  EXPECT_TRUE(VerifyChain(site.store().rows).ok());
  site.store().rows[1].restored->charges[0].rdp = 0.0;
  EXPECT_FALSE(VerifyChain(site.store().rows).ok()) << "what it charges cannot be taken out";
}

TEST(Witness, ARestorationChargesWhatMayHaveBeenLost) {
  const RestoredDataset known{IdOf<DatasetId>(9), 10.0, 4.0};
  const RestoredDataset anew{IdOf<DatasetId>(20), 10.0, 4.0};
  LedgerHead lost{"site-a", IdOf<LedgerId>(1), 10, {}, 0, {}};
  lost.held = {{IdOf<DatasetId>(9), 10.0, 1.5, 30}, {IdOf<DatasetId>(11), 10.0, 2.5, 40}};
  LedgerRestoration restoration;
  ChargeLost(std::vector<LedgerHead>{lost}, std::vector<RestoredDataset>{known, anew},
             std::vector<RestoredCharge>{{known.dataset, 0.5, 3}}, restoration);
  EXPECT_GE(ChargeOf(restoration, known).rdp, 2.0);
  EXPECT_LT(ChargeOf(restoration, known).rdp, 2.0 + 1e-12);
  EXPECT_EQ(ChargeOf(restoration, known).answers, 33u);
  EXPECT_GE(ChargeOf(restoration, anew).rdp, 2.5) << "it may be the one that is not known any more";
  EXPECT_GE(ChargeOf(restoration, {IdOf<DatasetId>(30), 5.0, 4.0}).rdp, 2.5) << "also if it is registered later";
  EXPECT_GE(ChargeOf(restoration, {IdOf<DatasetId>(31), 11.0, 4.0}).rdp, 4.0)
      << "at a higher order nothing is proven: its whole budget";
}

constexpr std::int64_t kSigned = 1'800'000'000;
constexpr std::size_t kSites = 60;

std::string SiteNumber(std::size_t number) {
  return "site-" + std::string(number < 10 ? "0" : "") + std::to_string(number);
}

// As large as heads of sites with such names become. Its signature is nobody's.
SignedHead LargeHead(const std::string& site, std::int64_t signed_unix, std::uint8_t ledger = 1) {
  SignedHead head;
  head.head.site = site;
  head.head.ledger = IdOf<LedgerId>(ledger);
  head.head.signed_unix = signed_unix;
  for (std::uint8_t i = 1; i <= LedgerHead::kMaxAccounts; ++i) {
    head.head.held.push_back({IdOf<DatasetId>(i), 10.0, 0.25, 7});
  }
  return head;
}

// What each of kSites states that has seen `heads`; it must be readable.
std::vector<WitnessStatement> Stated(const std::vector<SignedHead>& heads) {
  std::vector<WitnessStatement> all;
  for (std::size_t i = 0; i < kSites; ++i) {
    const Bytes bytes = EncodeWitnessStatement(LargeHead(SiteNumber(i), kSigned), heads);
    EXPECT_LE(bytes.size(), WitnessStatement::kMaxBytes);
    Result<WitnessStatement> statement = DecodeWitnessStatement(bytes);
    EXPECT_TRUE(statement.ok()) << SiteNumber(i);
    if (statement.ok()) all.push_back(std::move(*statement));
  }
  return all;
}

// In how many statements there is a head of `site`.
std::size_t WitnessesOf(const std::string& site, const std::vector<WitnessStatement>& statements) {
  return static_cast<std::size_t>(std::count_if(statements.begin(), statements.end(), [&](const auto& statement) {
    return std::any_of(statement.seen.begin(), statement.seen.end(),
                       [&](const SignedHead& head) { return head.head.site == site; });
  }));
}

TEST(Witness, AStatementComesBackAndNeverGoesBeyondItsLimit) {
  std::vector<SignedHead> seen;
  for (std::size_t i = 0; i < kSites; ++i) seen.push_back(LargeHead(SiteNumber(i), kSigned));
  const SignedHead own = LargeHead(SiteNumber(30), kSigned);
  const Bytes bytes = EncodeWitnessStatement(own, seen);
  EXPECT_LE(bytes.size(), WitnessStatement::kMaxBytes);
  const Result<WitnessStatement> statement = DecodeWitnessStatement(bytes);
  ASSERT_TRUE(statement.ok()) << statement.error().message;
  EXPECT_EQ(statement->own, own);
  EXPECT_GE(statement->seen.size(), 25u);
  EXPECT_EQ(EncodeWitnessStatement(statement->own, statement->seen), bytes);
  for (std::size_t size = 0; size < bytes.size(); size += 13) {
    const Result<WitnessStatement> cut = DecodeWitnessStatement(ByteView(bytes).first(size));
    EXPECT_TRUE(!cut.ok() || cut->seen.size() < statement->seen.size());
  }
}

TEST(Witness, AStatementBeginsBehindItsOwnNameAndTellsASecondLedgerOnlyAfterAFirstOfEverySite) {
  const std::vector<SignedHead> seen = {LargeHead("b", 5, 1), LargeHead("b", 9, 2), LargeHead("a", 1),
                                        LargeHead("d", 2),    LargeHead("c", 8, 1), LargeHead("c", 8, 1)};
  const std::vector<SignedHead> told = DecodeWitnessStatement(EncodeWitnessStatement(LargeHead("c", 3), seen))->seen;
  EXPECT_EQ(told, (std::vector<SignedHead>{seen[3], seen[2], seen[1], seen[0]})) << "none of its own, none twice";
  EXPECT_EQ(InTellingOrder("bb", seen), (std::vector<SignedHead>{seen[4], seen[3], seen[2], seen[1], seen[0]}));
}

TEST(Witness, AStatementInAnotherOrderOrWithALedgerTwiceIsNotRead) {
  const auto bytes_of = [](const std::vector<SignedHead>& heads) {
    Bytes bytes = {1};
    for (const SignedHead& head : heads) {
      const Bytes encoded = EncodeHead(head);
      bytes.push_back(static_cast<std::uint8_t>(encoded.size()));
      bytes.push_back(static_cast<std::uint8_t>(encoded.size() >> 8));
      bytes.insert(bytes.end(), encoded.begin(), encoded.end());
    }
    return bytes;
  };
  const SignedHead own = LargeHead("b", 0);
  const SignedHead a = LargeHead("a", 0);
  const SignedHead c = LargeHead("c", 0);
  const SignedHead c2 = LargeHead("c", 0, 2);
  EXPECT_TRUE(DecodeWitnessStatement(bytes_of({own, c, a, c2})).ok());
  EXPECT_FALSE(DecodeWitnessStatement(bytes_of({own, a, c})).ok()) << "it begins behind its own name";
  EXPECT_FALSE(DecodeWitnessStatement(bytes_of({own, c, c2, a})).ok()) << "every site first";
  EXPECT_FALSE(DecodeWitnessStatement(bytes_of({own, c, a, c})).ok()) << "one ledger twice";
  EXPECT_FALSE(DecodeWitnessStatement(bytes_of({own, c, a, own})).ok()) << "of itself";
}

TEST(Witness, TheHeadOfASiteThatWasAwayIsInTheStatementsOfMoreThanTwentyOthers) {
  std::vector<SignedHead> seen;
  for (std::size_t i = 0; i < kSites; ++i) {
    seen.push_back(LargeHead(SiteNumber(i), i == 17 ? kSigned - 3600 : kSigned + static_cast<std::int64_t>(i)));
  }
  const std::vector<WitnessStatement> statements = Stated(seen);
  for (std::size_t i = 0; i < kSites; ++i) EXPECT_GE(WitnessesOf(SiteNumber(i), statements), 25u) << i;
}

TEST(Witness, ThirtyTwoLedgersOfOneSitePushOutNoOtherSite) {
  std::vector<SignedHead> seen;
  for (std::size_t i = 0; i < kSites; ++i) seen.push_back(LargeHead(SiteNumber(i), kSigned - 3600));
  const std::vector<WitnessStatement> before = Stated(seen);
  for (std::uint8_t ledger = 2; ledger <= 32; ++ledger) seen.push_back(LargeHead(SiteNumber(3), kSigned, ledger));
  const std::vector<WitnessStatement> after = Stated(seen);
  for (std::size_t i = 0; i < kSites; ++i) {
    EXPECT_EQ(WitnessesOf(SiteNumber(i), after), WitnessesOf(SiteNumber(i), before)) << i;
  }
}

TEST(Witness, AHeadThatIsDatedLaterThanAnyClockCanBeIsKnownByIt) {
  LedgerHead head;
  head.signed_unix = kSigned + kMaxHeadAheadSeconds;
  EXPECT_FALSE(IsDatedAhead(head, kSigned));
  ++head.signed_unix;
  EXPECT_TRUE(IsDatedAhead(head, kSigned));
  head.signed_unix = std::numeric_limits<std::int64_t>::max();
  EXPECT_TRUE(IsDatedAhead(head, kSigned));
}

}  // namespace
}  // namespace synod
