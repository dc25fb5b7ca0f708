#include <unistd.h>

#include <filesystem>

#include "common/consortium/consortium_folder.h"
#include "common/consortium/kit_folder.h"
#include "common/consortium/trust.h"
#include "common/core/file.h"

namespace synod {
namespace {

struct Root {
  TlsKey key;
  X509Certificate certificate;
};

Result<Root> MakeRootIn(const std::string& folder, const ConsortiumOptions& options) {
  const std::string root_folder = PathIn(folder, "root");
  SYNOD_RETURN_IF_ERROR(MakeFolder(root_folder, 0700));
  TlsKey key = TlsKey::Generate();
  const std::int64_t until = options.now_unix + options.root_days * std::int64_t{86'400};
  SYNOD_ASSIGN_OR_RETURN(X509Certificate root, MakeRoot(key, options.name, options.now_unix, until));
  SYNOD_RETURN_IF_ERROR(key.WritePemFile(PathIn(root_folder, "root.key")));
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(PathIn(root_folder, kRootFile), AsBytes(root.ToPem())));
  return Root{std::move(key), std::move(root)};
}

Result<Member> MemberOf(const MemberRequest& request, const Root& root, const ConsortiumOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(
      const X509Certificate certificate,
      Issue(root.key, root.certificate, request.tls_request, request.identity, options.now_unix, options.now_unix + 1));
  return Member{request.identity, request.signing_key, certificate.facts().key_fingerprint, options.now_unix};
}

// The first manifest has the coordinator, without which there is none.
Status WriteFirstBundle(const std::string& folder, const Root& root, const MemberRequest& coordinator,
                        const ConsortiumOptions& options) {
  Manifest manifest;
  manifest.consortium = options.name;
  manifest.number = 1;
  manifest.coordinator_address = options.coordinator_address;
  SYNOD_ASSIGN_OR_RETURN(Member member, MemberOf(coordinator, root, options));
  manifest.members.push_back(std::move(member));
  Revocations revocations;
  revocations.consortium = options.name;
  revocations.number = 1;
  TrustBundle bundle;
  SYNOD_ASSIGN_OR_RETURN(bundle.manifest, SignManifest(root.key, manifest));
  SYNOD_ASSIGN_OR_RETURN(bundle.revocations, SignRevocations(root.key, revocations));
  return WriteFileAtomically(PathIn(folder, kBundleFile), AsBytes(bundle.ToJsonText()));
}

Status JoinOwn(ConsortiumFolder& consortium, const std::string& kit, const MemberRequest& request,
               const ConsortiumOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(const Approved approved, consortium.Approve(request, options.now_unix, options.member_days));
  const Digest fingerprint = consortium.root().facts().certificate_fingerprint;
  SYNOD_RETURN_IF_ERROR(JoinConsortium(kit, approved.approval, fingerprint, options.now_unix));
  return {};
}

Status Fill(const std::string& folder, const ConsortiumOptions& options) {
  SYNOD_ASSIGN_OR_RETURN(const Root root, MakeRootIn(folder, options));
  const std::string coordinator_kit = PathIn(folder, "coordinator-kit");
  const std::string operator_kit = PathIn(folder, "operator-kit");
  SYNOD_ASSIGN_OR_RETURN(
      const MemberRequest coordinator,
      RequestMembership(coordinator_kit, {options.name, Role::kCoordinator, options.coordinator_name}));
  SYNOD_ASSIGN_OR_RETURN(const MemberRequest first_operator,
                         RequestMembership(operator_kit, {options.name, Role::kOperator, options.operator_name}));
  SYNOD_RETURN_IF_ERROR(WriteFirstBundle(folder, root, coordinator, options));
  SYNOD_ASSIGN_OR_RETURN(ConsortiumFolder consortium, ConsortiumFolder::Open(folder));
  SYNOD_RETURN_IF_ERROR(JoinOwn(consortium, operator_kit, first_operator, options));
  return JoinOwn(consortium, coordinator_kit, coordinator, options);
}

Status CheckOptions(const ConsortiumOptions& options) {
  SYNOD_RETURN_IF_ERROR(CheckName(options.name));
  SYNOD_RETURN_IF_ERROR(CheckName(options.coordinator_name));
  SYNOD_RETURN_IF_ERROR(CheckName(options.operator_name));
  SYNOD_RETURN_IF_ERROR(CheckHostPort(options.coordinator_address));
  const auto good = [](std::int64_t days) { return days >= 1 && days <= ConsortiumFolder::kMaxDays; };
  if (good(options.root_days) && good(options.member_days)) return {};
  return BadInput("days of validity are out of range");
}

}  // namespace

Result<ConsortiumFolder> ConsortiumFolder::Create(const std::string& folder, const ConsortiumOptions& options) {
  namespace fs = std::filesystem;
  SYNOD_RETURN_IF_ERROR(CheckOptions(options));
  std::error_code ignored;
  if (Exists(folder) && !fs::is_empty(folder, ignored)) {
    return Refused(folder + " exists and is not empty", "name a new folder for a new consortium");
  }
  fs::path place = fs::absolute(folder, ignored).lexically_normal();
  if (!place.has_filename()) place = place.parent_path();
  const std::string unfinished = place.string() + ".unfinished";
  SYNOD_RETURN_IF_ERROR(RemoveFolder(unfinished));
  SYNOD_RETURN_IF_ERROR(MakeFolder(unfinished));
  Status filled = Fill(unfinished, options);
  if (filled.ok()) filled = RenameFolder(unfinished, place.string());
  if (filled.ok()) return Open(place.string());
  const Status removed = RemoveFolder(unfinished);
  return removed.ok() ? filled.error() : removed.error();
}

}  // namespace synod
