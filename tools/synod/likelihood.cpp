#include <fmt/format.h>

#include <cmath>

#include "common/core/file.h"
#include "common/data/load_table.h"
#include "models/family.h"
#include "tools/synod/commands.h"
#include "tools/synod/generator_files.h"
#include "tools/synod/training_session.h"

namespace synod {
namespace {

Status WriteRows(const std::string& path, const RowLikelihoods& likelihoods) {
  std::string text = "row,log_likelihood\n";
  for (std::size_t row = 0; row < likelihoods.rows.size(); ++row) {
    fmt::format_to(std::back_inserter(text), "{},{:.17g}\n", row + 1, likelihoods.rows[row]);
  }
  return WriteFileAtomically(path, ByteView(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

double Mean(const std::vector<double>& values) {
  double sum = 0.0;
  for (const double value : values) sum += value;
  return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

CommandOutput Describe(const RowLikelihoods& likelihoods, const Schema& schema, const std::string& measure) {
  CommandOutput output;
  const double mean = Mean(likelihoods.rows);
  output.data = {{"rows", likelihoods.rows.size()}, {"mean", mean}, {"measure", measure}};
  output.text =
      fmt::format("rows                 {}\nmean log-likelihood  {:.6f} (natural logarithm)\nmeasure              {}\n",
                  likelihoods.rows.size(), mean, measure);
  if (likelihoods.columns.empty()) return output;
  Json columns = Json::array();
  output.text += "mean part of each column, given those drawn before it:\n";
  for (std::size_t i = 0; i < likelihoods.columns.size(); ++i) {
    const std::string& name = schema.columns()[likelihoods.columns[i]].name;
    columns.push_back({{"column", name}, {"mean", likelihoods.column_means[i]}});
    output.text += fmt::format("  {:<24} {:.6f}\n", name, likelihoods.column_means[i]);
  }
  output.data["columns"] = std::move(columns);
  return output;
}

}  // namespace

Result<CommandOutput> RunLikelihood(const LikelihoodOptions& options, CommandContext& context) {
  SYNOD_ASSIGN_OR_RETURN(const GeneratorFile file, GeneratorFile::Read(options.generator));
  SYNOD_ASSIGN_OR_RETURN(const std::unique_ptr<Generator> generator, GeneratorOf(file));
  const Likelihood* likelihood = generator->likelihood();
  if (likelihood == nullptr) {
    return BadInput(fmt::format("a generator of the family {} has no exact likelihood", file.content().family),
                    "spline_flow has one");
  }
  const auto schema = std::make_shared<const Schema>(file.content().schema);
  SYNOD_ASSIGN_OR_RETURN(const LoadedTable loaded, LoadTable(options.in, schema));
  SayReport(loaded.report, options.in, context.progress);
  if (!options.out.empty() && loaded.report.rows_dropped > 0) {
    return BadInput(fmt::format("{} rows of {} break the generator's schema: the numbers of the others would not be "
                                "those of the file",
                                loaded.report.rows_dropped, options.in),
                    "leave those rows out of the file, or ask without --out");
  }
  context.progress.Say("this reads the table without a privacy plan: the result is for its holder only");
  SYNOD_ASSIGN_OR_RETURN(const RowLikelihoods likelihoods, likelihood->LogLikelihood(loaded.table));
  if (!options.out.empty()) SYNOD_RETURN_IF_ERROR(WriteRows(options.out, likelihoods));
  CommandOutput output = Describe(likelihoods, *schema, likelihood->Measure());
  if (!options.out.empty()) {
    output.data["out"] = options.out;
    output.text += fmt::format("{} rows in {}\n", likelihoods.rows.size(), options.out);
  }
  return output;
}

}  // namespace synod
