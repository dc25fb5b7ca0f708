// What demo and simulate share: from tables to a generator file, with progress that names query, rate, time left and
// the epsilon so far.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/artefact/generator_file.h"
#include "common/data/load_report.h"
#include "common/data/table.h"
#include "models/run_plan.h"
#include "tools/synod/command.h"

namespace synod {

struct SessionSettings {
  unsigned threads = 1;
  std::string device = "auto";
};

// One part of the data a site. The unit is a record, or a subject where the specification names its column.
Result<GeneratorFile> TrainInOneProcess(const RunSpecification& specification, const ResolvedRun& resolved,
                                        const std::vector<Table>& parts, const SessionSettings& settings,
                                        CommandContext& context);

// Says what loading found: counts, and the first issues with row, column and rule; never a value.
void SayReport(const LoadReport& report, const std::string& file, Progress& progress);

}  // namespace synod
