// X25519 key agreement (RFC 7748). Threads: keys do not change.
#pragma once

#include <array>
#include <memory>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/crypto/secret_bytes.h"
#include "common/crypto/secret_random.h"

namespace synod {

class AgreementKey {
 public:
  static constexpr std::size_t kBytes = 32;
  using Public = std::array<std::uint8_t, kBytes>;

  static AgreementKey Generate(SecretRandom& random);
  // Any 32 bytes are a private key; any other length is BadInput.
  static Result<AgreementKey> FromPrivate(ByteView bytes);

  AgreementKey(AgreementKey&&) noexcept;
  AgreementKey& operator=(AgreementKey&&) noexcept;
  ~AgreementKey();

  const Public& public_key() const { return public_key_; }
  const SecretBytes& private_bytes() const { return private_bytes_; }
  // The shared secret. BadInput if it is all zeros: the peer's key is a point of small order.
  Result<SecretBytes> Agree(const Public& peer) const;

 private:
  struct State;
  AgreementKey(std::unique_ptr<State> state, SecretBytes private_bytes);

  std::unique_ptr<State> state_;
  SecretBytes private_bytes_;
  Public public_key_{};
};

// Whether every agreement with this key is refused: it is one of the encodings of a point of small order.
bool IsSmallOrder(const AgreementKey::Public& key);

}  // namespace synod
