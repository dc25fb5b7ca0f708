#include <fmt/format.h>
#include <sys/resource.h>

#include <cmath>
#include <filesystem>
#include <thread>

#include "common/artefact/inspect.h"
#include "common/core/file.h"
#include "common/data/load_table.h"
#include "models/family_table.h"
#include "models/recommendation/recommendation.h"
#include "tools/simulation/simulated_federation.h"
#include "tools/synod/commands.h"
#include "tools/synod/training_session.h"

namespace synod {
namespace {

namespace fs = std::filesystem;

constexpr double kTolerableUnits = 0.1;

Result<RowPolicy> RowPolicyOf(const std::string& name) {
  if (name == "drop") return RowPolicy::kDrop;
  if (name == "clamp") return RowPolicy::kClamp;
  return BadInput(fmt::format("--bad-rows is \"{}\"", name), "use drop or clamp");
}

Result<std::vector<Table>> PartsOf(const Table& table, const SimulateOptions& options, std::uint32_t sites) {
  if (options.split_column.empty()) return SplitByPosition(table, sites);
  SYNOD_ASSIGN_OR_RETURN(std::vector<Table> parts, SplitByColumn(table, options.split_column));
  if (parts.size() != sites) {
    return BadInput(fmt::format("column \"{}\" splits the rows into {} sites and the run has {}", options.split_column,
                                parts.size(), sites),
                    fmt::format("give --sites {}", parts.size()));
  }
  return parts;
}

// A simulation shows the data's holder how a run would go; on no rows it would show nothing.
Status CheckSize(const Table& table, const RunSpecification& specification, Progress& progress) {
  if (table.rows() == 0) {
    return BadInput(fmt::format("{} has no usable rows", specification.train_file),
                    "see the lines above for what was dropped and why");
  }
  const auto rows = static_cast<double>(table.rows());
  const auto units = static_cast<double>(specification.privacy.units);
  const bool records = specification.privacy.subject_column.empty();
  if (records && std::abs(rows - units) > kTolerableUnits * units) {
    progress.Say(
        fmt::format("warning: the run states {} units and the table has {} rows; noise and batches are made for what "
                    "the run states",
                    specification.privacy.units, table.rows()));
  }
  return {};
}

}  // namespace

unsigned ThreadsOrAll(unsigned threads) {
  if (threads > 0) return threads;
  return std::max(1U, std::thread::hardware_concurrency());
}

Result<Aggregation> AggregationOption(const std::string& name) {
  const Result<Aggregation> named = AggregationFromName(name);
  if (named.ok()) return named;
  return BadInput(fmt::format("--aggregation is \"{}\"", name), "use secure, none or curator");
}

// The most memory that this process has held.
static double PeakMebibytes() {
  rusage usage{};
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<double>(usage.ru_maxrss) / 1024.0 : 0.0;
}

Result<CommandOutput> RunSimulate(const SimulateOptions& options, CommandContext& context) {
  RunOverrides overrides;
  overrides.epsilon = options.epsilon;
  overrides.seed = options.seed;
  overrides.sites = options.sites;
  SYNOD_ASSIGN_OR_RETURN(const RunSpecification specification, RunSpecification::FromFile(options.run_file, overrides));
  SYNOD_ASSIGN_OR_RETURN(const RowPolicy policy, RowPolicyOf(options.bad_rows));
  SYNOD_ASSIGN_OR_RETURN(const Aggregation aggregation, AggregationOption(options.aggregation));
  for (const std::string& warning : specification.warnings) context.progress.Say("warning: " + warning);
  const fs::path folder = options.data_folder;
  SYNOD_ASSIGN_OR_RETURN(Schema schema, Schema::FromFile((folder / specification.schema_file).string()));
  auto shared_schema = std::make_shared<const Schema>(std::move(schema));

  context.progress.Say("plan: solving the noise for the whole budget");
  SYNOD_ASSIGN_OR_RETURN(const ResolvedRun resolved, ResolveRun(specification, shared_schema, aggregation));

  const std::string train = (folder / specification.train_file).string();
  SYNOD_ASSIGN_OR_RETURN(const LoadedTable loaded, LoadTable(train, shared_schema, policy));
  SayReport(loaded.report, specification.train_file, context.progress);
  SYNOD_RETURN_IF_ERROR(CheckSize(loaded.table, specification, context.progress));
  SYNOD_ASSIGN_OR_RETURN(const std::vector<Table> parts, PartsOf(loaded.table, options, specification.sites));

  std::error_code error;
  fs::create_directories(options.out, error);
  if (error) {
    return Failed(fmt::format("cannot create the folder {}: {}", options.out, error.message()),
                  "name a folder with --out where you may write");
  }
  context.progress.Say("trusted curator, one process; no site ledger was charged");
  const double start = context.clock.MonotonicSeconds();
  SYNOD_ASSIGN_OR_RETURN(
      const GeneratorFile file,
      TrainInOneProcess(specification, resolved, parts, {ThreadsOrAll(options.threads), options.device}, context));
  const double seconds = context.clock.MonotonicSeconds() - start;
  const std::string path = (fs::path(options.out) / "generator.synod").string();
  SYNOD_RETURN_IF_ERROR(file.Write(path));

  CommandOutput output;
  output.data = Inspect(file);
  output.data["generator"] = path;
  output.data["seconds"] = seconds;
  const TableSize size = SizeOf(*shared_schema, specification.privacy.units, specification.privacy.epsilon);
  output.data["modelled_columns"] = size.columns;
  output.data["numeric_columns"] = size.numeric_columns;
  output.data["options"] = file.content().options;
  const double peak = PeakMebibytes();
  output.data["peak_mebibytes"] = peak;
  SYNOD_ASSIGN_OR_RETURN(const std::string json, CanonicalJsonText(output.data));
  SYNOD_RETURN_IF_ERROR(WriteFileAtomically((fs::path(options.out) / "summary.json").string(), AsBytes(json)));
  output.text = InspectText(file) + "\n" + FamilyStatement(file.content().family) + "\n" +
                fmt::format("\ntrained in {} with at most {:.0f} MiB of memory\ngenerator: {}\n", HumanSeconds(seconds),
                            peak, path);
  return output;
}

}  // namespace synod
