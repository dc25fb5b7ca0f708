// The trust folder of a kit (KIT/trust), loaded and checked: root, own certificate and keys, manifest, revocations.
//
//   ca.pem  own.crt  own.key(0600)  signing.key(0600; coordinator and sites)  bundle.json
//
// bundle.json is a TrustBundle: manifest and revocations with their signatures in one file, so that an update replaces
// all or nothing of it.
//
// Decides who may connect. Threads: one at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "common/artefact/trusted_keys.h"
#include "common/consortium/manifest.h"
#include "common/core/clock.h"
#include "common/core/identity.h"
#include "common/core/result.h"
#include "common/crypto/ed25519.h"
#include "common/crypto/x509.h"

namespace synod {

// Names of files in KIT/trust.
inline constexpr std::string_view kRootFile = "ca.pem";
inline constexpr std::string_view kOwnCertificateFile = "own.crt";
inline constexpr std::string_view kOwnKeyFile = "own.key";
inline constexpr std::string_view kSigningKeyFile = "signing.key";
inline constexpr std::string_view kBundleFile = "bundle.json";

// A regular file that nobody but its owner may read or write; else Refused that names the path and says chmod 600.
Status CheckPrivateFile(const std::string& path);

// Five minutes of clock skew (Trust::kClockSkewSeconds) are allowed at both ends. VerificationFailed that names the
// identity and the time.
Status CheckCertificateTime(const CertificateFacts& facts, std::int64_t now_unix);

class Trust {
 public:
  static constexpr std::int64_t kClockSkewSeconds = 300;

  // Every file is checked: the root is a root, own certificate issued by it for own key and in date (five minutes of
  // skew), manifest and revocations signed by it, key files readable by their owner alone.
  static Result<Trust> Load(const std::string& folder, const Clock& clock);

  const Identity& self() const { return own_.facts().identity; }
  const X509Certificate& root() const { return root_; }
  const X509Certificate& own() const { return own_; }
  const Manifest& manifest() const { return manifest_; }
  const Revocations& revocations() const { return revocations_; }
  const std::string& folder() const { return folder_; }
  std::string own_key_file() const;
  // Of the coordinator and of sites.
  Result<SigningKey> LoadSigningKey() const;

  // Whether a peer that TLS proved to hold the key of `leaf` may connect: issued by the root, in date, in the manifest
  // with this key, of one of `roles`, not revoked. Refused or VerificationFailed that names the rule.
  Status CheckPeer(const X509Certificate& leaf, std::initializer_list<Role> roles, std::int64_t now_unix) const;

  // Takes what the coordinator pushed, if it is signed and newer; writes it to the folder. True if something changed.
  // Older numbers are refused, and so is another text under a known number. If the folder cannot be written, the error
  // says so, but the update holds in memory (a revocation does not wait for disk space) and the next call writes it.
  Result<bool> Update(const TrustBundle& bundle);
  // Load of the same folder as it is now. Under the same root, a manifest or a list of revocations that is known here
  // is kept where the folder has one with a lower number: an update that could not be written is not forgotten.
  Result<Trust> Reloaded(const Clock& clock) const;
  TrustBundle Bundle() const;

  // The signing keys of the coordinator and of all sites that are not revoked: what approvals and signatures that are
  // made now are checked with. A published file is checked by VerifyInConsortium (verify_in_consortium.h).
  TrustedKeys Keys() const;

 private:
  Trust(X509Certificate root, X509Certificate own) : root_(std::move(root)), own_(std::move(own)) {}
  std::string folder_;
  X509Certificate root_;
  X509Certificate own_;
  SignedText manifest_text_;
  SignedText revocations_text_;
  Manifest manifest_;
  Revocations revocations_;
  bool unsaved_ = false;
};

}  // namespace synod
