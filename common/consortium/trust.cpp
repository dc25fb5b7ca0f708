#include "common/consortium/trust.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "common/consortium/folders.h"
#include "common/core/file.h"

namespace synod {
namespace {

Status CheckOwnKeys(const std::string& folder, const X509Certificate& own, const Manifest& manifest) {
  const Identity& self = own.facts().identity;
  const std::string key_path = PathIn(folder, kOwnKeyFile);
  SYNOD_RETURN_IF_ERROR(CheckPrivateFile(key_path));
  SYNOD_ASSIGN_OR_RETURN(const TlsKey key, TlsKey::LoadPemFile(key_path));
  if (key.PublicFingerprint() != own.facts().key_fingerprint) {
    return VerificationFailed(fmt::format("{} is not the key of {}", key_path, PathIn(folder, kOwnCertificateFile)));
  }
  const Member* member = manifest.Find(self);
  if (member != nullptr && member->tls_key_fingerprint != own.facts().key_fingerprint) {
    return VerificationFailed(
        fmt::format("the manifest names another TLS key for {}: this kit was replaced", self.Uri()));
  }
  if (!RoleSigns(self.role)) return {};
  const std::string signing_path = PathIn(folder, kSigningKeyFile);
  SYNOD_RETURN_IF_ERROR(CheckPrivateFile(signing_path));
  SYNOD_ASSIGN_OR_RETURN(const SigningKey signing_key, SigningKey::LoadPemFile(signing_path));
  if (member != nullptr && member->signing_key != signing_key.public_key()) {
    return VerificationFailed(fmt::format("the manifest names another signing key for {}", self.Uri()));
  }
  return {};
}

// What an update does to one of the two texts.
Result<bool> IsNewer(std::string_view what, std::uint64_t known, std::uint64_t offered, bool same_text) {
  if (offered < known) {
    return Refused(fmt::format("{} number {} is older than number {}, which is known here", what, offered, known));
  }
  if (offered == known && !same_text) {
    return VerificationFailed(fmt::format("there are two different {} with the number {}", what, known),
                              "the consortium's root has signed both: ask whoever keeps it");
  }
  return offered > known;
}

}  // namespace

Status CheckCertificateTime(const CertificateFacts& facts, std::int64_t now_unix) {
  const std::string uri = facts.identity.Uri();
  if (now_unix < facts.not_before_unix - Trust::kClockSkewSeconds) {
    return VerificationFailed(
        fmt::format("the certificate of {} is not valid before {}", uri, Rfc3339(facts.not_before_unix)),
        "check the clock of this machine and that of the consortium");
  }
  if (now_unix > facts.not_after_unix + Trust::kClockSkewSeconds) {
    return VerificationFailed(fmt::format("the certificate of {} expired at {}", uri, Rfc3339(facts.not_after_unix)),
                              "ask the consortium to approve the same request again and join with the new approval");
  }
  return {};
}

Status CheckPrivateFile(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return BadInput(fmt::format("there is no key file {}", path));
  }
  if ((info.st_mode & 077) == 0) return {};
  return Refused(fmt::format("the key file {} can be read by others than its owner", path),
                 fmt::format("chmod 600 {}; if others could have read it, make a new key", path));
}

Result<Trust> Trust::Load(const std::string& folder, const Clock& clock) {
  const auto read = [&](std::string_view name) -> Result<X509Certificate> {
    const std::string path = PathIn(folder, name);
    if (!Exists(path)) {
      return BadInput(fmt::format("{} is not the trust folder of a kit: there is no {}", folder, name),
                      "join the consortium first, or check the path");
    }
    return X509Certificate::FromFile(path);
  };
  SYNOD_ASSIGN_OR_RETURN(X509Certificate root, read(kRootFile));
  SYNOD_ASSIGN_OR_RETURN(X509Certificate own, read(kOwnCertificateFile));
  if (!root.facts().is_root) return VerificationFailed(fmt::format("{} is no root", PathIn(folder, kRootFile)));
  SYNOD_RETURN_IF_ERROR(root.CheckIssuedBy(root));
  SYNOD_RETURN_IF_ERROR(own.CheckIssuedBy(root));
  if (own.facts().is_root) return VerificationFailed("a kit's own certificate is not the root's");
  SYNOD_RETURN_IF_ERROR(CheckCertificateTime(root.facts(), clock.UnixSeconds()));
  SYNOD_RETURN_IF_ERROR(CheckCertificateTime(own.facts(), clock.UnixSeconds()));
  const std::string bundle_path = PathIn(folder, kBundleFile);
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(bundle_path, TrustBundle::kMaxBytes));
  Result<TrustBundle> bundle = TrustBundle::FromJsonText(text);
  if (!bundle.ok()) return bundle.error().Within(bundle_path);

  Trust trust(std::move(root), std::move(own));
  trust.folder_ = folder;
  SYNOD_ASSIGN_OR_RETURN(trust.manifest_, OpenManifest(trust.root_, bundle->manifest));
  SYNOD_ASSIGN_OR_RETURN(trust.revocations_, OpenRevocations(trust.root_, bundle->revocations));
  trust.manifest_text_ = std::move(bundle->manifest);
  trust.revocations_text_ = std::move(bundle->revocations);
  SYNOD_RETURN_IF_ERROR(CheckOwnKeys(folder, trust.own_, trust.manifest_));
  return trust;
}

std::string Trust::own_key_file() const {
  return PathIn(folder_, kOwnKeyFile);
}

Result<SigningKey> Trust::LoadSigningKey() const {
  if (!RoleSigns(self().role)) {
    return BadInput(fmt::format("{} has no signing key: only sites and the coordinator sign", self().Uri()));
  }
  const std::string path = PathIn(folder_, kSigningKeyFile);
  SYNOD_RETURN_IF_ERROR(CheckPrivateFile(path));
  return SigningKey::LoadPemFile(path);
}

Status Trust::CheckPeer(const X509Certificate& leaf, std::initializer_list<Role> roles, std::int64_t now_unix) const {
  const CertificateFacts& facts = leaf.facts();
  const std::string uri = facts.identity.Uri();
  if (facts.is_root) return Refused("the root's certificate is for signing, not for connecting");
  const Status issued = leaf.CheckIssuedBy(root_);
  if (!issued.ok()) return issued.error().Within(uri);
  if (const Revocation* revoked = revocations_.Find(facts.key_fingerprint)) {
    return Refused(fmt::format("{} is revoked since {}", uri, Rfc3339(revoked->revoked_unix)));
  }
  SYNOD_RETURN_IF_ERROR(CheckCertificateTime(root_.facts(), now_unix));
  SYNOD_RETURN_IF_ERROR(CheckCertificateTime(facts, now_unix));
  if (std::find(roles.begin(), roles.end(), facts.identity.role) == roles.end()) {
    return Refused(fmt::format("{} may not connect here: its role is {}", uri, RoleName(facts.identity.role)));
  }
  const Member* member = manifest_.Find(facts.identity);
  if (member == nullptr) {
    return Refused(fmt::format("{} is not in the manifest number {}", uri, manifest_.number));
  }
  if (member->tls_key_fingerprint != facts.key_fingerprint) {
    return Refused(fmt::format("the manifest number {} names another key for {}", manifest_.number, uri));
  }
  return {};
}

Result<bool> Trust::Update(const TrustBundle& bundle) {
  SYNOD_ASSIGN_OR_RETURN(Manifest manifest, OpenManifest(root_, bundle.manifest));
  SYNOD_ASSIGN_OR_RETURN(Revocations revocations, OpenRevocations(root_, bundle.revocations));
  SYNOD_ASSIGN_OR_RETURN(const bool newer_manifest, IsNewer("manifests", manifest_.number, manifest.number,
                                                            bundle.manifest.text == manifest_text_.text));
  SYNOD_ASSIGN_OR_RETURN(const bool newer_revocations,
                         IsNewer("lists of revocations", revocations_.number, revocations.number,
                                 bundle.revocations.text == revocations_text_.text));
  if (newer_manifest) {
    manifest_ = std::move(manifest);
    manifest_text_ = bundle.manifest;
  }
  if (newer_revocations) {
    revocations_ = std::move(revocations);
    revocations_text_ = bundle.revocations;
  }
  const bool changed = newer_manifest || newer_revocations;
  if (!changed && !unsaved_) return false;
  unsaved_ = true;
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(PathIn(folder_, kBundleFile), AsBytes(Bundle().ToJsonText())));
  unsaved_ = false;
  return changed;
}

Result<Trust> Trust::Reloaded(const Clock& clock) const {
  SYNOD_ASSIGN_OR_RETURN(Trust trust, Load(folder_, clock));
  if (trust.root_.facts().key_fingerprint != root_.facts().key_fingerprint) return trust;
  if (trust.manifest_.number < manifest_.number) {
    trust.manifest_ = manifest_;
    trust.manifest_text_ = manifest_text_;
    trust.unsaved_ = true;
  }
  if (trust.revocations_.number < revocations_.number) {
    trust.revocations_ = revocations_;
    trust.revocations_text_ = revocations_text_;
    trust.unsaved_ = true;
  }
  return trust;
}

TrustBundle Trust::Bundle() const {
  return {manifest_text_, revocations_text_};
}

TrustedKeys Trust::Keys() const {
  TrustedKeys keys;
  for (const Member& member : manifest_.members) {
    if (revocations_.Contains(member.tls_key_fingerprint)) continue;
    if (member.identity.role == Role::kCoordinator) keys.coordinator = member.signing_key;
    if (member.identity.role == Role::kSite) keys.sites.emplace(member.identity.name, member.signing_key);
  }
  return keys;
}

}  // namespace synod
