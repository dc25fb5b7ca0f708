#include "common/crypto/x25519.h"

#include <openssl/err.h>

#include <algorithm>
#include <utility>

#include "common/crypto/openssl_handles.h"

namespace synod {

struct AgreementKey::State {
  KeyHandle key;
};

AgreementKey::AgreementKey(std::unique_ptr<State> state, SecretBytes private_bytes)
    : state_(std::move(state)), private_bytes_(std::move(private_bytes)) {
  std::size_t size = public_key_.size();
  SYNOD_OPENSSL_CHECK(EVP_PKEY_get_raw_public_key(state_->key.get(), public_key_.data(), &size));
  SYNOD_CHECK(size == public_key_.size(), "an X25519 public key has 32 bytes");
}
AgreementKey::AgreementKey(AgreementKey&&) noexcept = default;
AgreementKey& AgreementKey::operator=(AgreementKey&&) noexcept = default;
AgreementKey::~AgreementKey() = default;  // EVP_PKEY_free wipes the private key

AgreementKey AgreementKey::Generate(SecretRandom& random) {
  SecretBytes bytes(kBytes);
  random.Fill(bytes.bytes());
  return *FromPrivate(bytes.view());
}

Result<AgreementKey> AgreementKey::FromPrivate(ByteView bytes) {
  if (bytes.size() != kBytes) return BadInput("an X25519 private key has 32 bytes");
  auto state = std::make_unique<State>();
  state->key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes.data(), bytes.size()));
  SYNOD_CHECK(state->key != nullptr, "out of memory");
  return AgreementKey(std::move(state), SecretBytes::CopyOf(bytes));
}

Result<SecretBytes> AgreementKey::Agree(const Public& peer) const {
  const KeyHandle other(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, peer.data(), peer.size()));
  SYNOD_CHECK(other != nullptr, "out of memory");
  const KeyContext context(EVP_PKEY_CTX_new(state_->key.get(), nullptr));
  SYNOD_CHECK(context != nullptr, "out of memory");
  SYNOD_OPENSSL_CHECK(EVP_PKEY_derive_init(context.get()));
  SYNOD_OPENSSL_CHECK(EVP_PKEY_derive_set_peer(context.get(), other.get()));
  SecretBytes secret(kBytes);
  std::size_t size = secret.size();
  // OpenSSL fails where the result is zero (RFC 7748, section 6.1); we look ourselves all the same.
  const bool derived = EVP_PKEY_derive(context.get(), secret.bytes().data(), &size) == 1 && size == kBytes;
  ERR_clear_error();
  if (!derived || secret.EqualTo(SecretBytes(kBytes))) return BadInput("the public key is a point of small order");
  return secret;
}

bool IsSmallOrder(const AgreementKey::Public& key) {
  // u = 0, 1, two points of order 8, p - 1, p and p + 1, little-endian; the top bit of a key does not count (RFC 7748,
  // section 5).
  static constexpr std::array<AgreementKey::Public, 7> kPoints = {{
      {},
      {0x01},
      {0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3, 0xfa, 0xf1, 0x9f, 0xc4, 0x6a,
       0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32, 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
      {0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1, 0x55, 0x9c, 0x83, 0xef, 0x5b,
       0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c, 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
      {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
      {0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
      {0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
       0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
  }};
  AgreementKey::Public masked = key;
  masked.back() &= 0x7f;
  return std::find(kPoints.begin(), kPoints.end(), masked) != kPoints.end();
}

}  // namespace synod
