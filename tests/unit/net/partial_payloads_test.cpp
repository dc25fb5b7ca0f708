// What is kept of payloads that were cut: how much, how long, whose.
#include "common/net/partial_payloads.h"

#include <gtest/gtest.h>

#include <cmath>

#include "common/wire/limits.h"
#include "tests/unit/net/net_party.h"

namespace synod {
namespace {

constexpr std::uint64_t kTotal = std::uint64_t{1} << 30;

KeptPayload PieceOf(std::size_t chunks, std::size_t reserved_chunks = 0) {
  KeptPayload piece{std::make_shared<Bytes>(), Sha256Hasher(), std::nullopt};
  piece.bytes->reserve(std::max(chunks, reserved_chunks) * limits::kChunkBytes);
  piece.bytes->resize(chunks * limits::kChunkBytes);
  return piece;
}

PartialPayloads::Name NameOf(const std::string& site, std::uint32_t query) {
  return PartialPayloads::NameOf({"heart", Role::kSite, site}, Answer{{RunNumber(1), query, 0}}, kTotal);
}

class Kept : public testing::Test {
 protected:
  bool Has(const std::string& site, std::uint32_t query, double now = 0.0) {
    return store_.Take(NameOf(site, query), now).has_value();
  }
  PartialPayloads store_;
};

TEST_F(Kept, APieceIsFoundOnceAndByItsNameAlone) {
  store_.Keep(NameOf("site-a", 1), PieceOf(3), 0.0);
  EXPECT_FALSE(Has("site-b", 1));
  EXPECT_FALSE(Has("site-a", 2));
  PartialPayloads::Name longer = NameOf("site-a", 1);
  ++longer.total_bytes;
  EXPECT_FALSE(store_.Take(longer, 0.0).has_value());
  PartialPayloads::Name other_role = NameOf("site-a", 1);
  other_role.peer.role = Role::kOperator;
  EXPECT_FALSE(store_.Take(other_role, 0.0).has_value());
  EXPECT_TRUE(Has("site-a", 1));
  EXPECT_FALSE(Has("site-a", 1));
}

TEST_F(Kept, OnlyWholeChunksBeyondTheFirstAndNotThePayload) {
  store_.Keep(NameOf("site-a", 1), PieceOf(1), 0.0);
  KeptPayload odd = PieceOf(3);
  odd.bytes->pop_back();
  store_.Keep(NameOf("site-a", 1), std::move(odd), 0.0);
  PartialPayloads::Name whole = NameOf("site-a", 1);
  whole.total_bytes = 3 * limits::kChunkBytes;
  store_.Keep(whole, PieceOf(3), 0.0);
  EXPECT_EQ(store_.size(), 0u);
  EXPECT_EQ(store_.next_drop(), INFINITY);
}

TEST_F(Kept, OfOnePeerNoMoreThanItMaySendAtOnceAndTheOldestGoFirst) {
  store_.Keep(NameOf("site-b", 0), PieceOf(2), 0.0);
  for (std::uint32_t query = 0; query <= limits::kMaxKeptPayloads; ++query) {
    store_.Keep(NameOf("site-a", query), PieceOf(2), 1.0);
  }
  EXPECT_EQ(store_.size(), limits::kMaxKeptPayloads + 1);
  EXPECT_FALSE(Has("site-a", 0, 1.0));
  for (std::uint32_t query = 1; query <= limits::kMaxKeptPayloads; ++query) EXPECT_TRUE(Has("site-a", query, 1.0));
  EXPECT_TRUE(Has("site-b", 0, 1.0));
}

TEST_F(Kept, OfAllPeersNoMoreMemoryThanAllowedAndTheOldestGoFirst) {
  constexpr std::size_t kPieces = limits::kMaxKeptBytes / (64 * limits::kChunkBytes);
  for (std::size_t i = 0; i <= kPieces; ++i) {
    store_.Keep(NameOf("site-" + std::to_string(i), 1), PieceOf(2, 64), 0.0);  // what is reserved counts
    EXPECT_LE(store_.held_bytes(), limits::kMaxKeptBytes);
  }
  EXPECT_EQ(store_.size(), kPieces);
  EXPECT_FALSE(Has("site-0", 1));
  EXPECT_TRUE(Has("site-1", 1));
}

TEST_F(Kept, WhatIsLentCountsUntilItIsGivenUp) {
  store_.Keep(NameOf("site-a", 1), PieceOf(2, 255), 0.0);
  std::optional<KeptPayload> lent = store_.Take(NameOf("site-a", 1), 0.0);
  ASSERT_TRUE(lent.has_value());
  EXPECT_EQ(store_.held_bytes(), 255 * limits::kChunkBytes);
  store_.Keep(NameOf("site-b", 1), PieceOf(2), 0.0);
  EXPECT_EQ(store_.size(), 0u);
  lent.reset();
  EXPECT_EQ(store_.held_bytes(), 0u);
  store_.Keep(NameOf("site-b", 1), PieceOf(2), 0.0);
  EXPECT_EQ(store_.size(), 1u);
}

TEST_F(Kept, WhatComesBackIsCountedOnce) {
  store_.Keep(NameOf("site-a", 1), PieceOf(2, 255), 0.0);
  std::optional<KeptPayload> lent = store_.Take(NameOf("site-a", 1), 0.0);
  ASSERT_TRUE(lent.has_value());
  store_.Keep(NameOf("site-a", 1), std::move(*lent), 0.0);
  EXPECT_EQ(store_.size(), 1u);
  EXPECT_EQ(store_.held_bytes(), 255 * limits::kChunkBytes);
}

TEST_F(Kept, APieceThatIsTooLargeIsNotKeptAndPushesNobodyOut) {
  store_.Keep(NameOf("site-a", 1), PieceOf(2), 0.0);
  store_.Keep(NameOf("site-b", 1), PieceOf(2, 257), 0.0);
  EXPECT_FALSE(Has("site-b", 1));
  EXPECT_TRUE(Has("site-a", 1));
}

TEST_F(Kept, OfTwoPiecesOfOnePayloadTheLongerOne) {
  store_.Keep(NameOf("site-a", 1), PieceOf(5), 0.0);
  store_.Keep(NameOf("site-a", 1), PieceOf(3), 0.0);
  EXPECT_EQ(store_.Take(NameOf("site-a", 1), 0.0)->bytes->size(), 5 * limits::kChunkBytes);
  store_.Keep(NameOf("site-a", 1), PieceOf(3), 0.0);
  store_.Keep(NameOf("site-a", 1), PieceOf(5), 0.0);
  EXPECT_EQ(store_.size(), 1u);
  EXPECT_EQ(store_.Take(NameOf("site-a", 1), 0.0)->bytes->size(), 5 * limits::kChunkBytes);
}

TEST_F(Kept, ForSomeTime) {
  store_.Keep(NameOf("site-a", 1), PieceOf(2), 10.0);
  store_.Keep(NameOf("site-a", 2), PieceOf(2), 20.0);
  EXPECT_EQ(store_.next_drop(), 10.0 + limits::kKeptSeconds);
  store_.DropOld(9.9 + limits::kKeptSeconds);
  EXPECT_EQ(store_.size(), 2u);
  store_.DropOld(10.0 + limits::kKeptSeconds);
  EXPECT_EQ(store_.size(), 1u);
  EXPECT_EQ(store_.next_drop(), 20.0 + limits::kKeptSeconds);
  EXPECT_FALSE(Has("site-a", 2, 20.0 + limits::kKeptSeconds));
}

}  // namespace
}  // namespace synod
