// synod-site: the daemon of a site and its administrator's commands. This file only parses the command line and prints.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "common/core/clock.h"
#include "common/core/error.h"
#include "common/core/file.h"
#include "common/core/program_output.h"
#include "common/core/version.h"
#include "common/log/event_log.h"
#include "site_agent/run_site.h"
#include "site_agent/site_commands.h"
#include "site_agent/site_text.h"

namespace synod {
namespace {

constexpr char kProgram[] = "synod-site";

struct Output {
  std::string text;
  Json data;
};

struct Chosen {
  std::string kit = ".";
  bool json = false;
  bool daemon = false;
  std::function<Result<Output>(const std::string& kit)> run;
};

// A command that asks for one view and shows it.
void Show(Chosen& chosen, std::function<Json()> request, std::function<std::string(const Json&)> text) {
  chosen.run = [&chosen, request, text](const std::string& kit) -> Result<Output> {
    SYNOD_ASSIGN_OR_RETURN(Json data, AskSite(kit, request()));
    if (chosen.json) return Output{"", std::move(data)};
    try {
      return Output{text(data), std::move(data)};
    } catch (const Json::exception&) {
      return Failed("the daemon's reply has another form than this program knows",
                    "daemon and command are of different versions; --format json shows the reply as it is");
    }
  };
}

void AddRunCommands(CLI::App& app, Chosen& chosen) {
  CLI::App* run = app.add_subcommand("run", "The daemon, until SIGTERM; SIGHUP reads policy and certificates again");
  run->callback([&chosen] { chosen.daemon = true; });
  CLI::App* status = app.add_subcommand("status", "How the daemon, its link, its runs and data sets are");
  status->callback([&chosen] {
    Show(
        chosen,
        [] {
          return Json{{"verb", "status"}};
        },
        StatusText);
  });

  auto all = std::make_shared<bool>(false);
  CLI::App* requests = app.add_subcommand("requests", "Runs that were proposed to this site");
  requests->add_flag("--all", *all, "Also those that ended or were denied");
  requests->callback([&chosen, all] {
    Show(
        chosen,
        [all] {
          return Json{{"verb", "requests"}, {"all", *all}};
        },
        [](const Json& data) { return RunsText(data.at("runs")); });
  });
}

void AddDecisionCommands(CLI::App& app, Chosen& chosen) {
  auto run = std::make_shared<std::string>();
  auto reason = std::make_shared<std::string>();
  CLI::App* explain = app.add_subcommand("explain", "A run and its plan in words");
  CLI::App* approve = app.add_subcommand("approve", "Take part in a run that waits for a person");
  CLI::App* deny = app.add_subcommand("deny", "Do not take part in a run, or not any more");
  for (CLI::App* command : {explain, approve, deny}) {
    command->add_option("run", *run, "The run's id, or the beginning of it")->required();
  }
  deny->add_option("--reason", *reason, "A note that stays at this site");
  explain->callback([&chosen, run] {
    Show(
        chosen,
        [run] {
          return Json{{"verb", "explain"}, {"run", *run}};
        },
        ExplainText);
  });
  approve->callback([&chosen, run] {
    Show(
        chosen,
        [run] {
          return Json{{"verb", "approve"}, {"run", *run}};
        },
        RunDecidedText);
  });
  deny->callback([&chosen, run, reason] {
    Show(
        chosen,
        [run, reason] {
          return Json{{"verb", "deny"}, {"run", *run}, {"reason", *reason}};
        },
        RunDecidedText);
  });
}

// All rows, a page at a time; one JSON object a line.
Result<Output> ExportLedger(const std::string& kit, const std::string& file) {
  std::string lines;
  std::uint64_t first = 0;
  for (std::uint64_t rows = 1; first < rows;) {
    SYNOD_ASSIGN_OR_RETURN(const Json page,
                           AskSite(kit, {{"verb", "ledger_rows"}, {"first", first}, {"count", kMaxLedgerRowsAtOnce}}));
    rows = page.at("rows").get<std::uint64_t>();
    for (const Json& row : page.at("list")) {
      SYNOD_ASSIGN_OR_RETURN(const std::string line, CanonicalJsonText(row));
      lines += line + "\n";
    }
    first += page.at("list").size();
    if (page.at("list").empty()) break;
  }
  if (file == "-") return Output{lines, {{"rows", first}}};
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically(file, AsBytes(lines)));
  return Output{"Wrote " + std::to_string(first) + " rows to " + file + "\n", {{"rows", first}, {"file", file}}};
}

void AddPolicyCommands(CLI::App& app, Chosen& chosen) {
  CLI::App* policy = app.add_subcommand("policy", "What this site takes part in");
  policy->require_subcommand(1);
  policy->add_subcommand("show", "The policy in use")->callback([&chosen] {
    Show(
        chosen,
        [] {
          return Json{{"verb", "policy"}};
        },
        PolicyText);
  });
  policy->add_subcommand("check", "Reads the files as they are now, and says what they decide about waiting runs")
      ->callback([&chosen] {
        Show(
            chosen,
            [] {
              return Json{{"verb", "policy_check"}};
            },
            PolicyCheckText);
      });

  CLI::App* dataset = app.add_subcommand("dataset", "The data sets of this site and their accounts");
  dataset->require_subcommand(1);
  dataset->add_subcommand("list", "All data sets")->callback([&chosen] {
    Show(
        chosen,
        [] {
          return Json{{"verb", "datasets"}};
        },
        [](const Json& data) { return DatasetsText(data.at("datasets")); });
  });
  auto name = std::make_shared<std::string>();
  CLI::App* accept = dataset->add_subcommand(
      "accept", "Binds a data set to the file that site.toml names now; what it has spent stays spent");
  accept->add_option("name", *name, "Name of the data set")->required();
  accept->callback([&chosen, name] {
    Show(
        chosen,
        [name] {
          return Json{{"verb", "dataset_accept"}, {"dataset", *name}};
        },
        [](const Json& data) { return DatasetsText(data.at("datasets")); });
  });
}

void AddLedgerCommands(CLI::App& app, Chosen& chosen) {
  CLI::App* ledger = app.add_subcommand("ledger", "What this site has charged");
  ledger->require_subcommand(1);
  ledger->add_subcommand("show", "Answers by run, and the accounts")->callback([&chosen] {
    Show(
        chosen,
        [] {
          return Json{{"verb", "ledger"}};
        },
        LedgerText);
  });
  ledger->add_subcommand("verify", "The whole chain, and every row against its run's plan; exit code 8 if it fails")
      ->callback([&chosen] {
        Show(
            chosen,
            [] {
              return Json{{"verb", "ledger_verify"}};
            },
            LedgerVerifiedText);
      });
  auto accept = std::make_shared<bool>(false);
  CLI::App* restore = ledger->add_subcommand(
      "restore", "Goes on with a ledger that was rolled back: ends its open runs, charges what the lost rows may have");
  restore->add_flag("--accept", *accept, "Do it; without it, only says what would be done");
  restore->callback([&chosen, accept] {
    Show(
        chosen,
        [accept] {
          return Json{{"verb", "ledger_restore"}, {"accept", *accept}};
        },
        RestorationText);
  });
  auto file = std::make_shared<std::string>("-");
  CLI::App* rows = ledger->add_subcommand("export", "All rows as JSON lines");
  rows->add_option("-o,--out", *file, "File; - is stdout")->capture_default_str();
  rows->callback([&chosen, file] { chosen.run = [file](const std::string& kit) { return ExportLedger(kit, *file); }; });

  CLI::App* audit = app.add_subcommand("audit", "The log of decisions and administrative acts");
  audit->require_subcommand(1);
  audit->add_subcommand("verify", "The chain of the log; exit code 8 if it fails")->callback([&chosen] {
    chosen.run = [](const std::string& kit) -> Result<Output> {
      SYNOD_RETURN_IF_ERROR(AuditLog::Verify(kit + "/log/audit.log"));
      return Output{"The audit log is whole.\n", {{"whole", true}}};
    };
  });
}

int Main(int argc, char** argv) {
  CLI::App app("synod-site: takes part in federations for one hospital; its records stay with it", "synod-site");
  Chosen chosen;
  std::string format = "text";
  app.set_version_flag("--version", std::string("synod-site ") + kVersion);
  app.add_option("-c,--kit", chosen.kit, "The site's kit: its folder")->capture_default_str();
  app.add_option("--format", format, "text or json")->check(CLI::IsMember({"text", "json"}))->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit codes: 0 ok, 1 failed, 2 connection or authentication, 3 timeout, 4 bad arguments or configuration,\n"
      "5 internal error, 6 refused by policy, 7 privacy budget exhausted, 8 verification failed");
  AddRunCommands(app, chosen);
  AddDecisionCommands(app, chosen);
  AddPolicyCommands(app, chosen);
  AddLedgerCommands(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return PrintError(kProgram, BadInput(error.what(), "see synod-site --help"), ProgramFormat::kText);
  }
  chosen.json = format == "json";
  if (chosen.daemon) {
    NoFailPoints fail_points;
    return RunSite({chosen.kit, "", {}}, fail_points, SystemClock());
  }
  const Result<Output> output = chosen.run(KitFolder(chosen.kit));
  const ProgramFormat printed = chosen.json ? ProgramFormat::kJson : ProgramFormat::kText;
  return output.ok() ? PrintResult(kProgram, output->text, output->data, 0, printed)
                     : PrintError(kProgram, output.error(), printed);
}

}  // namespace
}  // namespace synod

int main(int argc, char** argv) {
  return synod::RunGuarded("synod-site", synod::Main, argc, argv);
}
