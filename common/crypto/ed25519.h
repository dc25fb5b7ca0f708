// Ed25519 signatures (RFC 8032) over messages bound to a label.
//
// What is signed is  label | 0x00 | message : a signature made for one purpose never verifies for another.
// Labels are literals of ours, not empty and without a zero byte. Thread-safe: keys do not change.
#pragma once

#include <array>
#include <compare>
#include <memory>
#include <string>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/result.h"
#include "common/crypto/secret_bytes.h"

namespace synod {

using Signature = std::array<std::uint8_t, 64>;

class PublicKey {
 public:
  static constexpr std::size_t kBytes = 32;

  PublicKey() = default;  // all zeros: verifies nothing
  explicit PublicKey(const std::array<std::uint8_t, kBytes>& raw) : raw_(raw) {}
  static Result<PublicKey> FromBytes(ByteView bytes);  // any length but 32 is BadInput
  static Result<PublicKey> FromPem(std::string_view pem);

  ByteView bytes() const { return raw_; }
  std::string ToPem() const;
  // Whether `signature` was made with the matching private key for this label and message. Malformed: false.
  bool Verify(std::string_view label, ByteView message, ByteView signature) const;

  auto operator<=>(const PublicKey&) const = default;

 private:
  std::array<std::uint8_t, kBytes> raw_{};
};

class SigningKey {
 public:
  static SigningKey Generate();
  // From the 32-byte seed of RFC 8032; any other length is BadInput.
  static Result<SigningKey> FromSeed(ByteView seed);
  // An unencrypted PKCS#8 file. Errors name the path, never the content.
  static Result<SigningKey> LoadPemFile(const std::string& path);

  SigningKey(SigningKey&&) noexcept;
  SigningKey& operator=(SigningKey&&) noexcept;
  ~SigningKey();

  // Creates `path` with mode 0600; a file that already exists is an error and is left as it was.
  Status WritePemFile(const std::string& path) const;
  PublicKey public_key() const { return public_key_; }
  Signature Sign(std::string_view label, ByteView message) const;

 private:
  struct State;
  explicit SigningKey(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
  PublicKey public_key_;
};

}  // namespace synod
