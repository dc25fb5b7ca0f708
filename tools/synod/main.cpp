// synod: the tool of operators and analysts. This file only parses the command line and prints; see commands.h.
#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "common/core/program_output.h"
#include "common/core/version.h"
#include "common/privacy/plan.h"
#include "tools/synod/account.h"
#include "tools/synod/account_events.h"
#include "tools/synod/chosen.h"
#include "tools/synod/commands.h"
#include "tools/synod/consortium_arguments.h"
#include "tools/synod/run_arguments.h"

namespace synod {
namespace {

constexpr char kProgram[] = "synod";

ProgramFormat PrintedAs(OutputFormat format) {
  return format == OutputFormat::kText ? ProgramFormat::kText : ProgramFormat::kJson;
}

// For unsigned options: a negative number would become a very large one.
CLI::Validator WholeNumber() {
  const auto check = [](std::string& text) -> std::string {
    const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
    return digits ? "" : "must be a whole number, 0 or more, but is " + text;
  };
  return CLI::Validator(check, "");
}

void AddDemo(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<DemoOptions>();
  CLI::App* demo = app.add_subcommand(
      "demo", "Train, publish, sample and report in one go, on real public data or on your own table");
  demo->add_option("--data", options->data, "CSV file of your own table");
  demo->add_option("--schema", options->schema, "Schema (TOML) of your own table");
  demo->add_option("--sites", options->sites, "Sites to simulate")->check(WholeNumber())->capture_default_str();
  demo->add_option("--epsilon", options->epsilon, "Privacy budget of the run, per row")->capture_default_str();
  demo->add_option("--model", options->model, "Model family")->capture_default_str();
  demo->add_option("--out", options->out,
                   "Folder for generator.synod, synthetic.csv, report.html (own table: private/report.html)")
      ->capture_default_str();
  demo->add_option("--seed", options->seed, "Seed of the public randomness; noise never depends on it")
      ->check(WholeNumber())
      ->capture_default_str();
  demo->add_option("--threads", options->threads, "Threads; 0 for all cores")
      ->check(WholeNumber())
      ->capture_default_str();
  demo->callback(
      [options, &chosen] { chosen.run = [options](CommandContext& context) { return RunDemo(*options, context); }; });
}

void AddSimulate(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* simulate = app.add_subcommand("simulate", "Run a run file in one process: research and sizing, no network");
  simulate->add_option("run", options->run_file, "Run file (TOML)")->required();
  simulate->add_option("--data", options->data_folder, "Folder with the files that the run names")->required();
  simulate->add_option("--out", options->out, "Folder for generator.synod and summary.json")->required();
  simulate->add_option("--epsilon", options->epsilon, "Instead of the run file's epsilon");
  simulate->add_option("--sites", options->sites, "Instead of the run file's number of sites");
  simulate->add_option("--seed", options->seed, "Instead of the run file's seed (public randomness only)");
  simulate->add_option("--split", options->split_column, "Split rows over sites by this column, not by position");
  simulate->add_option("--bad-rows", options->bad_rows, "Rows with numbers out of bounds: drop or clamp")
      ->capture_default_str();
  simulate->add_option("--threads", options->threads, "Threads; 0 for all cores")
      ->check(WholeNumber())
      ->capture_default_str();
  simulate->add_option("--device", options->device, "auto, cpu, or a LibTorch device such as cuda:0")
      ->capture_default_str();
  simulate
      ->add_option("--aggregation", options->aggregation,
                   "curator (one trusted process), or the noise of a federation: secure or none")
      ->capture_default_str();
  simulate->callback([options, &chosen] {
    chosen.run = [options](CommandContext& context) { return RunSimulate(*options, context); };
  });
}

void AddPlan(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<PlanOptions>();
  CLI::App* plan =
      app.add_subcommand("plan", "The privacy plan of a run: every query and what it costs; needs no data");
  plan->add_option("run", options->run_file, "Run file (TOML)")->required();
  plan->add_option("--data", options->data_folder, "Folder with the schema; the run file's own by default");
  plan->add_option("--epsilon", options->epsilon, "Instead of the run file's epsilon");
  plan->add_option("--sites", options->sites, "Instead of the run file's number of sites");
  plan->add_option("--units", options->units, "Instead of the run file's public number of units")->check(WholeNumber());
  plan->add_option("--aggregation", options->aggregation,
                   "Instead of the run file's: secure, none, or curator (a simulation's)");
  plan->add_option("--solve", options->solve, "Ask backwards: epsilon, units or steps; see below")
      ->check(CLI::IsMember({"epsilon", "units", "steps"}));
  plan->add_option("--noise-multiplier", options->noise_multiplier, "With --solve: the most noise that may be needed");
  plan->footer(
      std::string(
          "--solve finds what it takes that the training queries need a noise multiplier (noise deviation / "
          "sensitivity)\n"
          "of at most --noise-multiplier, with everything else held as the run file has it:\n"
          "  epsilon  the smallest target epsilon, in steps of 0.001\n"
          "  units    the smallest number of units; the expected batch stays, so that the sampling rate falls\n"
          "  steps    the most training steps; default retries follow\n"
          "The plan of the answer is printed, and what its neighbour would need: one unit less, one step more.") +
      "\n\n" + app.get_footer());
  plan->callback(
      [options, &chosen] { chosen.run = [options](CommandContext& context) { return RunPlan(*options, context); }; });
}

void AddAccount(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<AccountOptions>();
  auto adjacency = std::make_shared<std::string>("add-remove");
  CLI::App* account = app.add_subcommand(
      "account",
      "Privacy calculator: a proven interval of epsilon for Poisson-sampled Gaussian steps, or for a ledger");
  account->add_option("--sampling-rate", options->sampling_rate, "Probability that a unit is in a batch; 1: always");
  account->add_option("--noise-multiplier", options->noise_multiplier,
                      "Noise deviation / sensitivity of adding or removing one unit");
  account->add_option("--steps", options->steps, "Number of uses")->check(WholeNumber());
  account->add_option("--delta", options->delta, "Delta")->required();
  account->add_option("--adjacency", *adjacency, "add-remove, zero-out or replace-one")->capture_default_str();
  account->add_option("--sites-per-subject", options->sites_per_subject, "Sites at which one subject may be present")
      ->check(WholeNumber())
      ->capture_default_str();
  account->add_option("--events", options->events_file, "Instead of rate, noise and steps: a JSON file, see below");
  account->add_option("--target-epsilon", options->target_epsilon, "Solve for the noise multiplier instead");
  account->footer(std::string(kEventsHelp) + "\n\n" + app.get_footer());
  account->callback([options, adjacency, &chosen] {
    chosen.run = [options, adjacency](CommandContext&) -> Result<CommandOutput> {
      SYNOD_ASSIGN_OR_RETURN(options->adjacency, AdjacencyFromName(*adjacency));
      CommandOutput output;
      SYNOD_ASSIGN_OR_RETURN(output.data, Account(*options));
      output.text = output.data.dump(2) + "\n";
      return output;
    };
  });
}

void AddSample(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<SampleOptions>();
  CLI::App* sample = app.add_subcommand("sample", "Draw rows from a published generator");
  sample->add_option("generator", options->generator, "Generator file (*.synod)")->required();
  sample->add_option("-n,--rows", options->rows, "Number of rows")->check(WholeNumber())->required();
  sample->add_option("-o,--out", options->out, "CSV file; - is stdout")->capture_default_str();
  sample->add_option("--seed", options->seed, "Equal seeds give equal rows")
      ->check(WholeNumber())
      ->capture_default_str();
  sample->add_option("--where", options->where, "column=value; may be repeated");
  sample->add_option("--shard", options->shard, "i/n: the i-th of n parts of the same big call");
  sample->add_option("--trust", options->trust,
                     "Verify first: the consortium's root (PEM), a kit's folder, or keys (JSON)");
  sample->add_flag("--uncertified", options->uncertified, "Sample a generator that cannot be verified");
  sample->add_option("--threads", options->threads, "Threads; 0 for all cores")
      ->check(WholeNumber())
      ->capture_default_str();
  sample->callback([options, &chosen] {
    chosen.run = [options, &chosen](CommandContext& context) -> Result<CommandOutput> {
      if (options->out == "-" && chosen.format != OutputFormat::kText) {
        return BadInput("rows and JSON cannot both go to stdout", "give -o FILE for the rows");
      }
      return RunSample(*options, context);
    };
  });
}

void AddLikelihood(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<LikelihoodOptions>();
  CLI::App* likelihood = app.add_subcommand(
      "likelihood", "Exact log-likelihood of your own rows under a generator that has one; nothing is sent");
  likelihood->add_option("generator", options->generator, "Generator file (*.synod)")->required();
  likelihood->add_option("--in", options->in, "Table (CSV) with the generator's columns")->required();
  likelihood->add_option("-o,--out", options->out, "CSV file for the value of each row; as private as the rows");
  likelihood->callback([options, &chosen] {
    chosen.run = [options](CommandContext& context) { return RunLikelihood(*options, context); };
  });
}

void AddInspectAndVerify(CLI::App& app, Chosen& chosen) {
  auto generator = std::make_shared<std::string>();
  CLI::App* inspect = app.add_subcommand("inspect", "What a generator file says of itself: guarantee, plan, making");
  inspect->add_option("generator", *generator, "Generator file (*.synod)")->required();
  inspect->callback(
      [generator, &chosen] { chosen.run = [generator](CommandContext&) { return RunInspect(*generator); }; });

  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify = app.add_subcommand(
      "verify",
      "Check a generator file offline: digests, signatures, and its epsilon recomputed; exit code 8 if it fails");
  verify->add_option("generator", options->generator, "Generator file (*.synod)")->required();
  verify->add_option("--trust", options->trust, "The consortium's root (PEM), a kit's folder, or keys (JSON)");
  verify->add_flag("--allow-incomplete", options->allow_incomplete, "Accept missing signatures of sites");
  verify->callback([options, &chosen] { chosen.run = [options](CommandContext&) { return RunVerify(*options); }; });
}

void AddEvaluate(CLI::App& app, Chosen& chosen) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App* evaluate = app.add_subcommand(
      "evaluate", "Compare synthetic rows with real ones; reads real records without a plan: for their holder only");
  evaluate->add_option("--real", options->real, "Real training table (CSV)")->required();
  evaluate->add_option("--test", options->test, "Real test table (CSV)")->required();
  evaluate->add_option("--synthetic", options->synthetic, "Synthetic table (CSV)")->required();
  evaluate->add_option("--schema", options->schema, "Schema (TOML)")->required();
  evaluate->add_option("-o,--report", options->report, "HTML report; never beside a generator file");
  evaluate->callback([options, &chosen] {
    chosen.run = [options](CommandContext& context) { return RunEvaluate(*options, context); };
  });
}

OutputFormat FormatOf(std::string_view name) {
  return name == "json" ? OutputFormat::kJson : name == "jsonl" ? OutputFormat::kJsonLines : OutputFormat::kText;
}

// The format of a command line that could not be parsed: who reads JSON gets JSON also then.
OutputFormat AskedFormat(int argc, char** argv) {
  constexpr std::string_view kOption = "--format";
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == kOption && i + 1 < argc) return FormatOf(argv[i + 1]);
    if (argument.starts_with("--format=")) return FormatOf(argument.substr(kOption.size() + 1));
  }
  return OutputFormat::kText;
}

Error ErrorOf(const CLI::ParseError& error, const CLI::App& app) {
  if (error.get_name() == "ValidationError" && app.get_subcommands().empty()) return BadInput(error.what());
  const CLI::App* command = &app;  // the innermost that was named
  std::string name;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
    name += (name.empty() ? "" : " ") + command->get_name();
  }
  const std::vector<const CLI::App*> below = command->get_subcommands([](const CLI::App*) { return true; });
  if (below.empty()) return BadInput(name + ": " + error.what(), "see synod " + name + " --help");
  std::string commands = "the commands are:";
  for (const CLI::App* one : below) commands += " " + one->get_name();
  const std::string where = name.empty() ? "" : name + ": ";
  const std::vector<std::string> remaining = app.remaining(true);
  if (remaining.empty()) return BadInput(where + "no command is given", commands);
  const std::string& word = remaining.front();
  const bool is_option = word.starts_with("-");
  return BadInput(where + (is_option ? "there is no option \"" : "there is no command \"") + word + "\"", commands);
}

int Main(int argc, char** argv) {
  CLI::App app("Synod: differentially private generators of tables, trained across hospitals", "synod");
  Chosen chosen;
  std::string format = "text";
  app.set_version_flag("--version", std::string("synod ") + kVersion);
  app.add_option("--format", format, "text, json or jsonl (progress too, as JSON lines)")
      ->check(CLI::IsMember({"text", "json", "jsonl"}))
      ->capture_default_str();
  app.require_subcommand(1);
  app.fallthrough();
  app.footer(
      "Exit codes: 0 ok, 1 failed, 2 connection or authentication, 3 timeout, 4 bad arguments or configuration,\n"
      "5 internal error, 6 refused by policy, 7 privacy budget exhausted, 8 verification failed");
  AddDemo(app, chosen);
  AddSimulate(app, chosen);
  AddPlan(app, chosen);
  AddAccount(app, chosen);
  AddSample(app, chosen);
  AddLikelihood(app, chosen);
  AddInspectAndVerify(app, chosen);
  AddEvaluate(app, chosen);
  AddConsortiumCommands(app, chosen);
  AddRunAndSiteCommands(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    return PrintError(kProgram, ErrorOf(error, app), PrintedAs(AskedFormat(argc, argv)));
  }
  chosen.format = FormatOf(format);
  const SystemClock clock;
  Progress progress(clock, chosen.format);
  CommandContext context{clock, progress};
  const Result<CommandOutput> output = chosen.run(context);
  const ProgramFormat printed = PrintedAs(chosen.format);
  return output.ok() ? PrintResult(kProgram, output->text, output->data, output->exit_code, printed)
                     : PrintError(kProgram, output.error(), printed);
}

}  // namespace
}  // namespace synod

int main(int argc, char** argv) {
  return synod::RunGuarded("synod", synod::Main, argc, argv);
}
