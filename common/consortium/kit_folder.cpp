#include "common/consortium/kit_folder.h"

#include <fmt/format.h>

#include <optional>

#include "common/consortium/default_files.h"
#include "common/consortium/fingerprint.h"
#include "common/consortium/folders.h"
#include "common/consortium/trust.h"
#include "common/core/file.h"

namespace synod {
namespace {

struct KitKeys {
  TlsKey tls;
  std::optional<SigningKey> signing;
};

// Both keys appear at once: they are made in another folder, which is then renamed.
Status MakeKeys(const std::string& folder, Role role) {
  const std::string unfinished = PathIn(folder, "trust.unfinished");
  SYNOD_RETURN_IF_ERROR(RemoveFolder(unfinished));
  SYNOD_RETURN_IF_ERROR(MakeFolder(unfinished));
  SYNOD_RETURN_IF_ERROR(TlsKey::Generate().WritePemFile(PathIn(unfinished, kOwnKeyFile)));
  if (RoleSigns(role)) {
    SYNOD_RETURN_IF_ERROR(SigningKey::Generate().WritePemFile(PathIn(unfinished, kSigningKeyFile)));
  }
  return RenameFolder(unfinished, PathIn(folder, "trust"));
}

Result<KitKeys> LoadKeys(const std::string& folder, Role role) {
  const std::string trust = PathIn(folder, "trust");
  const std::string tls_path = PathIn(trust, kOwnKeyFile);
  SYNOD_RETURN_IF_ERROR(CheckPrivateFile(tls_path));
  SYNOD_ASSIGN_OR_RETURN(TlsKey tls, TlsKey::LoadPemFile(tls_path));
  KitKeys keys{std::move(tls), std::nullopt};
  if (!RoleSigns(role)) return keys;
  const std::string signing_path = PathIn(trust, kSigningKeyFile);
  SYNOD_RETURN_IF_ERROR(CheckPrivateFile(signing_path));
  SYNOD_ASSIGN_OR_RETURN(SigningKey signing, SigningKey::LoadPemFile(signing_path));
  keys.signing.emplace(std::move(signing));
  return keys;
}

Result<MemberRequest> ReadRequest(const std::string& folder) {
  const std::string path = PathIn(folder, kRequestFile);
  if (!Exists(path)) {
    return BadInput(fmt::format("{} has made no request to join: there is no {}", folder, path),
                    "make the request first, in this folder");
  }
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, MemberRequest::kMaxBytes));
  Result<MemberRequest> request = MemberRequest::FromCanonicalText(text);
  if (!request.ok()) return request.error().Within(path);
  return request;
}

Status CheckRoot(const MemberApproval& approval, const Digest& root_fingerprint, std::int64_t now_unix) {
  const CertificateFacts& facts = approval.root.facts();
  if (facts.certificate_fingerprint != root_fingerprint) {
    return VerificationFailed(fmt::format("the root in the approval has another fingerprint: {}",
                                          FingerprintText(facts.certificate_fingerprint)),
                              "ask the keeper of the root again, by a way that cannot be forged; do not join");
  }
  SYNOD_RETURN_IF_ERROR(approval.root.CheckIssuedBy(approval.root));
  SYNOD_RETURN_IF_ERROR(CheckCertificateTime(facts, now_unix));
  SYNOD_RETURN_IF_ERROR(approval.certificate.CheckIssuedBy(approval.root));
  return CheckCertificateTime(approval.certificate.facts(), now_unix);
}

Status CheckApprovalIsForThisKit(const MemberApproval& approval, const MemberRequest& request, const KitKeys& keys) {
  const CertificateFacts& facts = approval.certificate.facts();
  if (facts.identity != request.identity) {
    return VerificationFailed(
        fmt::format("the approval is for {}; this kit asked to be {}", facts.identity.Uri(), request.identity.Uri()));
  }
  if (facts.key_fingerprint != keys.tls.PublicFingerprint()) {
    return VerificationFailed("the approval is for another key than the one that was made in this kit",
                              "was the request made again, in another folder?");
  }
  SYNOD_ASSIGN_OR_RETURN(const Manifest manifest, OpenManifest(approval.root, approval.trust.manifest));
  SYNOD_ASSIGN_OR_RETURN(const Revocations revocations, OpenRevocations(approval.root, approval.trust.revocations));
  const Member* member = manifest.Find(facts.identity);
  if (member == nullptr || member->tls_key_fingerprint != facts.key_fingerprint) {
    return VerificationFailed("the manifest in the approval does not have this kit's key");
  }
  if (keys.signing && member->signing_key != keys.signing->public_key()) {
    return VerificationFailed("the manifest in the approval does not have this kit's signing key");
  }
  if (revocations.Contains(facts.key_fingerprint)) return Refused("the approval is for a key that is revoked");
  return {};
}

// A bundle that the kit has already may be newer than the one in an approval: the newer stays.
Status WriteBundle(const std::string& path, const MemberApproval& approval) {
  if (Exists(path)) {
    SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, TrustBundle::kMaxBytes));
    const Result<TrustBundle> known = TrustBundle::FromJsonText(text);
    if (known.ok()) {
      const Result<Manifest> manifest = OpenManifest(approval.root, known->manifest);
      const Result<Manifest> offered = OpenManifest(approval.root, approval.trust.manifest);
      const Result<Revocations> revoked = OpenRevocations(approval.root, known->revocations);
      const Result<Revocations> offered_revoked = OpenRevocations(approval.root, approval.trust.revocations);
      if (manifest.ok() && revoked.ok() && manifest->number >= offered->number &&
          revoked->number >= offered_revoked->number) {
        return {};
      }
    }
  }
  return WriteFileAtomically(path, AsBytes(approval.trust.ToJsonText()));
}

Status WriteIfMissing(const std::string& path, const std::string& text) {
  if (Exists(path)) return {};
  return WriteFileAtomically(path, AsBytes(text));
}

Status WriteLocalFiles(const std::string& folder, const Identity& identity, const std::string& coordinator_address) {
  if (!RoleSigns(identity.role)) return {};
  const std::string local = PathIn(folder, "local");
  SYNOD_RETURN_IF_ERROR(MakeFolder(local));
  SYNOD_RETURN_IF_ERROR(MakeFolder(PathIn(folder, "state"), 0700));
  SYNOD_RETURN_IF_ERROR(MakeFolder(PathIn(folder, "log"), 0750));
  if (identity.role == Role::kCoordinator) {
    return WriteIfMissing(PathIn(local, "coordinator.toml"), DefaultCoordinatorToml(coordinator_address));
  }
  SYNOD_RETURN_IF_ERROR(WriteIfMissing(PathIn(local, "site.toml"), DefaultSiteToml(identity)));
  return WriteIfMissing(PathIn(local, "policy.toml"), DefaultPolicyToml(identity));
}

}  // namespace

Result<MemberRequest> RequestMembership(const std::string& folder, const Identity& identity) {
  SYNOD_RETURN_IF_ERROR(Identity::FromUri(identity.Uri()));
  const std::string trust = PathIn(folder, "trust");
  if (Exists(PathIn(trust, kOwnCertificateFile))) {
    return Refused(fmt::format("{} has joined already", folder),
                   fmt::format("to renew its certificate, have {} approved again", PathIn(folder, kRequestFile)));
  }
  if (Exists(PathIn(folder, kRequestFile))) {
    SYNOD_ASSIGN_OR_RETURN(MemberRequest request, ReadRequest(folder));
    if (request.identity == identity) return request;
    return Refused(fmt::format("{} has a request for {} already", folder, request.identity.Uri()),
                   "use another folder for another member");
  }
  SYNOD_RETURN_IF_ERROR(MakeFolder(folder));
  if (!Exists(trust)) SYNOD_RETURN_IF_ERROR(MakeKeys(folder, identity.role));
  SYNOD_ASSIGN_OR_RETURN(const KitKeys keys, LoadKeys(folder, identity.role));
  MemberRequest request = MemberRequest::Make(identity, keys.tls, keys.signing ? &*keys.signing : nullptr);
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(PathIn(folder, kRequestFile), AsBytes(request.CanonicalText())));
  return request;
}

Result<Identity> JoinConsortium(const std::string& folder, const MemberApproval& approval,
                                const Digest& root_fingerprint, std::int64_t now_unix) {
  SYNOD_ASSIGN_OR_RETURN(const MemberRequest request, ReadRequest(folder));
  const Identity& identity = request.identity;
  SYNOD_ASSIGN_OR_RETURN(const KitKeys keys, LoadKeys(folder, identity.role));
  SYNOD_RETURN_IF_ERROR(CheckRoot(approval, root_fingerprint, now_unix));
  SYNOD_RETURN_IF_ERROR(CheckApprovalIsForThisKit(approval, request, keys));
  const std::string trust = PathIn(folder, "trust");
  const std::string root_path = PathIn(trust, kRootFile);
  if (Exists(root_path)) {
    SYNOD_ASSIGN_OR_RETURN(const X509Certificate known, X509Certificate::FromFile(root_path));
    if (known.der() != approval.root.der()) {
      return Refused(fmt::format("{} belongs to another consortium root already", folder),
                     "use another folder for another consortium");
    }
  }
  SYNOD_ASSIGN_OR_RETURN(const Manifest manifest, OpenManifest(approval.root, approval.trust.manifest));
  SYNOD_RETURN_IF_ERROR(WriteLocalFiles(folder, identity, manifest.coordinator_address));
  SYNOD_RETURN_IF_ERROR(WriteBundle(PathIn(trust, kBundleFile), approval));
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(root_path, AsBytes(approval.root.ToPem())));
  // Last: a kit with a certificate has joined.
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(PathIn(trust, kOwnCertificateFile), AsBytes(approval.certificate.ToPem())));
  return identity;
}

}  // namespace synod
