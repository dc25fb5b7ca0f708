// Certificates of a consortium: an ECDSA P-256 root and leaves whose one subject alternative name is an Identity URI.
//
// OpenSSL types do not leave the .cpp. Private keys are PKCS#8 PEM files of mode 0600, made where they are used.
// Threads: immutable values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/identity.h"
#include "common/core/result.h"

namespace synod {

// An ECDSA P-256 private key.
class TlsKey {
 public:
  static TlsKey Generate();
  static Result<TlsKey> LoadPemFile(const std::string& path);
  TlsKey(TlsKey&&) noexcept;
  TlsKey& operator=(TlsKey&&) noexcept;
  ~TlsKey();

  // Mode 0600; a file that exists is an error and is left as it was.
  Status WritePemFile(const std::string& path) const;
  std::string PublicPem() const;
  // SHA-256 of the DER of the SubjectPublicKeyInfo.
  Digest PublicFingerprint() const;
  // ECDSA with SHA-256 over  label | 0x00 | message ; DER.
  Bytes Sign(std::string_view label, ByteView message) const;

  struct State;
  const State& state() const { return *state_; }  // for the .cpp files of this module

 private:
  explicit TlsKey(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

struct CertificateFacts {
  Identity identity;  // of a root: role admin and the name "root"
  bool is_root = false;
  std::int64_t not_before_unix = 0;
  std::int64_t not_after_unix = 0;
  std::string serial_hex;
  Digest key_fingerprint{};          // TlsKey::PublicFingerprint of its key
  Digest certificate_fingerprint{};  // SHA-256 of its DER
};

// A parsed certificate; its signature is not checked by parsing.
class X509Certificate {
 public:
  static constexpr std::size_t kMaxPemBytes = 64u << 10;
  static Result<X509Certificate> FromPem(std::string_view pem);
  static Result<X509Certificate> FromDer(ByteView der);
  static Result<X509Certificate> FromFile(const std::string& path);

  const CertificateFacts& facts() const { return facts_; }
  std::string ToPem() const;
  const Bytes& der() const { return der_; }
  // Whether `message` was signed by this certificate's key with TlsKey::Sign.
  bool VerifySignature(std::string_view label, ByteView message, ByteView signature) const;
  // Signed by `root`, root a CA, leaf usable for the TLS of its role. Times are the caller's to check.
  Status CheckIssuedBy(const X509Certificate& root) const;

 private:
  X509Certificate() = default;
  Bytes der_;
  CertificateFacts facts_;
};

// A self-signed root of a consortium.
Result<X509Certificate> MakeRoot(const TlsKey& key, const std::string& consortium, std::int64_t not_before_unix,
                                 std::int64_t not_after_unix);
// A leaf for the key in `request_pem` (PKCS#10, whose own signature is checked) with `identity`; names inside the
// request do not count. The server bit is set for coordinators, the client bit for all.
Result<X509Certificate> Issue(const TlsKey& root_key, const X509Certificate& root, std::string_view request_pem,
                              const Identity& identity, std::int64_t not_before_unix, std::int64_t not_after_unix);
// A signing request for `key`.
std::string MakeRequest(const TlsKey& key, const Identity& identity);

}  // namespace synod
