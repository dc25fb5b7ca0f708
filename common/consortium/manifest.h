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
#include "common/crypto/signed_text.h"
#include "common/crypto/x509.h"

namespace synod {

struct Member {
  Identity identity;
  PublicKey signing_key;  // Ed25519; sites and the coordinator sign with it. All zero for other roles.
  Digest tls_key_fingerprint{};
  std::int64_t added_unix = 0;
  bool operator==(const Member&) const = default;
};

// Sites and the coordinator sign what they do; other roles have no signing key.
bool RoleSigns(Role role);
// HOST:PORT, [IPV6]:PORT; the port in 1 .. 65535.
Status CheckHostPort(std::string_view address);

struct Manifest {
  static constexpr std::string_view kLabel = "synod.manifest";
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kMaxBytes = 4u << 20;

  std::string consortium;
  std::uint64_t number = 0;         // counts up with every change
  std::string coordinator_address;  // HOST:PORT
  // Ascending by identity; names are unique within a role, keys are unique. One is the coordinator.
  std::vector<Member> members;
  bool operator==(const Manifest&) const = default;

  static constexpr std::size_t kMaxMembers = 10'000;

  const Member* Find(const Identity& identity) const;
  std::vector<const Member*> WithRole(Role role) const;
  Result<std::string> CanonicalText() const;
  // Strict: one encoding only, and every invariant above.
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
  std::vector<Revocation> revoked;  // ascending by identity, then fingerprint; a fingerprint once
  bool operator==(const Revocations&) const = default;

  const Revocation* Find(const Digest& tls_key_fingerprint) const;
  bool Contains(const Digest& tls_key_fingerprint) const { return Find(tls_key_fingerprint) != nullptr; }
  Result<std::string> CanonicalText() const;
  static Result<Revocations> FromCanonicalText(std::string_view text);
};

// What the coordinator pushes when a peer's numbers are older: {"manifest":{...},"revocations":{...}}.
struct TrustBundle {
  static constexpr std::size_t kMaxBytes = 16u << 20;
  SignedText manifest;
  SignedText revocations;
  bool operator==(const TrustBundle&) const = default;
  std::string ToJsonText() const;
  // Strict in form; signatures are for OpenManifest and OpenRevocations.
  static Result<TrustBundle> FromJsonText(std::string_view text);
};

Result<SignedText> SignManifest(const TlsKey& root_key, const Manifest& manifest);
Result<SignedText> SignRevocations(const TlsKey& root_key, const Revocations& revocations);
// VerificationFailed unless `root` signed it and it is of root's consortium.
Result<Manifest> OpenManifest(const X509Certificate& root, const SignedText& signed_text);
Result<Revocations> OpenRevocations(const X509Certificate& root, const SignedText& signed_text);

}  // namespace synod
