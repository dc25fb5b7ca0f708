#include <fmt/format.h>

#include "common/consortium/consortium_folder.h"
#include "common/consortium/fingerprint.h"
#include "common/core/file.h"
#include "tools/synod/consortium_commands.h"

namespace synod {
namespace {

// Names have no dot: no approval of one role has the file name of another's.
std::string ApprovalFileName(const Identity& identity) {
  if (identity.role == Role::kSite) return fmt::format("approval-{}.json", identity.name);
  return fmt::format("approval-{}.{}.json", RoleName(identity.role), identity.name);
}

std::string WhatToDoAtTheCoordinator(const ConsortiumFolder& consortium) {
  if (Exists(consortium.coordinator_kit())) {
    return "The coordinator's kit beside it is up to date; a coordinator that runs from it takes it with SIGHUP\n"
           "(systemctl reload synod-coordinator).\n";
  }
  return fmt::format(
      "Copy {} to the trust folder of the coordinator's kit, then send the coordinator\n"
      "SIGHUP (systemctl reload synod-coordinator); it tells the sites.\n",
      PathIn(consortium.folder(), "bundle.json"));
}

// A coordinator that was put out does not tell the sites of it.
std::string WhatToDoAtTheSites(const ConsortiumFolder& consortium) {
  return fmt::format(
      "Sites hear of revocations from their coordinator, and this one will not tell them: send {} to\n"
      "every site; there it replaces the file in the kit's trust folder, and synod-site is sent SIGHUP\n"
      "(systemctl reload synod-site).\n",
      PathIn(consortium.folder(), "bundle.json"));
}

Result<MemberRequest> ReadRequestFile(const std::string& path) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(path, MemberRequest::kMaxBytes));
  Result<MemberRequest> request = MemberRequest::FromCanonicalText(text);
  if (!request.ok()) return request.error().Within(path);
  return request;
}

Status CompareFingerprint(const MemberRequest& request, const std::string& told) {
  if (told.empty()) {
    return Refused(fmt::format("nothing was approved: {} asks to be a member with the fingerprint\n  {}",
                               request.identity.Uri(), FingerprintText(request.Fingerprint())),
                   "ask its sender for the fingerprint by telephone, and give what you are told with --fingerprint");
  }
  SYNOD_ASSIGN_OR_RETURN(const Digest fingerprint, FingerprintFromText(told));
  if (fingerprint == request.Fingerprint()) return {};
  return VerificationFailed("the request has another fingerprint than the one that was told: it was changed on its way",
                            "have the file sent again by another way");
}

}  // namespace

Result<CommandOutput> RunConsortiumInit(const ConsortiumInitOptions& options, CommandContext& context) {
  ConsortiumOptions request;
  request.name = options.name;
  request.coordinator_address = options.coordinator_address;
  request.coordinator_name = options.coordinator_name;
  request.operator_name = options.operator_name;
  request.now_unix = context.clock.UnixSeconds();
  request.member_days = options.days;
  SYNOD_ASSIGN_OR_RETURN(const ConsortiumFolder consortium, ConsortiumFolder::Create(options.folder, request));
  const std::string fingerprint = FingerprintText(consortium.root().facts().certificate_fingerprint);
  CommandOutput output;
  output.data = {{"consortium", options.name},
                 {"folder", consortium.folder()},
                 {"coordinator_kit", consortium.coordinator_kit()},
                 {"operator_kit", consortium.operator_kit()},
                 {"root_fingerprint", fingerprint}};
  output.text = fmt::format(
      R"(The consortium "{}" is made in {}:
  root/             keep it off the coordinator: whoever has root.key can let anybody in
  coordinator-kit/  move it to the coordinator's machine; synod-coordinator runs from it
  operator-kit/     move it to the machine of whoever submits runs

Fingerprint of the root. Tell it to every site by telephone or on paper, not with the files:
  {}

Next: at each site, synod site request DIR --site NAME --consortium {}
)",
      options.name, consortium.folder(), fingerprint, options.name);
  return output;
}

Result<CommandOutput> RunConsortiumApprove(const ConsortiumApproveOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(ConsortiumFolder consortium, ConsortiumFolder::Open(options.folder));
  SYNOD_ASSIGN_OR_RETURN(const MemberRequest request, ReadRequestFile(options.request_file));
  SYNOD_RETURN_IF_ERROR(CompareFingerprint(request, options.fingerprint));
  SYNOD_ASSIGN_OR_RETURN(const Approved approved,
                         consortium.Approve(request, context.clock.UnixSeconds(), options.days));
  const std::string out =
      options.out.empty() ? PathIn(consortium.folder(), ApprovalFileName(request.identity)) : options.out;
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(out, AsBytes(approved.approval.CanonicalText())));
  const std::string until = Rfc3339(approved.approval.certificate.facts().not_after_unix);
  const std::string root = FingerprintText(consortium.root().facts().certificate_fingerprint);
  CommandOutput output;
  output.data = {{"identity", request.identity.Uri()},
                 {"approval", out},
                 {"renewed", approved.renewed},
                 {"valid_until", until},
                 {"manifest", consortium.manifest().number},
                 {"root_fingerprint", root}};
  output.text = fmt::format(
      "{} is {} until {}.\nSend it {} and tell it, by telephone or on paper, the root's fingerprint:\n  {}\n{}",
      request.identity.Uri(), approved.renewed ? "renewed" : "a member", until, out, root,
      approved.renewed ? "" : WhatToDoAtTheCoordinator(consortium));
  return output;
}

Result<CommandOutput> RunConsortiumRevoke(const ConsortiumRevokeOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Role role, RoleFromName(options.role));
  SYNOD_RETURN_IF_ERROR(CheckName(options.name));
  SYNOD_ASSIGN_OR_RETURN(ConsortiumFolder consortium, ConsortiumFolder::Open(options.folder));
  const Identity identity{consortium.manifest().consortium, role, options.name};
  SYNOD_RETURN_IF_ERROR(consortium.Revoke(identity, context.clock.UnixSeconds()));
  CommandOutput output;
  output.data = {{"identity", identity.Uri()}, {"revocations", consortium.revocations().number}};
  output.text =
      fmt::format("{} is revoked (list number {}).\n{}", identity.Uri(), consortium.revocations().number,
                  role == Role::kCoordinator ? WhatToDoAtTheSites(consortium) : WhatToDoAtTheCoordinator(consortium));
  return output;
}

}  // namespace synod
