#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "common/core/hex.h"
#include "common/crypto/ed25519.h"
#include "tests/support/shared_data.h"

namespace synod {
namespace {

// RFC 8032, section 7.1, test 1.
SigningKey RfcKey() {
  return SigningKey::FromSeed(FromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60").value())
      .value();
}

TEST(Ed25519, PublicKeyMatchesRfc8032) {
  EXPECT_EQ(ToHex(RfcKey().public_key().bytes()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
}

TEST(Ed25519, SignsLabelZeroMessageAsAnotherProgramDoes) {
  // From the openssl program (pkeyutl -rawin) on the bytes "synod.test", 0, "hello" under the key of RFC 8032 test 1.
  EXPECT_EQ(ToHex(RfcKey().Sign("synod.test", AsBytes("hello"))),
            "10957d41af814c868f3c8a451f5829ee758803c459820b9ebced0a1aa51f10e1"
            "c5fd604785d14762149d62e8042524a259e7570afcd278ba516ddbe0808c6702");
}

TEST(Ed25519, AcceptsItsOwnSignature) {
  const SigningKey key = SigningKey::Generate();
  EXPECT_TRUE(key.public_key().Verify("a", AsBytes("message"), key.Sign("a", AsBytes("message"))));
}

TEST(Ed25519, RejectsEveryFlippedBit) {
  const SigningKey key = SigningKey::Generate();
  Signature signature = key.Sign("a", AsBytes("message"));
  for (std::size_t bit = 0; bit < 8 * signature.size(); ++bit) {
    signature[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(key.public_key().Verify("a", AsBytes("message"), signature)) << bit;
    signature[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  }
}

TEST(Ed25519, RejectsAnotherLabelAndMovedBoundaries) {
  const SigningKey key = SigningKey::Generate();
  const PublicKey pub = key.public_key();
  const Signature signature = key.Sign("ab", AsBytes("c"));
  EXPECT_FALSE(pub.Verify("a", AsBytes("bc"), signature));
  EXPECT_FALSE(pub.Verify("abc", AsBytes(""), signature));
  EXPECT_FALSE(pub.Verify("ac", AsBytes("c"), signature));
}

TEST(Ed25519, RejectsAnotherKeyAndShortSignatures) {
  const SigningKey key = SigningKey::Generate();
  const Signature signature = key.Sign("a", AsBytes("m"));
  EXPECT_FALSE(SigningKey::Generate().public_key().Verify("a", AsBytes("m"), signature));
  EXPECT_FALSE(key.public_key().Verify("a", AsBytes("m"), ByteView(signature).first(63)));
  EXPECT_FALSE(key.public_key().Verify("a", AsBytes("m"), {}));
  EXPECT_FALSE(PublicKey().Verify("a", AsBytes("m"), signature));
}

TEST(Ed25519, PublicKeyTravelsAsPemAndAs32Bytes) {
  const PublicKey key = SigningKey::Generate().public_key();
  EXPECT_EQ(PublicKey::FromPem(key.ToPem()).value(), key);
  EXPECT_EQ(PublicKey::FromBytes(key.bytes()).value(), key);
  EXPECT_FALSE(PublicKey::FromBytes(key.bytes().first(31)).ok());
  EXPECT_FALSE(PublicKey::FromPem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n").ok());
  EXPECT_FALSE(PublicKey::FromPem("").ok());
  EXPECT_FALSE(PublicKey::FromPem(std::string(1 << 20, 'A')).ok());
}

TEST(Ed25519, PrivateKeyFileIsForItsOwnerAloneAndIsNeverOverwritten) {
  const std::string path = testing::TemporaryFolder() + "/site.key";
  const SigningKey key = SigningKey::Generate();
  ASSERT_TRUE(key.WritePemFile(path).ok());
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(SigningKey::LoadPemFile(path).value().public_key(), key.public_key());
  EXPECT_FALSE(SigningKey::Generate().WritePemFile(path).ok());
  EXPECT_EQ(SigningKey::LoadPemFile(path).value().public_key(), key.public_key());
}

TEST(Ed25519, RefusesFilesThatAreNotItsKeys) {
  const std::string folder = testing::TemporaryFolder();
  EXPECT_FALSE(SigningKey::LoadPemFile(folder + "/absent").ok());
  const std::string path = folder + "/public.pem";
  std::ofstream(path) << SigningKey::Generate().public_key().ToPem();
  EXPECT_FALSE(SigningKey::LoadPemFile(path).ok());
}

}  // namespace
}  // namespace synod
