// Masks: what they are, and that no two are ever the same.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "common/core/hex.h"
#include "common/crypto/aes_ctr.h"
#include "secure_agg/attempt_keys.h"
#include "secure_agg/mask_removal.h"
#include "secure_agg/masked_vector.h"
#include "tests/unit/secure_agg/attempt_world.h"

namespace synod::secure_agg::testing {
namespace {

std::vector<Mask> SomeMasks(std::size_t count) {
  std::vector<Mask> masks;
  for (std::size_t i = 0; i < count; ++i) {
    masks.push_back({SecretBytes::CopyOf(Bytes(32, static_cast<std::uint8_t>(i + 1))),
                     i % 2 == 0 ? MaskSign::kAdd : MaskSign::kSubtract});
  }
  return masks;
}

// A mask is the key stream of counter 0 as little-endian words.
TEST(Masks, AreTheKeyStreamAsLittleEndianWords) {
  // AES-256 of the zero block under the zero key, FIPS 197's algorithm: dc95c078a2408989ad48a21492842087.
  std::vector<Mask> masks;
  masks.push_back({SecretBytes(32), MaskSign::kAdd});
  Bytes words(16);
  MaskStreams(masks, WordBits::k32).AddTo(words);
  EXPECT_EQ(ToHex(words), "dc95c078a2408989ad48a21492842087");
  masks[0].sign = MaskSign::kSubtract;
  MaskStreams(masks, WordBits::k32).AddTo(words);
  EXPECT_EQ(words, Bytes(16));
}

TEST(Masks, CarryWithinAWordAndNotIntoTheNext) {
  Bytes narrow = {0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0};
  Bytes wide = narrow;
  const Bytes one = {1, 0, 0, 0, 0, 0, 0, 0};
  AddWordsInPlace(narrow, one, WordBits::k32);
  AddWordsInPlace(wide, one, WordBits::k64);
  EXPECT_EQ(narrow, Bytes(8));
  EXPECT_EQ(wide, (Bytes{0, 0, 0, 0, 1, 0, 0, 0}));
}

TEST(Masks, AreTheSameInAnyPiecesAndOnAnyNumberOfThreads) {
  const std::vector<Mask> masks = SomeMasks(3);
  for (const WordBits bits : {WordBits::k32, WordBits::k64}) {
    const Bytes input((5u << 20) + 24, 7);
    Bytes whole = input;
    MaskStreams(masks, bits).AddTo(whole);
    Bytes pieces = input;
    MaskStreams streams(masks, bits);
    std::span<std::uint8_t> rest(pieces);
    for (const std::size_t size : {std::size_t{8}, std::size_t{70000}, pieces.size()}) {
      streams.AddTo(rest.first(std::min(size, rest.size())));
      rest = rest.subspan(std::min(size, rest.size()));
    }
    EXPECT_EQ(pieces, whole);
    for (const unsigned threads : {1u, 2u, 3u, 100u}) {
      Bytes threaded = input;
      AddMasks(threaded, masks, bits, threads);
      EXPECT_EQ(threaded, whole) << threads;
    }
  }
}

TEST(MaskedVector, IsFixedBytesInWhateverOrderChunksAreAskedFor) {
  constexpr std::uint64_t kDimension = 3 * kChunkBytes / 4 + 5;
  const auto make = [&] {
    return MaskedVector(*UnmaskedWords::FromLocalPair(Bytes(4 * kDimension, 3), WordBits::k32, kDimension),
                        SomeMasks(4), Poly1305::Key{1});
  };
  MaskedVector forwards = make();
  MaskedVector backwards = make();
  ASSERT_EQ(forwards.chunks(), 4u);
  EXPECT_EQ(forwards.Chunk(3).size(), 20u);
  EXPECT_EQ(backwards.Tag(), forwards.Tag());
  for (std::uint32_t i = 4; i-- > 0;) {
    const ByteView a = backwards.Chunk(i);
    const ByteView b = forwards.Chunk(i);
    EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
    EXPECT_FALSE(std::equal(a.begin(), a.end(), Bytes(a.size(), 3).begin())) << "it is masked";
  }
  EXPECT_EQ(backwards.Tag(), forwards.Tag());
}

TEST(MaskedVectorDeathTest, IsNotMadeWithoutPeers) {
  EXPECT_DEATH(static_cast<void>(MaskedVector(*UnmaskedWords::FromLocalPair(Bytes(4), WordBits::k32, 1), SomeMasks(1),
                                              Poly1305::Key{})),
               "identity mask");
}

// Every seed that any site derives, over queries, attempts, runs, plans and pairs, even with the same X25519 keys: no
// two are equal but the two ends of a pair, and no 16-byte block of one key stream's beginning occurs in another.
TEST(Masks, OfDifferentQueriesAttemptsRunsAndPairsShareNoKeyStream) {
  AttemptWorld world({.sites = 4});
  std::vector<AttemptFacts> all;
  for (std::uint32_t query = 0; query < 3; ++query) {
    for (std::uint32_t attempt = 0; attempt < 3; ++attempt) all.push_back(world.Facts(attempt, query));
  }
  all.push_back(world.Facts());
  all.back().name.run.bytes[0] ^= 1;
  all.push_back(world.Facts());
  all.back().plan_hash[0] ^= 1;
  all.push_back(world.Facts());
  all.back().query_hash[0] ^= 1;
  all.push_back(world.Facts());
  all.back().dimension += 1;
  std::vector<AgreementKey> keys;  // re-used over all attempts, which no site does
  SecretRandom random = world.Random();
  for (int i = 0; i < 4; ++i) keys.push_back(AgreementKey::Generate(random));
  const SecretBytes self_secret = SecretBytes::CopyOf(Bytes(32, 5));

  std::set<Bytes> blocks;
  std::size_t streams = 0;
  const auto add = [&](const SecretBytes& seed) {
    Bytes stream(64 * 16);
    AesCtrStream(seed.view()).Keystream(stream);
    for (std::size_t i = 0; i < 64; ++i) blocks.emplace(stream.begin() + 16 * i, stream.begin() + 16 * (i + 1));
    ++streams;
  };
  for (const AttemptFacts& facts : all) {
    const AttemptSetup setup = *AttemptSetup::Create(facts);
    for (SiteIndex a = 0; a < 4; ++a) {
      add(SelfSeed(setup, a, self_secret));
      for (SiteIndex b = a + 1; b < 4; ++b) {
        const SecretBytes seed = *PairSeed(setup, keys[a], a, keys[b].public_key(), b);
        EXPECT_TRUE(seed.EqualTo(*PairSeed(setup, keys[b], b, keys[a].public_key(), a)));
        EXPECT_FALSE(seed.EqualTo(*ShareChannelKey(setup, keys[a], a, keys[b].public_key(), b)));
        add(seed);
      }
    }
  }
  EXPECT_EQ(streams, all.size() * 10);
  EXPECT_EQ(blocks.size(), streams * 64);
}

TEST(Masks, OfTwoAttemptsOfOneSiteShareNoKeys) {
  AttemptWorld world({.sites = 3});
  const Advertisement first = SiteAdvertise(world.Self(0, world.Setup(0)), world.Random(), {}).message();
  const Advertisement second = SiteAdvertise(world.Self(0, world.Setup(1)), world.Random(), {}).message();
  EXPECT_NE(first.share_key, second.share_key);
  EXPECT_NE(first.mask_key, second.mask_key);
  EXPECT_NE(first.share_key, first.mask_key);
}

// The vector that a site sends says nothing about its input: chi-square of the bytes of masked zeros, 255 degrees of
// freedom, beyond 6 standard deviations (false alarm about 1e-8).
TEST(MaskedVector, OfZerosLooksUniform) {
  constexpr std::uint64_t kDimension = 1u << 18;
  MaskedVector vector(*UnmaskedWords::FromLocalPair(Bytes(4 * kDimension), WordBits::k32, kDimension), SomeMasks(5),
                      Poly1305::Key{});
  std::array<double, 256> counts{};
  for (const std::uint8_t byte : vector.Chunk(0)) counts[byte] += 1.0;
  double chi_square = 0.0;
  constexpr double kExpected = 4.0 * kDimension / 256;
  for (const double count : counts) chi_square += (count - kExpected) * (count - kExpected) / kExpected;
  EXPECT_NEAR(chi_square, 255.0, 6 * std::sqrt(2 * 255.0));
}

}  // namespace
}  // namespace synod::secure_agg::testing
