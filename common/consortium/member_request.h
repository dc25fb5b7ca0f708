// What somebody who wants to join a consortium sends to the keeper of its root: a file that is not secret. The keys
// stay where they were made; the request proves that its sender holds them.
#pragma once

#include <string>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/identity.h"
#include "common/core/result.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/x509.h"

namespace synod {

struct MemberRequest {
  static constexpr std::string_view kLabel = "synod.member_request";
  static constexpr std::uint32_t kVersion = 1;
  static constexpr std::size_t kMaxBytes = 256u << 10;

  Identity identity;        // as wanted
  std::string tls_request;  // PEM (PKCS#10), signed by the TLS key; the signature is checked when it is approved
  PublicKey signing_key;    // of roles that sign; all zero for the others
  Signature proof{};        // by the signing key, over everything above; all zero for roles without one
  bool operator==(const MemberRequest&) const = default;

  // `signing_key` is nothing for roles that do not sign.
  static MemberRequest Make(const Identity& identity, const TlsKey& tls_key, const SigningKey* signing_key);

  std::string CanonicalText() const;
  // Strict: one encoding only; the role may be asked for, and the proof holds.
  static Result<MemberRequest> FromCanonicalText(std::string_view text);
  // SHA-256 of the canonical text: what its sender tells the keeper of the root by another way than the file.
  Digest Fingerprint() const;
};

}  // namespace synod
