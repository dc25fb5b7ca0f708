#include "tools/synod/run_arguments.h"

#include <memory>
#include <string>

#include "tools/synod/command_group.h"
#include "tools/synod/run_commands.h"

namespace synod {
namespace {

constexpr const char* kKitHelp = "An operator's kit; SYNOD_KIT or the current folder by default";

void AddSubmit(CLI::App& group, Chosen& chosen) {
  auto options = std::make_shared<RunSubmitOptions>();
  CLI::App* submit = group.add_subcommand("submit", "Offer a run to the sites; it starts when they have decided");
  submit->add_option("run", options->run_file, "Run file (TOML)")->required();
  submit->add_option("--kit", options->kit, kKitHelp);
  submit->add_option("--schema", options->schema_file, "Schema (TOML); by default what the run names, beside it");
  submit->add_option("--sites", options->sites, "Sites of the roster, with commas; all by default")->delimiter(',');
  submit->add_option("--id", options->id, "Id of the run (32 hexadecimal digits): the same id again is the same run");
  submit->add_flag("--wait", options->wait, "Watch it until it has ended");
  submit->callback(
      [options, &chosen] { chosen.run = [options](CommandContext& context) { return RunSubmit(*options, context); }; });
}

using NamedCommand = Result<CommandOutput> (*)(const RunNameOptions&, CommandContext&);

void AddNamed(CLI::App& group, Chosen& chosen, const char* name, const char* description, NamedCommand command) {
  auto options = std::make_shared<RunNameOptions>();
  CLI::App* added = group.add_subcommand(name, description);
  added->add_option("run", options->run, "Id of the run, or its beginning")->required();
  added->add_option("--kit", options->kit, kKitHelp);
  added->callback([options, command, &chosen] {
    chosen.run = [options, command](CommandContext& context) { return command(*options, context); };
  });
}

void AddFetch(CLI::App& group, Chosen& chosen) {
  auto options = std::make_shared<RunNameOptions>();
  auto out = std::make_shared<std::string>();
  CLI::App* fetch = group.add_subcommand("fetch", "Get the generator file of a published run");
  fetch->add_option("run", options->run, "Id of the run, or its beginning")->required();
  fetch->add_option("-o,--out", *out, "File to write")->required();
  fetch->add_option("--kit", options->kit, kKitHelp);
  fetch->callback([options, out, &chosen] {
    chosen.run = [options, out](CommandContext& context) { return RunFetch(*options, *out, context); };
  });
}

using KitCommand = Result<CommandOutput> (*)(const std::string&, CommandContext&);

void AddList(CLI::App& group, Chosen& chosen, const char* description, KitCommand command) {
  auto kit = std::make_shared<std::string>();
  CLI::App* list = group.add_subcommand("list", description);
  list->add_option("--kit", *kit, kKitHelp);
  list->callback([kit, command, &chosen] {
    chosen.run = [kit, command](CommandContext& context) { return command(*kit, context); };
  });
}

}  // namespace

void AddRunAndSiteCommands(CLI::App& app, Chosen& chosen) {
  CLI::App& run = CommandGroup(app, "run", "Runs of a consortium: submit, follow, explain, abort, fetch");
  AddSubmit(run, chosen);
  AddList(run, chosen, "All runs, with what they wait for", RunList);
  AddNamed(run, chosen, "show", "Everything about a run", RunShow);
  AddNamed(run, chosen, "watch", "Live, until the run has ended; the exit code says how", RunWatch);
  AddNamed(run, chosen, "why", "What a run waits for, since when, and what ends it", RunWhy);
  AddNamed(run, chosen, "abort", "End a run; what sites have answered stays charged", RunAbort);
  AddFetch(run, chosen);
  AddList(CommandGroup(app, "site", "Sites of a consortium"), chosen,
          "All sites: connected or not, since when, and why", SiteList);
}

}  // namespace synod
