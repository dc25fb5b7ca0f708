#include "common/consortium/make_kits.h"

#include "common/consortium/kit_folder.h"
#include "common/consortium/trust.h"
#include "common/core/file.h"

namespace synod {
namespace {

Status MakeKitIn(ConsortiumFolder& consortium, const std::string& folder, Role role, const std::string& name,
                 std::int64_t now_unix, std::int64_t days) {
  const Identity identity{consortium.manifest().consortium, role, name};
  SYNOD_ASSIGN_OR_RETURN(const MemberRequest request, RequestMembership(folder, identity));
  SYNOD_ASSIGN_OR_RETURN(const Approved approved, consortium.Approve(request, now_unix, days));
  const Digest fingerprint = consortium.root().facts().certificate_fingerprint;
  SYNOD_RETURN_IF_ERROR(JoinConsortium(folder, approved.approval, fingerprint, now_unix));
  return {};
}

}  // namespace

Result<std::string> MakeKit(const std::string& consortium, const std::string& folder, Role role,
                            const std::string& name, std::int64_t now_unix, std::int64_t days) {
  SYNOD_ASSIGN_OR_RETURN(ConsortiumFolder opened, ConsortiumFolder::Open(consortium));
  SYNOD_RETURN_IF_ERROR(MakeKitIn(opened, folder, role, name, now_unix, days));
  return folder;
}

Result<Kits> MakeKits(const std::string& folder, const ConsortiumOptions& options,
                      const std::vector<std::string>& sites) {
  SYNOD_RETURN_IF_ERROR(MakeFolder(folder));
  SYNOD_ASSIGN_OR_RETURN(ConsortiumFolder consortium, ConsortiumFolder::Create(PathIn(folder, "consortium"), options));
  Kits kits{consortium.folder(), consortium.coordinator_kit(), consortium.operator_kit(), {}};
  for (const std::string& site : sites) {
    const std::string kit = PathIn(folder, site);
    SYNOD_RETURN_IF_ERROR(MakeKitIn(consortium, kit, Role::kSite, site, options.now_unix, options.member_days));
    kits.sites.emplace(site, kit);
  }
  const std::string bundle = consortium.bundle().ToJsonText();
  std::vector<std::string> all = {kits.coordinator, kits.first_operator};
  for (const auto& [name, kit] : kits.sites) all.push_back(kit);
  for (const std::string& kit : all) {
    SYNOD_RETURN_IF_ERROR(WriteFileAtomically(PathIn(PathIn(kit, "trust"), kBundleFile), AsBytes(bundle)));
  }
  return kits;
}

}  // namespace synod
