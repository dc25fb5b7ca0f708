// Known answers of RFC 7748, RFC 8439 and NIST's examples for GCM, and attacks on each.
#include <gtest/gtest.h>

#include "common/core/hex.h"
#include "common/crypto/aes_gcm.h"
#include "common/crypto/poly1305.h"
#include "common/crypto/x25519.h"
#include "tests/support/deterministic_random.h"

namespace synod {
namespace {

Bytes Raw(std::string_view hex) {
  return FromHex(hex).value();
}
AgreementKey::Public PublicOf(ByteView bytes) {
  AgreementKey::Public key{};
  std::copy(bytes.begin(), bytes.end(), key.begin());
  return key;
}
std::string HexOf(const SecretBytes& bytes) {
  return ToHex(bytes.view());
}

TEST(X25519, MatchesRfc7748) {
  const auto agree = [](std::string_view scalar, std::string_view point) {
    return HexOf(*AgreementKey::FromPrivate(Raw(scalar))->Agree(PublicOf(Raw(point))));
  };
  EXPECT_EQ(agree("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
                  "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"),
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552");
  EXPECT_EQ(agree("4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
                  "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493"),
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957");
}

TEST(X25519, MatchesRfc7748IteratedAThousandTimes) {
  Bytes k = Raw("0900000000000000000000000000000000000000000000000000000000000000");
  Bytes u = k;
  for (int i = 0; i < 1000; ++i) {
    const SecretBytes next = *AgreementKey::FromPrivate(k)->Agree(PublicOf(u));
    u = k;
    k.assign(next.view().begin(), next.view().end());
    if (i == 0) {
      EXPECT_EQ(ToHex(k), "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
    }
  }
  EXPECT_EQ(ToHex(k), "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51");
}

TEST(X25519, BothSidesAgreeAndAKeyIsItsPrivateBytes) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(1);
  const AgreementKey a = AgreementKey::Generate(random);
  const AgreementKey b = AgreementKey::Generate(random);
  ASSERT_NE(a.public_key(), b.public_key());
  EXPECT_TRUE(a.Agree(b.public_key())->EqualTo(*b.Agree(a.public_key())));
  EXPECT_EQ(AgreementKey::FromPrivate(a.private_bytes().view())->public_key(), a.public_key());
  EXPECT_FALSE(AgreementKey::FromPrivate(Bytes(31)).ok());
}

TEST(X25519, RefusesPointsOfSmallOrder) {
  SecretRandom random = SecretRandomForTestsOnly::FromSeed(2);
  const AgreementKey key = AgreementKey::Generate(random);
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    AgreementKey::Public weak = PublicOf(Raw(point));
    EXPECT_FALSE(key.Agree(weak).ok()) << point;
    EXPECT_TRUE(IsSmallOrder(weak)) << point;
    weak.back() |= 0x80;
    EXPECT_FALSE(key.Agree(weak).ok()) << point;
    EXPECT_TRUE(IsSmallOrder(weak)) << point;
    weak[5] ^= 1;
    EXPECT_TRUE(key.Agree(weak).ok()) << point;
    EXPECT_FALSE(IsSmallOrder(weak)) << point;
  }
}

// Test cases 13, 14 and 16 of the GCM submission to NIST.
TEST(AesGcm, MatchesNistsExamples) {
  const Bytes zero_key(32);
  EXPECT_EQ(ToHex(GcmSeal(zero_key, {}, {}, {})), "530f8afbc74536b9a963b4f1c4cb738b");
  EXPECT_EQ(ToHex(GcmSeal(zero_key, {}, {}, Bytes(16))),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  const Bytes key = Raw("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
  GcmNonce nonce{};
  const Bytes iv = Raw("cafebabefacedbaddecaf888");
  std::copy(iv.begin(), iv.end(), nonce.begin());
  const Bytes plain =
      Raw("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
          "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
  const Bytes associated = Raw("feedfacedeadbeeffeedfacedeadbeefabaddad2");
  const Bytes sealed = GcmSeal(key, nonce, associated, plain);
  EXPECT_EQ(ToHex(sealed),
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
            "76fc6ece0f4e1768cddf8853bb2d551b");
  const Result<SecretBytes> opened = GcmOpen(key, nonce, associated, sealed);
  ASSERT_TRUE(opened.ok());
  EXPECT_EQ(HexOf(*opened), ToHex(plain));
}

TEST(AesGcm, RefusesEveryChangedByte) {
  const Bytes key(32, 1);
  const Bytes associated = {1, 2, 3};
  const Bytes sealed = GcmSeal(key, {}, associated, Bytes(20, 9));
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    Bytes changed = sealed;
    changed[i] ^= 1;
    EXPECT_FALSE(GcmOpen(key, {}, associated, changed).ok());
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    EXPECT_FALSE(GcmOpen(key, {}, associated, ByteView(sealed).first(size)).ok());
  }
  EXPECT_FALSE(GcmOpen(Bytes(32, 2), {}, associated, sealed).ok());
  EXPECT_FALSE(GcmOpen(key, {1}, associated, sealed).ok());
  EXPECT_FALSE(GcmOpen(key, {}, Bytes{1, 2}, sealed).ok());
}

TEST(Poly1305, MatchesRfc8439InOnePieceAndInMany) {
  const Bytes key = Raw("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
  const ByteView text = AsBytes("Cryptographic Forum Research Group");
  Poly1305 whole(key);
  whole.Update(text);
  EXPECT_EQ(ToHex(whole.Finish()), "a8061dc1305136c6c22b8baf0c0127a9");
  Poly1305 pieces(key);
  for (std::size_t i = 0; i < text.size(); ++i) pieces.Update(text.subspan(i, 1));
  pieces.Update({});
  EXPECT_EQ(ToHex(pieces.Finish()), "a8061dc1305136c6c22b8baf0c0127a9");
}

TEST(SecretBytes, AreComparedByTheirContent) {
  EXPECT_TRUE(EqualInConstantTime(Bytes{1, 2}, Bytes{1, 2}));
  EXPECT_TRUE(EqualInConstantTime({}, {}));
  EXPECT_FALSE(EqualInConstantTime(Bytes{1, 2}, Bytes{1, 3}));
  EXPECT_FALSE(EqualInConstantTime(Bytes{1, 2}, Bytes{1}));
}

}  // namespace
}  // namespace synod
