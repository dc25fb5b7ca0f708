#include "tools/synod/consortium_arguments.h"

#include <memory>

#include "tools/synod/command_group.h"
#include "tools/synod/consortium_commands.h"

namespace synod {
namespace {

void AddConsortiumInit(CLI::App& group, Chosen& chosen) {
  auto options = std::make_shared<ConsortiumInitOptions>();
  CLI::App* init =
      group.add_subcommand("init", "Make a consortium: its root, the coordinator's kit, an operator's kit");
  init->add_option("folder", options->folder, "New folder; it belongs on a machine that is not the coordinator's")
      ->required();
  init->add_option("--name", options->name, "Name of the consortium: a-z, 0-9 and -")->required();
  init->add_option("--coordinator", options->coordinator_address, "HOST:PORT at which sites reach it")->required();
  init->add_option("--coordinator-name", options->coordinator_name, "Name of the coordinator")->capture_default_str();
  init->add_option("--operator-name", options->operator_name, "Name of the first operator")->capture_default_str();
  init->add_option("--days", options->days, "Validity of both kits' certificates")->capture_default_str();
  init->callback([options, &chosen] {
    chosen.run = [options](CommandContext& context) { return RunConsortiumInit(*options, context); };
  });
}

void AddApproveRevokeShow(CLI::App& group, Chosen& chosen) {
  auto approve_options = std::make_shared<ConsortiumApproveOptions>();
  CLI::App* approve = group.add_subcommand("approve", "Let in whoever sent a request, or renew their certificate");
  approve->add_option("folder", approve_options->folder, "Folder of the root")->required();
  approve->add_option("request", approve_options->request_file, "request.json as it was sent")->required();
  approve->add_option("--fingerprint", approve_options->fingerprint,
                      "Of the request, as its sender told it; without it nothing is approved");
  approve->add_option("--days", approve_options->days, "Validity of the certificate")->capture_default_str();
  approve->add_option("-o,--out", approve_options->out, "File of the approval; approval-NAME.json in the folder");
  approve->callback([approve_options, &chosen] {
    chosen.run = [approve_options](CommandContext& context) { return RunConsortiumApprove(*approve_options, context); };
  });
  auto revoke_options = std::make_shared<ConsortiumRevokeOptions>();
  CLI::App* revoke = group.add_subcommand("revoke", "Put a member out, at once and for good");
  revoke->add_option("folder", revoke_options->folder, "Folder of the root")->required();
  revoke->add_option("role", revoke_options->role, "site, operator, viewer, admin or coordinator")->required();
  revoke->add_option("name", revoke_options->name, "Name of the member")->required();
  revoke->callback([revoke_options, &chosen] {
    chosen.run = [revoke_options](CommandContext& context) { return RunConsortiumRevoke(*revoke_options, context); };
  });
  auto shown = std::make_shared<std::string>();
  CLI::App* show = group.add_subcommand("show", "Members, fingerprints and numbers, as a folder knows them");
  show->add_option("folder", *shown, "Folder of the root, or a kit")->required();
  show->callback([shown, &chosen] {
    chosen.run = [shown](CommandContext& context) { return RunConsortiumShow(*shown, context); };
  });
}

// `synod site request|join` and `synod operator request|join`.
void AddMemberCommands(CLI::App& app, Chosen& chosen, Role role) {
  const std::string name(RoleName(role));
  CLI::App& group = CommandGroup(app, name, "For a" + std::string(role == Role::kOperator ? "n " : " ") + name);
  auto request_options = std::make_shared<MemberRequestOptions>();
  request_options->role = role;
  CLI::App* request = group.add_subcommand("request", "Make the keys of a new kit, here, and a request to join");
  request->add_option("folder", request_options->folder, "Folder of the kit")->required();
  request->add_option("--" + name + ",--name", request_options->name, "Name of the " + name + ": a-z, 0-9 and -")
      ->required();
  request->add_option("--consortium", request_options->consortium, "Name of the consortium")->required();
  request->callback([request_options, &chosen] {
    chosen.run = [request_options](CommandContext&) { return RunMemberRequest(*request_options); };
  });
  auto join_options = std::make_shared<MemberJoinOptions>();
  CLI::App* join = group.add_subcommand("join", "Complete the kit with the approval, or renew its certificate");
  join->add_option("folder", join_options->folder, "Folder of the kit")->required();
  join->add_option("approval", join_options->approval_file, "Approval file as it came")->required();
  join->add_option("--fingerprint", join_options->fingerprint, "Of the consortium's root, as it came by another way")
      ->required();
  join->callback([join_options, &chosen] {
    chosen.run = [join_options](CommandContext& context) { return RunMemberJoin(*join_options, context); };
  });
}

}  // namespace

void AddConsortiumCommands(CLI::App& app, Chosen& chosen) {
  CLI::App& group = CommandGroup(app, "consortium", "For whoever keeps the root of a consortium: who belongs to it");
  AddConsortiumInit(group, chosen);
  AddApproveRevokeShow(group, chosen);
  AddMemberCommands(app, chosen, Role::kSite);
  AddMemberCommands(app, chosen, Role::kOperator);
}

}  // namespace synod
