// The commands of whoever keeps a consortium's root, and of sites and operators that join: options in, CommandOutput
// out.
#pragma once

#include <cstdint>
#include <string>

#include "common/core/identity.h"
#include "tools/synod/command.h"

namespace synod {

struct ConsortiumInitOptions {
  std::string folder;
  std::string name;
  std::string coordinator_address;  // HOST:PORT
  std::string coordinator_name = "coordinator";
  std::string operator_name = "operator";
  std::int64_t days = 730;  // of the coordinator's and the operator's certificates
};
Result<CommandOutput> RunConsortiumInit(const ConsortiumInitOptions& options, CommandContext& context);

struct ConsortiumApproveOptions {
  std::string folder;
  std::string request_file;
  std::string fingerprint;  // as its sender told it; empty: shows what to compare, and approves nothing
  std::string out;          // empty: approval-NAME.json in the folder
  std::int64_t days = 730;
};
Result<CommandOutput> RunConsortiumApprove(const ConsortiumApproveOptions& options, CommandContext& context);

struct ConsortiumRevokeOptions {
  std::string folder;
  std::string role;
  std::string name;
};
Result<CommandOutput> RunConsortiumRevoke(const ConsortiumRevokeOptions& options, CommandContext& context);

// `folder` is that of a root, a kit or a trust folder.
Result<CommandOutput> RunConsortiumShow(const std::string& folder, CommandContext& context);

struct MemberRequestOptions {
  std::string folder;
  std::string consortium;
  Role role = Role::kSite;
  std::string name;
};
Result<CommandOutput> RunMemberRequest(const MemberRequestOptions& options);

struct MemberJoinOptions {
  std::string folder;
  std::string approval_file;
  std::string fingerprint;  // of the root, as it came by another way
};
Result<CommandOutput> RunMemberJoin(const MemberJoinOptions& options, CommandContext& context);

}  // namespace synod
