#include <fmt/format.h>

#include "common/data/load_table.h"
#include "tools/evaluation/evaluation.h"
#include "tools/evaluation/report.h"
#include "tools/synod/commands.h"
#include "tools/synod/evaluation_text.h"
#include "tools/synod/training_session.h"

namespace synod {

Result<CommandOutput> RunEvaluate(const EvaluateOptions& options, CommandContext& context) {
  if (!options.report.empty()) SYNOD_RETURN_IF_ERROR(CheckReportPlace(options.report, RealData::kPrivate));
  SYNOD_ASSIGN_OR_RETURN(Schema loaded_schema, Schema::FromFile(options.schema));
  const auto schema = std::make_shared<const Schema>(std::move(loaded_schema));
  SYNOD_ASSIGN_OR_RETURN(const LoadedTable real, LoadTable(options.real, schema));
  SayReport(real.report, options.real, context.progress);
  SYNOD_ASSIGN_OR_RETURN(const LoadedTable test, LoadTable(options.test, schema));
  SayReport(test.report, options.test, context.progress);
  SYNOD_ASSIGN_OR_RETURN(const LoadedTable synthetic, LoadTable(options.synthetic, schema, RowPolicy::kClamp));
  SayReport(synthetic.report, options.synthetic, context.progress);

  EvaluationOptions evaluation_options;
  for (const auto& [rule, count] : synthetic.report.counts) {
    evaluation_options.invalid_synthetic_cells += static_cast<std::size_t>(count);
  }
  evaluation_options.dropped_synthetic_rows = static_cast<std::size_t>(synthetic.report.rows_dropped);
  context.progress.Say(
      "evaluating; this reads real records without a privacy plan: the result is for their holder only");
  SYNOD_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate(real.table, test.table, synthetic.table, evaluation_options));
  CommandOutput output;
  output.data = ToJson(evaluation);
  output.text = EvaluationText(evaluation);
  if (!options.report.empty()) {
    ReportInput input;
    input.title = fmt::format("{}: synthetic against real", schema->name());
    input.facts = {{"Real rows", fmt::format("{}", real.table.rows())},
                   {"Test rows", fmt::format("{}", test.table.rows())},
                   {"Synthetic rows", fmt::format("{}", synthetic.table.rows())}};
    input.privacy_statement = {
        "This page was made from real records without a privacy plan. Nothing is claimed about the "
        "privacy of the synthetic table here; its generator's certificate does that."};
    input.evaluation = std::move(evaluation);
    SYNOD_RETURN_IF_ERROR(WriteReport(options.report, input));
    output.text += fmt::format("report: {}\n", options.report);
    output.data["report"] = options.report;
  }
  return output;
}

}  // namespace synod
