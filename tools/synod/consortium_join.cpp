#include <fmt/format.h>

#include "common/consortium/fingerprint.h"
#include "common/consortium/folders.h"
#include "common/consortium/kit_folder.h"
#include "common/core/file.h"
#include "tools/synod/consortium_commands.h"

namespace synod {

Result<CommandOutput> RunMemberRequest(const MemberRequestOptions& options) {
  SYNOD_RETURN_IF_ERROR(CheckName(options.consortium));
  SYNOD_RETURN_IF_ERROR(CheckName(options.name));
  const Identity identity{options.consortium, options.role, options.name};
  SYNOD_ASSIGN_OR_RETURN(const MemberRequest request, RequestMembership(options.folder, identity));
  const std::string path = PathIn(options.folder, kRequestFile);
  const std::string fingerprint = FingerprintText(request.Fingerprint());
  CommandOutput output;
  output.data = {{"identity", identity.Uri()}, {"request", path}, {"fingerprint", fingerprint}};
  output.text = fmt::format(
      R"({} asks to be a member. Its keys are in {}; they stay there.
Send {} to whoever keeps the root of "{}"; it is not secret.
Tell them its fingerprint by telephone:
  {}

Next, with the approval that comes back: synod {} join {} APPROVAL.json --fingerprint ROOT
)",
      identity.Uri(), PathIn(options.folder, "trust"), path, options.consortium, fingerprint, RoleName(options.role),
      options.folder);
  return output;
}

Result<CommandOutput> RunMemberJoin(const MemberJoinOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const Digest fingerprint, FingerprintFromText(options.fingerprint));
  SYNOD_ASSIGN_OR_RETURN(const std::string text, ReadFile(options.approval_file, MemberApproval::kMaxBytes));
  const Result<MemberApproval> approval = MemberApproval::FromCanonicalText(text);
  if (!approval.ok()) return approval.error().Within(options.approval_file);
  SYNOD_ASSIGN_OR_RETURN(const Identity identity,
                         JoinConsortium(options.folder, *approval, fingerprint, context.clock.UnixSeconds()));
  const std::string until = Rfc3339(approval->certificate.facts().not_after_unix);
  CommandOutput output;
  output.data = {{"identity", identity.Uri()}, {"folder", options.folder}, {"valid_until", until}};
  output.text = fmt::format("{} is a member until {}.\n", identity.Uri(), until);
  if (identity.role == Role::kSite) {
    output.text += fmt::format(
        "Next: name your data in {0}, say in {1} what you allow\n(it allows nothing yet), then synod-site run -c {2}\n",
        PathIn(PathIn(options.folder, "local"), "site.toml"), PathIn(PathIn(options.folder, "local"), "policy.toml"),
        options.folder);
  }
  return output;
}

}  // namespace synod
