#include "common/consortium/consortium_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "common/consortium/trust.h"
#include "common/core/clock.h"
#include "common/core/file.h"

namespace synod {
namespace {

constexpr std::string_view kRootKeyFile = "root.key";

// The member that stands where a new one of this identity would go: there is one coordinator, whatever its name.
const Member* PlaceOf(const Manifest& manifest, const Identity& identity) {
  if (identity.role != Role::kCoordinator) return manifest.Find(identity);
  const std::vector<const Member*> coordinators = manifest.WithRole(Role::kCoordinator);
  return coordinators.empty() ? nullptr : coordinators.front();
}

void Put(Manifest& manifest, const Member& member) {
  const auto after = std::lower_bound(manifest.members.begin(), manifest.members.end(), member,
                                      [](const Member& a, const Member& b) { return a.identity < b.identity; });
  manifest.members.insert(after, member);
}

Status CheckDays(std::int64_t days) {
  if (days >= 1 && days <= ConsortiumFolder::kMaxDays) return {};
  return BadInput(fmt::format("a certificate is valid for 1 to {} days", ConsortiumFolder::kMaxDays));
}

}  // namespace

Result<ConsortiumFolder> ConsortiumFolder::Open(const std::string& folder) {
  const std::string root_folder = PathIn(folder, "root");
  const std::string key_path = PathIn(root_folder, kRootKeyFile);
  if (!Exists(key_path)) {
    return BadInput(fmt::format("{} is not the folder of a consortium's root: there is no {}", folder, key_path),
                    "make one with synod consortium init, or check the path");
  }
  SYNOD_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(root_folder));
  SYNOD_RETURN_IF_ERROR(CheckPrivateFile(key_path));
  SYNOD_ASSIGN_OR_RETURN(TlsKey key, TlsKey::LoadPemFile(key_path));
  SYNOD_ASSIGN_OR_RETURN(X509Certificate root, X509Certificate::FromFile(PathIn(root_folder, kRootFile)));
  if (!root.facts().is_root || root.facts().key_fingerprint != key.PublicFingerprint()) {
    return VerificationFailed(fmt::format("{} is not the key of the root beside it", key_path));
  }
  ConsortiumFolder opened(folder, std::move(lock), std::move(key), std::move(root));
  const std::string bundle_path = PathIn(folder, kBundleFile);
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(bundle_path, TrustBundle::kMaxBytes));
  Result<TrustBundle> bundle = TrustBundle::FromJsonText(text);
  if (!bundle.ok()) return bundle.error().Within(bundle_path);
  opened.bundle_ = std::move(bundle).value();
  SYNOD_ASSIGN_OR_RETURN(opened.manifest_, OpenManifest(opened.root_, opened.bundle_.manifest));
  SYNOD_ASSIGN_OR_RETURN(opened.revocations_, OpenRevocations(opened.root_, opened.bundle_.revocations));
  return opened;
}

std::string ConsortiumFolder::IssuedPath(const Identity& identity) const {
  return PathIn(PathIn(folder_, "issued"), fmt::format("{}-{}.crt", RoleName(identity.role), identity.name));
}

std::optional<X509Certificate> ConsortiumFolder::Issued(const Identity& identity) const {
  Result<X509Certificate> certificate = X509Certificate::FromFile(IssuedPath(identity));
  if (!certificate.ok() || certificate->facts().identity != identity) return std::nullopt;
  return std::move(certificate).value();
}

Result<X509Certificate> ConsortiumFolder::IssueTo(const MemberRequest& request, std::int64_t now_unix,
                                                  std::int64_t days) const {
  SYNOD_RETURN_IF_ERROR(CheckDays(days));
  SYNOD_RETURN_IF_ERROR(CheckCertificateTime(root_.facts(), now_unix));
  const std::int64_t wanted = now_unix + days * std::int64_t{86'400};
  const std::int64_t until = std::min(wanted, root_.facts().not_after_unix);
  return Issue(key_, root_, request.tls_request, request.identity, now_unix, until);
}

Status ConsortiumFolder::Store(Manifest manifest, Revocations revocations) {
  TrustBundle bundle = bundle_;
  if (manifest != manifest_) {
    SYNOD_ASSIGN_OR_RETURN(bundle.manifest, SignManifest(key_, manifest));
  }
  if (revocations != revocations_) {
    SYNOD_ASSIGN_OR_RETURN(bundle.revocations, SignRevocations(key_, revocations));
  }
  const std::string text = bundle.ToJsonText();
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(PathIn(folder_, kBundleFile), AsBytes(text)));
  bundle_ = std::move(bundle);
  manifest_ = std::move(manifest);
  revocations_ = std::move(revocations);
  const std::string coordinator_trust = PathIn(coordinator_kit(), "trust");
  if (!Exists(coordinator_trust)) return {};
  return WriteFileAtomically(PathIn(coordinator_trust, kBundleFile), AsBytes(text));
}

Result<Approved> ConsortiumFolder::Approve(const MemberRequest& request, std::int64_t now_unix, std::int64_t days) {
  const std::string uri = request.identity.Uri();
  if (request.identity.consortium != manifest_.consortium) {
    return Refused(fmt::format("the request is for {}, and this is the consortium {}", uri, manifest_.consortium));
  }
  SYNOD_ASSIGN_OR_RETURN(X509Certificate certificate, IssueTo(request, now_unix, days));
  const Member member{request.identity, request.signing_key, certificate.facts().key_fingerprint, now_unix};
  if (revocations_.Contains(member.tls_key_fingerprint)) {
    return Refused(fmt::format("the key in the request of {} is revoked", uri), "make new keys, in a new folder");
  }
  const Member* known = PlaceOf(manifest_, request.identity);
  const bool same_keys = known != nullptr && known->identity == member.identity &&
                         known->tls_key_fingerprint == member.tls_key_fingerprint &&
                         known->signing_key == member.signing_key;
  Manifest manifest = manifest_;
  if (known != nullptr && !same_keys) {
    if (!revocations_.Contains(known->tls_key_fingerprint)) {
      return Refused(fmt::format("{} is a member already, with other keys", known->identity.Uri()),
                     fmt::format("if these replace them, revoke {} {} first", RoleName(known->identity.role),
                                 known->identity.name));
    }
    if (RoleSigns(member.identity.role) && known->signing_key == member.signing_key) {
      return Refused(fmt::format("the signing key in the request of {} is that of the revoked kit", uri),
                     "make new keys, in a new folder");
    }
    std::erase_if(manifest.members, [&](const Member& one) { return one.identity == known->identity; });
  }
  if (!same_keys) {
    Put(manifest, member);
    ++manifest.number;
  }
  // The same keys too: what a command that was cut off left undone at the coordinator's kit is done now.
  SYNOD_RETURN_IF_ERROR(Store(std::move(manifest), revocations_));
  SYNOD_RETURN_IF_ERROR(MakeFolder(PathIn(folder_, "issued")));
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(IssuedPath(request.identity), AsBytes(certificate.ToPem())));
  return Approved{{root_, std::move(certificate), bundle_}, same_keys};
}

Status ConsortiumFolder::Revoke(const Identity& identity, std::int64_t now_unix) {
  const Member* member = manifest_.Find(identity);
  if (member == nullptr) return BadInput(fmt::format("{} is not a member", identity.Uri()));
  if (const Revocation* known = revocations_.Find(member->tls_key_fingerprint)) {
    const std::int64_t since = known->revoked_unix;  // Store replaces the list that `known` points into
    SYNOD_RETURN_IF_ERROR(Store(manifest_, revocations_));
    return Refused(fmt::format("{} is revoked since {}", identity.Uri(), Rfc3339(since)));
  }
  Revocations revocations = revocations_;
  const Revocation revocation{identity, member->tls_key_fingerprint, now_unix};
  const auto order = [](const Revocation& a, const Revocation& b) {
    return std::tie(a.identity, a.tls_key_fingerprint) < std::tie(b.identity, b.tls_key_fingerprint);
  };
  const auto after = std::lower_bound(revocations.revoked.begin(), revocations.revoked.end(), revocation, order);
  revocations.revoked.insert(after, revocation);
  ++revocations.number;
  return Store(manifest_, std::move(revocations));
}

}  // namespace synod
