// Who belongs to a consortium, signed by its root: a numbered list of members and a numbered list of those revoked.
// Both are canonical JSON beside a signature of the root key; a lower number never replaces a higher one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/identity.h"
#include "common/core/result.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/x509.h"

namespace synod {

struct Member {
  Identity identity;
  PublicKey signing_key;  // Ed25519; sites and the coordinator sign with it. All zero for other roles.
  Digest tls_key_fingerprint{};
  std::int64_t added_unix = 0;
  bool operator==(const Member&) const = default;
};

struct Manifest {
  static constexpr std::string_view kLabel = "synod.manifest";
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kMaxBytes = 4u << 20;

  std::string consortium;
  std::uint64_t number = 0;         // counts up with every change
  std::string coordinator_address;  // HOST:PORT
  std::vector<Member> members;      // ascending by identity; names are unique within a role
  bool operator==(const Manifest&) const = default;

  const Member* Find(const Identity& identity) const;
  std::vector<const Member*> WithRole(Role role) const;
  Result<std::string> CanonicalText() const;
  static Result<Manifest> FromCanonicalText(std::string_view text);
};

struct Revocation {
  Identity identity;
  Digest tls_key_fingerprint{};
  std::int64_t revoked_unix = 0;
  bool operator==(const Revocation&) const = default;
};

struct Revocations {
  static constexpr std::string_view kLabel = "synod.revocations";
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kMaxBytes = 4u << 20;

  std::string consortium;
  std::uint64_t number = 0;
  std::vector<Revocation> revoked;
  bool operator==(const Revocations&) const = default;

  bool Contains(const Digest& tls_key_fingerprint) const;
  Result<std::string> CanonicalText() const;
  static Result<Revocations> FromCanonicalText(std::string_view text);
};

// A text and the root's signature over it. Travels in kits, in updates over the network and in generator files.
struct SignedText {
  std::string text;
  Bytes signature;
  bool operator==(const SignedText&) const = default;
};

// What the coordinator pushes when a peer's numbers are older: {"manifest":{...},"revocations":{...}}.
struct TrustBundle {
  static constexpr std::size_t kMaxBytes = 16u << 20;
  SignedText manifest;
  SignedText revocations;
  std::string ToJsonText() const;
  static Result<TrustBundle> FromJsonText(std::string_view text);
};

Result<SignedText> SignManifest(const TlsKey& root_key, const Manifest& manifest);
Result<SignedText> SignRevocations(const TlsKey& root_key, const Revocations& revocations);
// VerificationFailed unless `root` signed it and it is of root's consortium.
Result<Manifest> OpenManifest(const X509Certificate& root, const SignedText& signed_text);
Result<Revocations> OpenRevocations(const X509Certificate& root, const SignedText& signed_text);

}  // namespace synod
