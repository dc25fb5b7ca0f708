#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "common/artefact/certificate.h"
#include "common/core/file.h"
#include "common/data/csv_writer.h"
#include "common/data/load_table.h"
#include "common/privacy/epsilon.h"
#include "common/privacy/stated_epsilon.h"
#include "common/query/public_random.h"
#include "tools/evaluation/evaluation.h"
#include "tools/evaluation/report.h"
#include "tools/simulation/simulated_federation.h"
#include "tools/synod/commands.h"
#include "tools/synod/evaluation_text.h"
#include "tools/synod/generator_files.h"
#include "tools/synod/local_federation.h"
#include "tools/synod/program_files.h"
#include "tools/synod/run_commands.h"
#include "tools/synod/training_session.h"

namespace synod {
namespace {

namespace fs = std::filesystem;

// One row in five is held out, drawn at random by public randomness: training and test rows are then exchangeable,
// which the comparison of distances to both rests on.
constexpr std::uint64_t kHoldOutOneIn = 5;
constexpr std::size_t kLeastRows = 20;

struct DemoData {
  std::shared_ptr<const Schema> schema;
  std::string schema_file;
  Table train;
  Table test;
  std::size_t rows = 0;
  bool own_table = false;  // the user's, not the one that comes with the program
};

struct DemoPaths {
  std::string generator;
  std::string synthetic;
  std::string report;
  std::string federation;
};

// The report has statistics of the real rows without noise, and the sites' folders hold the rows: made from the user's
// own table, they never lie beside the generator and the rows that are meant to be passed on.
Result<DemoPaths> MakeFolders(const DemoOptions& options, bool own_table) {
  const fs::path out = options.out;
  const fs::path report = own_table ? out / "private" : out;
  std::error_code error;
  fs::create_directories(report, error);
  if (error) {
    return Failed(fmt::format("cannot create the folder {}: {}", report.string(), error.message()),
                  "name a folder with --out where you may write");
  }
  if (own_table) fs::permissions(report, fs::perms::owner_all, error);
  return DemoPaths{(out / "generator.synod").string(), (out / "synthetic.csv").string(),
                   (report / "report.html").string(), (report / "federation").string()};
}

Result<DemoData> LoadData(const DemoOptions& options, Progress& progress) {
  if (options.data.empty() != options.schema.empty()) {
    return BadInput("--data and --schema go together",
                    "give both, or neither for the table that comes with the program");
  }
  std::string data = options.data;
  std::string schema_file = options.schema;
  if (data.empty()) {
    SYNOD_ASSIGN_OR_RETURN(data, ConfigFile("demo/randhie.csv"));
    SYNOD_ASSIGN_OR_RETURN(schema_file, ConfigFile("schemas/randhie.toml"));
  }
  SYNOD_ASSIGN_OR_RETURN(Schema loaded_schema, Schema::FromFile(schema_file));
  auto schema = std::make_shared<const Schema>(std::move(loaded_schema));
  SYNOD_ASSIGN_OR_RETURN(const LoadedTable loaded, LoadTable(data, schema));
  SayReport(loaded.report, fs::path(data).filename().string(), progress);
  if (loaded.table.rows() < kLeastRows) {
    return BadInput(fmt::format("{} has {} usable rows; the demo needs at least {} to train on and to score with", data,
                                loaded.table.rows(), kLeastRows),
                    "a table this small cannot be made private and useful; use more rows");
  }
  std::vector<std::size_t> train;
  std::vector<std::size_t> test;
  PublicRandom random(options.seed, "synod.demo.hold_out");
  const std::vector<std::uint32_t> order = random.Permutation(static_cast<std::uint32_t>(loaded.table.rows()));
  for (std::size_t i = 0; i < order.size(); ++i) {
    (i < order.size() / kHoldOutOneIn ? test : train).push_back(order[i]);
  }
  // In the order of the file again, so that a site's part is a stretch of it.
  std::sort(train.begin(), train.end());
  std::sort(test.begin(), test.end());
  return DemoData{schema,
                  schema_file,
                  loaded.table.Select(train),
                  loaded.table.Select(test),
                  loaded.table.rows(),
                  !options.data.empty()};
}

// 1 / n^1.1, rounded down to two digits: a public number.
double DemoDelta(std::size_t units) {
  const double delta = std::pow(static_cast<double>(units), -1.1);
  const double digit = std::pow(10.0, std::floor(std::log10(delta)) - 1.0);
  // Through its text: the number that a policy with these two digits names.
  const std::string text = fmt::format("{:.1e}", std::min(std::floor(delta / digit) * digit, 9.9e-3));
  return std::strtod(text.c_str(), nullptr);
}

std::string SpecificationText(const DemoOptions& options, std::size_t units) {
  return fmt::format(
      "[run]\nname = \"demo\"\nseed = {}\nsites = {}\n[schema]\nfile = \"schema.toml\"\n[model]\nfamily = \"{}\"\n"
      "[privacy]\nepsilon = {}\ndelta = {}\nunits = {}\n",
      options.seed, options.sites, options.model, options.epsilon, DemoDelta(units), units);
}

std::uint64_t AllowedAnswers(const Plan& plan) {
  std::uint64_t answers = 0;
  for (const PlanEntry& entry : plan.entries()) answers += entry.allowed();
  return answers;
}

// The sites' copies of the user's own table, once nobody reads them any more.
Status RemoveRecords(const Kits& kits) {
  for (const auto& [name, kit] : kits.sites) {
    std::error_code error;
    fs::remove(fs::path(kit) / "records.csv", error);
    if (error) return Failed(fmt::format("cannot remove {}/records.csv: {}", kit, error.message()));
  }
  return {};
}

// What an operator's folder holds.
struct OperatorFiles {
  std::string run;
  std::string schema;
};

Result<OperatorFiles> WriteOperatorFiles(const std::string& kit, const std::string& specification,
                                         const DemoData& data) {
  const auto write = [](const std::string& path, const std::string& text) {
    return WriteFileAtomically(path, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  };
  const OperatorFiles files{(fs::path(kit) / "run.toml").string(), (fs::path(kit) / "schema.toml").string()};
  SYNOD_RETURN_IF_ERROR(write(files.run, specification));
  SYNOD_ASSIGN_OR_RETURN(const std::string schema, ReadFile(data.schema_file, TomlSection::kMaxFileBytes));
  SYNOD_RETURN_IF_ERROR(write(files.schema, schema));
  return files;
}

// What the real processes made, and what they said.
struct DemoRun {
  std::string id;
  std::string second_run;  // how the sites answered a second run over the same records
};

// One run from submission to a verified file; then the same once more, which the sites' budgets do not allow.
Result<DemoRun> TrainInFederation(LocalFederation& federation, const OperatorFiles& files, const DemoPaths& paths,
                                  CommandContext& context) {
  const std::string& kit = federation.operator_kit();
  RunSubmitOptions submit;
  submit.kit = kit;
  submit.run_file = files.run;
  submit.schema_file = files.schema;
  submit.wait = true;
  const Result<CommandOutput> first = RunSubmit(submit, context);
  if (Status running = federation.CheckRunning(); !running.ok()) return running.error();
  if (!first.ok()) return first.error();
  if (first->exit_code != 0) return Error{static_cast<ErrorCode>(first->exit_code), first->text, ""};
  DemoRun run;
  run.id = first->data.value("run", std::string());
  SYNOD_RETURN_IF_ERROR(RunFetch({kit, run.id}, paths.generator, context));

  SYNOD_ASSIGN_OR_RETURN(const CommandOutput verified,
                         RunVerify({paths.generator, federation.root_certificate(), false}));
  if (verified.exit_code != 0) return VerificationFailed("the published file does not verify: " + verified.text);

  context.progress.Say("the same run a second time: the sites' life-time budgets hold one");
  SYNOD_ASSIGN_OR_RETURN(const CommandOutput second, RunSubmit(submit, context));
  if (second.exit_code == 0) return Failed("a second run over the sites' budgets was not refused");
  run.second_run = second.text;
  return run;
}

// The plan's epsilon for `rows` rows that are always present or absent together: the exact mixture over which of them
// were sampled, since every row is sampled by itself.
Result<double> GroupEpsilon(const Plan& plan, unsigned rows) {
  SYNOD_ASSIGN_OR_RETURN(
      const EpsilonBounds bounds,
      ComputeEpsilon(plan.Events(plan.honest_shares()), plan.AccountedDelta(), plan.facts().relation, rows));
  return StatedUpper(bounds.upper);
}

// What the coordinator sees of the sites' answers.
std::string AggregationParagraph(const Plan& plan) {
  if (plan.facts().aggregation != Aggregation::kSecure) {
    return "Answers are not masked: the coordinator sees each site's, so each carries the whole noise of the plan.";
  }
  return fmt::format(
      "Answers leave under masks: the coordinator, together with up to {} site(s), sees sums over at least {} of {} "
      "sites "
      "and no site's answer; {} shares of noise count.",
      plan.facts().max_colluding, plan.facts().quorum, plan.sites(), plan.honest_shares());
}

Result<std::vector<std::string>> PrivacyStatement(const Plan& plan, const Certificate& certificate, bool own_table) {
  SYNOD_ASSIGN_OR_RETURN(const double five, GroupEpsilon(plan, 5));
  std::vector<std::string> paragraphs;
  paragraphs.push_back(
      fmt::format("The generator is differentially private: epsilon {:.3f} at delta {:g}, when one row is added or "
                  "removed (the true "
                  "value for the worst case is at least {:.3f}). That covers every answer that the plan allows, "
                  "whether it was used "
                  "or not.",
                  certificate.headline().upper, plan.facts().delta, certificate.headline().lower));
  if (own_table) {
    paragraphs.push_back(fmt::format(
        "The guarantee is per row. If one person has several rows it is weaker for that person: for five aligned rows "
        "epsilon is {:.3f}. The number of rows, the bounds and the categories of the schema are treated as public.",
        five));
  } else {
    paragraphs.push_back(
        fmt::format("One row is one person-year; persons occur several times (9,125 of 20,190 rows are distinct) and "
                    "the table has no "
                    "person id, so the guarantee is per row; for five aligned rows epsilon is {:.3f}.",
                    five));
  }
  paragraphs.push_back(
      "Real processes: one coordinator and one daemon with its worker a site, over mutual TLS on this machine. Each "
      "site checked the plan against its policy, charged its own ledger before it answered, and signed the file. " +
      AggregationParagraph(plan));
  return paragraphs;
}

Result<Table> SampleTable(const Generator& generator, std::shared_ptr<const Schema> schema, std::size_t rows,
                          std::uint64_t seed) {
  std::vector<ColumnCells> cells(schema->columns().size());
  for (std::size_t done = 0; done < rows; done += Generator::kBlockRows) {
    const std::size_t count = std::min(Generator::kBlockRows, rows - done);
    SYNOD_ASSIGN_OR_RETURN(const Table block, generator.Block(seed, done / Generator::kBlockRows, count, {}));
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const ColumnCells& own = block.column(c);
      cells[c].numbers.insert(cells[c].numbers.end(), own.numbers.begin(), own.numbers.end());
      cells[c].codes.insert(cells[c].codes.end(), own.codes.begin(), own.codes.end());
    }
  }
  return Table::Create(std::move(schema), std::move(cells), rows);
}

Status WriteDemoReport(const DemoOptions& options, const DemoData& data, const DemoPaths& paths, Evaluation evaluation,
                       std::vector<std::string> statement, const Plan& plan) {
  ReportInput input;
  input.title = fmt::format("{}: what the synthetic table keeps", data.schema->name());
  input.facts = {
      {"Model", options.model},
      {"Sites", fmt::format("{}, each its own process", options.sites)},
      {"Real rows", fmt::format("{} to train on, {} held out", data.train.rows(), data.test.rows())},
      {"Synthetic rows", fmt::format("{}", data.train.rows())},
      {"Epsilon", fmt::format("{:g} at delta {:g}, per row", plan.facts().epsilon_target, plan.facts().delta)},
      {"Queries", fmt::format("{} noisy sums", AllowedAnswers(plan))}};
  input.privacy_statement = std::move(statement);
  input.real_data = data.own_table ? RealData::kPrivate : RealData::kPublic;
  input.evaluation = std::move(evaluation);
  return WriteReport(paths.report, input);
}

}  // namespace

Result<CommandOutput> RunDemo(const DemoOptions& options, CommandContext& context) {
  const double start = context.clock.MonotonicSeconds();
  SYNOD_ASSIGN_OR_RETURN(const DemoData data, LoadData(options, context.progress));
  SYNOD_ASSIGN_OR_RETURN(const DemoPaths paths, MakeFolders(options, data.own_table));
  const std::string text = SpecificationText(options, data.train.rows());
  SYNOD_ASSIGN_OR_RETURN(const RunSpecification specification, RunSpecification::FromToml(text, "the demo's own run"));
  for (const std::string& warning : specification.warnings) context.progress.Say("warning: " + warning);
  SYNOD_ASSIGN_OR_RETURN(const ResolvedRun resolved, ResolveRun(specification, data.schema, specification.aggregation));
  const Plan& plan = *resolved.run.plan;
  context.progress.Say(fmt::format("plan: {} sites, epsilon {:g} at delta {:g} per row, {} noisy sums", plan.sites(),
                                   plan.facts().epsilon_target, plan.facts().delta, AllowedAnswers(plan)));
  const double planned = context.clock.MonotonicSeconds();

  const std::vector<Table> parts = SplitByPosition(data.train, plan.sites());
  LocalFederationSettings settings{paths.federation, {}, &resolved, 1};
  for (std::size_t i = 0; i < parts.size(); ++i) settings.sites.push_back({plan.facts().roster[i].id, &parts[i]});
  settings.threads = std::max(1u, ThreadsOrAll(options.threads) / plan.sites());
  SYNOD_ASSIGN_OR_RETURN(LocalFederation federation, LocalFederation::Start(settings));
  context.progress.Say(fmt::format("started one coordinator on {} and {} sites; their kits and logs are in {}",
                                   federation.address(), plan.sites(), paths.federation));
  SYNOD_ASSIGN_OR_RETURN(const OperatorFiles files, WriteOperatorFiles(federation.operator_kit(), text, data));
  const double started = context.clock.MonotonicSeconds();

  SYNOD_ASSIGN_OR_RETURN(const DemoRun run, TrainInFederation(federation, files, paths, context));
  SYNOD_RETURN_IF_ERROR(federation.Stop());
  if (data.own_table) SYNOD_RETURN_IF_ERROR(RemoveRecords(federation.kits()));
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(paths.generator));
  const double trained = context.clock.MonotonicSeconds();

  context.progress.Say(fmt::format("sampling {} rows", data.train.rows()));
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, GeneratorOf(file));
  SYNOD_ASSIGN_OR_RETURN(const Table synthetic, SampleTable(*generator, data.schema, data.train.rows(), options.seed));
  SYNOD_RETURN_IF_ERROR(WriteTable(paths.synthetic, synthetic));
  const double sampled = context.clock.MonotonicSeconds();

  context.progress.Say("scoring against the rows that were held out (logistic regression and a small network, seed 0)");
  SYNOD_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate(data.train, data.test, synthetic, {}));
  SYNOD_ASSIGN_OR_RETURN(std::vector<std::string> statement,
                         PrivacyStatement(plan, file.certificate(), data.own_table));
  CommandOutput output;
  output.data = {{"generator", paths.generator},
                 {"synthetic", paths.synthetic},
                 {"report", paths.report},
                 {"federation", paths.federation},
                 {"root_certificate", federation.root_certificate()},
                 {"second_run", run.second_run},
                 {"evaluation", ToJson(evaluation)},
                 {"epsilon_upper", file.certificate().headline().upper},
                 {"delta", plan.facts().delta}};
  output.text = EvaluationText(evaluation) + "\n";
  for (const std::string& paragraph : statement) output.text += paragraph + "\n";
  output.text += fmt::format("\nsecond {}", run.second_run);
  SYNOD_RETURN_IF_ERROR(WriteDemoReport(options, data, paths, std::move(evaluation), std::move(statement), plan));
  const double done = context.clock.MonotonicSeconds();

  output.data["seconds"] = {{"load_and_plan", planned - start},
                            {"start_processes", started - planned},
                            {"train", trained - started},
                            {"sample", sampled - trained},
                            {"score_and_report", done - sampled}};
  output.text +=
      fmt::format("\ngenerator  {}\nrows       {}\nreport     {}\nverify     synod verify {} --trust {}\n",
                  paths.generator, paths.synthetic, paths.report, paths.generator, federation.root_certificate());
  output.text +=
      fmt::format("\nload and plan {}, start processes {}, train {}, sample {}, score and report {}\n",
                  HumanSeconds(planned - start), HumanSeconds(started - planned), HumanSeconds(trained - started),
                  HumanSeconds(sampled - trained), HumanSeconds(done - sampled));
  return output;
}

}  // namespace synod
