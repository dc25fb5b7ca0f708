#include <gtest/gtest.h>

#include <string>

#include "common/core/hex.h"
#include "common/crypto/aes_ctr.h"
#include "common/crypto/hkdf.h"
#include "common/crypto/keyed_hash.h"
#include "common/crypto/sha256.h"

namespace synod {
namespace {

Bytes Unhex(std::string_view hex) {
  return FromHex(hex).value();
}

constexpr std::string_view kNistKey = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";
constexpr std::string_view kNistPlain =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
constexpr std::string_view kNistCipher =
    "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
    "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6";

AesCtrStream NistStream() {
  AesCtrStream::CounterBlock first{};
  for (std::size_t i = 0; i < first.size(); ++i) first[i] = static_cast<std::uint8_t>(0xf0 + i);
  return AesCtrStream(Unhex(kNistKey), first);
}

TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(ToHex(Sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(ToHex(Sha256("")), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Sha256, InPiecesEqualsInOneAndStartsAfreshAfterFinish) {
  Sha256Hasher hasher;
  for (int round = 0; round < 2; ++round) {
    hasher.Update("a");
    hasher.Update("");
    hasher.Update("bc");
    EXPECT_EQ(hasher.Finish(), Sha256("abc"));
  }
}

TEST(Sha256, NumbersAreHashedLittleEndian) {
  Sha256Hasher hasher;
  hasher.UpdateLittleEndian64(0x0102030405060708);
  EXPECT_EQ(hasher.Finish(), Sha256(Unhex("0807060504030201")));
}

TEST(Hkdf, MatchesRfc5869) {
  const Bytes key(22, 0x0b);
  EXPECT_EQ(ToHex(HkdfSha256(key, Unhex("000102030405060708090a0b0c"), Unhex("f0f1f2f3f4f5f6f7f8f9"), 42).view()),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
  EXPECT_EQ(ToHex(HkdfSha256(key, {}, {}, 42).view()),
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST(AesCtr, MatchesNistSp80038a) {
  AesCtrStream stream = NistStream();
  Bytes data = Unhex(kNistPlain);
  stream.Xor(data);
  EXPECT_EQ(ToHex(data), kNistCipher);
}

TEST(AesCtr, SeeksToEveryByte) {
  AesCtrStream straight = NistStream();
  Bytes all(200);
  straight.Keystream(all);
  AesCtrStream jumping = NistStream();
  for (std::size_t offset : {199U, 0U, 1U, 15U, 16U, 17U, 100U, 31U}) {
    jumping.Seek(offset);
    Bytes rest(all.size() - offset);
    jumping.Keystream(rest);
    EXPECT_EQ(rest, Bytes(all.begin() + static_cast<std::ptrdiff_t>(offset), all.end())) << offset;
  }
}

TEST(AesCtr, SeekCarriesThroughTheWholeCounter) {
  AesCtrStream::CounterBlock last{};
  last.fill(0xff);
  AesCtrStream wrapped(Unhex(kNistKey), last);
  wrapped.Seek(16);  // all ones plus one is zero
  AesCtrStream zero(Unhex(kNistKey));
  Bytes a(32);
  Bytes b(32);
  wrapped.Keystream(a);
  zero.Keystream(b);
  EXPECT_EQ(a, b);
}

TEST(KeyedHash, IsTheCipherOfTheNumber) {
  const SecretBytes key = SecretBytes::CopyOf(Unhex(kNistKey));
  std::vector<std::uint64_t> numbers(3000);
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  const std::vector<std::uint64_t> hashes = KeyedHashes(key, numbers);
  ASSERT_EQ(hashes.size(), numbers.size());
  AesCtrStream zero(Unhex(kNistKey));  // the first block of the key stream is the cipher of zero
  std::array<std::uint8_t, 8> first{};
  zero.Keystream(first);
  std::uint64_t expected = 0;
  for (std::size_t i = 0; i < 8; ++i) expected |= std::uint64_t{first[i]} << (8 * i);
  EXPECT_EQ(hashes[0], expected);
  // The hash of a number does not depend on what else is hashed.
  EXPECT_EQ(KeyedHashes(key, std::span(numbers).subspan(2345, 1))[0], hashes[2345]);
}

}  // namespace
}  // namespace synod
