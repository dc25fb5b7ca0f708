#include "tools/synod/training_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/simulation/simulated_federation.h"
#include "tools/synod/epsilon_so_far.h"

namespace synod {
namespace {

Result<std::shared_ptr<const UnitTable>> UnitsOf(const RunSpecification& specification, const Table& part) {
  auto table = std::make_shared<const Table>(part);
  if (specification.privacy.subject_column.empty()) {
    return std::make_shared<const UnitTable>(UnitTable::Records(std::move(table)));
  }
  SYNOD_ASSIGN_OR_RETURN(UnitTable units,
                         UnitTable::Subjects(std::move(table), specification.privacy.max_rows_per_subject));
  return std::make_shared<const UnitTable>(std::move(units));
}

}  // namespace

Result<GeneratorFile> TrainInOneProcess(const RunSpecification& specification, const ResolvedRun& resolved,
                                        const std::vector<Table>& parts, const SessionSettings& settings,
                                        CommandContext& context) {
  std::vector<std::shared_ptr<const UnitTable>> sites;
  for (const Table& part : parts) {
    SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const UnitTable> units, UnitsOf(specification, part));
    sites.push_back(std::move(units));
  }
  const Plan& plan = *resolved.run.plan;
  EpsilonSoFar epsilon(plan, context.clock);

  const ComputeSettings compute{settings.threads, settings.device};
  SimulationPorts ports{[compute] { return LoadComputeModule(compute); }, context.clock};
  ports.threads = settings.threads;
  ports.on_news = [&](const SimulationNews& news) {
    std::string detail = epsilon.Text(news.used);
    if (news.training.loss) detail += fmt::format("  noisy loss {:.3f}", *news.training.loss);
    context.progress.Step("train", news.queries_done, news.queries_planned, detail);
  };
  return SimulateFederation(resolved, sites, ports);
}

void SayReport(const LoadReport& report, const std::string& file, Progress& progress) {
  if (report.rows_kept > 0 && report.clean() && report.extra_columns.empty()) {
    progress.Say(fmt::format("{}: {} rows, all of them as the schema says", file, report.rows_kept));
    return;
  }
  constexpr std::size_t kShownLines = 12;
  const std::vector<std::string> lines = report.Lines();
  for (std::size_t i = 0; i < std::min(lines.size(), kShownLines); ++i) {
    progress.Say(fmt::format("{}: {}", file, lines[i]));
  }
  if (lines.size() > kShownLines) progress.Say(fmt::format("{}: {} more lines", file, lines.size() - kShownLines));
}

}  // namespace synod
