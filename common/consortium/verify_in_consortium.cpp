#include "common/consortium/verify_in_consortium.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/consortium/trust.h"
#include "common/core/clock.h"

namespace synod {
namespace {

// A text that does not open has failed the verification, whatever is wrong with it.
Error FailedVerification(const Error& error) {
  return VerificationFailed(fmt::format("the consortium cannot be verified: {}", error.message), error.hint);
}

class MemberChecker {
 public:
  MemberChecker(const GeneratorFile& file, const X509Certificate& root)
      : file_(file), root_(root), made_unix_(file.certificate().created_unix) {}

  Status Open(const FileConsortium& texts, const std::optional<TrustBundle>& known) {
    const Result<Manifest> manifest = OpenManifest(root_, texts.manifest);
    if (!manifest.ok()) return FailedVerification(manifest.error());
    manifest_ = *manifest;
    SYNOD_RETURN_IF_ERROR(AddRevocations(texts.revocations));
    if (known) SYNOD_RETURN_IF_ERROR(AddKnown(*known, texts.manifest));
    const Status in_date = CheckCertificateTime(root_.facts(), made_unix_);
    if (!in_date.ok()) return FailedVerification(in_date.error());
    return {};
  }

  Status CheckMembers() {
    const std::vector<const Member*> coordinators = manifest_.WithRole(Role::kCoordinator);
    SYNOD_CHECK(coordinators.size() == 1, "a manifest has one coordinator");
    SYNOD_RETURN_IF_ERROR(CheckAdded(*coordinators.front()));
    if (file_.signatures().coordinator) SYNOD_RETURN_IF_ERROR(CheckNotRevoked(*coordinators.front()));
    keys_.coordinator = coordinators.front()->signing_key;
    for (const RosterSite& site : file_.content().plan.facts().roster) SYNOD_RETURN_IF_ERROR(CheckSite(site));
    return {};
  }

  const TrustedKeys& keys() const { return keys_; }

  std::vector<std::string> Sentences() const {
    std::vector<std::string> sentences = {
        fmt::format("The coordinator and all {} sites of the roster are members of the consortium \"{}\" (manifest "
                    "number {}, signed by the root), and nobody who signed was revoked when the file was made.",
                    keys_.sites.size(), manifest_.consortium, manifest_.number)};
    for (const std::string& one : revoked_later_) sentences.push_back(one);
    return sentences;
  }

 private:
  Status AddRevocations(const SignedText& text) {
    const Result<Revocations> opened = OpenRevocations(root_, text);
    if (!opened.ok()) return FailedVerification(opened.error());
    revocations_.push_back(*opened);
    return {};
  }

  // A root that signs two manifests under one number can show each verifier its own consortium.
  Status AddKnown(const TrustBundle& known, const SignedText& in_file) {
    const Result<Manifest> manifest = OpenManifest(root_, known.manifest);
    if (!manifest.ok()) return FailedVerification(manifest.error());
    if (manifest->number == manifest_.number && known.manifest.text != in_file.text) {
      return VerificationFailed(
          fmt::format("the file has another manifest number {} than the one known here", manifest_.number));
    }
    return AddRevocations(known.revocations);
  }

  Status CheckAdded(const Member& member) const {
    if (member.added_unix <= made_unix_ + Trust::kClockSkewSeconds) return {};
    return VerificationFailed(fmt::format("{} became a member at {}, after the file was made", member.identity.Uri(),
                                          Rfc3339(member.added_unix)));
  }

  Status CheckNotRevoked(const Member& member) {
    const Revocation* first = nullptr;
    for (const Revocations& list : revocations_) {
      const Revocation* found = list.Find(member.tls_key_fingerprint);
      if (found != nullptr && (first == nullptr || found->revoked_unix < first->revoked_unix)) first = found;
    }
    if (first == nullptr) return {};
    const std::string when = Rfc3339(first->revoked_unix);
    const std::string uri = member.identity.Uri();
    if (first->revoked_unix <= made_unix_) {
      return VerificationFailed(fmt::format("{} signed and had been revoked at {}", uri, when));
    }
    revoked_later_.push_back(fmt::format("{} signed and was revoked later, at {}.", uri, when));
    return {};
  }

  Status CheckSite(const RosterSite& site) {
    const Member* member = manifest_.Find({manifest_.consortium, Role::kSite, site.id});
    if (member == nullptr) {
      return VerificationFailed(fmt::format("site \"{}\" is in the plan's roster and not in the manifest", site.id));
    }
    if (KeyFingerprint(member->signing_key) != site.key_fingerprint) {
      return VerificationFailed(
          fmt::format("site \"{}\" has another key in the manifest than in the plan's roster", site.id));
    }
    SYNOD_RETURN_IF_ERROR(CheckAdded(*member));
    const auto& signatures = file_.signatures().sites;
    const bool has_signed = std::any_of(signatures.begin(), signatures.end(),
                                        [&](const SiteSignature& one) { return one.site == site.id; });
    if (has_signed) SYNOD_RETURN_IF_ERROR(CheckNotRevoked(*member));
    keys_.sites.emplace(site.id, member->signing_key);
    return {};
  }

  const GeneratorFile& file_;
  const X509Certificate& root_;
  std::int64_t made_unix_;
  Manifest manifest_;
  std::vector<Revocations> revocations_;
  std::vector<std::string> revoked_later_;
  TrustedKeys keys_;
};

}  // namespace

Result<VerifyReport> VerifyInConsortium(const GeneratorFile& file, const X509Certificate& root,
                                        const std::optional<TrustBundle>& known) {
  if (file.certificate().kind == CertificateClass::kSimulation) return Verify(file, {});
  if (!file.signatures().consortium) {
    return VerificationFailed("the file does not carry the manifest of its consortium",
                              "verify it with a file of the coordinator's and sites' keys");
  }
  MemberChecker checker(file, root);
  SYNOD_RETURN_IF_ERROR(checker.Open(*file.signatures().consortium, known));
  SYNOD_RETURN_IF_ERROR(checker.CheckMembers());
  SYNOD_ASSIGN_OR_RETURN(VerifyReport report, Verify(file, checker.keys()));
  for (std::string& sentence : checker.Sentences()) report.checked.push_back(std::move(sentence));
  return report;
}

Result<VerifyReport> VerifyWith(const GeneratorFile& file, const VerificationTrust& trust) {
  if (trust.root) return VerifyInConsortium(file, *trust.root, trust.known);
  return Verify(file, trust.keys);
}

FileConsortium FileConsortiumOf(const TrustBundle& bundle) {
  return {bundle.manifest, bundle.revocations};
}

}  // namespace synod
