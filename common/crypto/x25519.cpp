#include "common/crypto/x25519.h"

#include <openssl/err.h>

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

}  // namespace synod
