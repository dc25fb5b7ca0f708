#include "models/worker/site_work.h"

#include <fmt/format.h>

#include "common/data/load_table.h"
#include "common/data/unit_table.h"
#include "common/query/unmasked_words.h"
#include "common/query/words.h"
#include "models/worker/plan_work.h"

namespace synod {
namespace {

Result<RowPolicy> RowPolicyFromName(std::string_view name) {
  if (name == "drop") return RowPolicy::kDrop;
  if (name == "clamp") return RowPolicy::kClamp;
  return BadInput("bad_rows is neither \"drop\" nor \"clamp\"");
}

Result<std::shared_ptr<const UnitTable>> UnitsOf(const Plan& plan, const RunSpecification& specification, Table table) {
  auto shared = std::make_shared<const Table>(std::move(table));
  if (plan.facts().unit == PrivacyUnit::kRecord) return std::make_shared<const UnitTable>(UnitTable::Records(shared));
  SYNOD_ASSIGN_OR_RETURN(UnitTable units, UnitTable::Subjects(shared, specification.privacy.max_rows_per_subject));
  return std::make_shared<const UnitTable>(std::move(units));
}

std::string ReportText(const LoadReport& report) {
  return fmt::format("{}", fmt::join(report.Lines(), "\n"));
}

}  // namespace

Result<SiteWork::Opened> SiteWork::Open(const OpenSiteRequest& request, SecretStreams& streams, unsigned threads,
                                        const LoadCompute& load_compute) {
  SYNOD_ASSIGN_OR_RETURN(const RowPolicy policy, RowPolicyFromName(request.source.bad_rows));
  SYNOD_ASSIGN_OR_RETURN(const OpenedOffer offer, OpenOffer(request.offer));
  const FamilyRun& run = offer.resolved.run;
  SYNOD_RETURN_IF_ERROR(CheckAggregation(run.plan->facts().aggregation));
  SYNOD_ASSIGN_OR_RETURN(LoadedTable loaded, LoadTable(request.source.csv_file, run.schema, policy));
  SYNOD_ASSIGN_OR_RETURN(const std::shared_ptr<const UnitTable> units,
                         UnitsOf(*run.plan, offer.specification, std::move(loaded.table)));
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<Contribution> contribution,
                         MakeContribution(run, units, streams.ForRun("synod.contribution", request.run), load_compute));
  SiteComputer::Setup setup{run.plan, request.run, units, threads};
  Opened opened;
  opened.work.reset(new SiteWork(std::move(setup), std::move(contribution), streams));
  opened.report = ReportText(loaded.report);
  return opened;
}

Result<WorkerReply> SiteWork::Answer(const AnswerRequest& request) {
  Result<NoisedSum> noised = computer_.Answer(*request.query, request.name);
  if (!noised.ok()) {
    if (noised.error().code == ErrorCode::kBadInput) return WorkerReply(AnswerMalformedReply{request.name});
    return noised.error();
  }
  const PlanEntry& entry = plan_->entries()[request.query->entry];
  SYNOD_ASSIGN_OR_RETURN(const WordBits bits, WordBitsFromNumber(entry.word_bits));
  if (plan_->facts().aggregation == Aggregation::kSecure) {
    return WorkerReply(AnswerReply{request.name, UnmaskedWords::EncodeForLocalPair(std::move(noised).value(), bits)});
  }
  // With aggregation none a share is the whole noise: that is what makes the sum fit to leave alone.
  const StandaloneSum sum(std::move(noised).value());
  return WorkerReply(AnswerReply{request.name, sum.Encode(bits)});
}

}  // namespace synod
