#include "models/independent_columns/trainer.h"

#include <cmath>

#include "models/checkpoint.h"

namespace synod::independent_columns {
namespace {

constexpr std::string_view kFamily = "independent_columns";
constexpr std::uint32_t kCheckpointVersion = 1;

}  // namespace

Result<std::unique_ptr<MarginalTrainer>> MarginalTrainer::Make(const FamilyRun& run) {
  SYNOD_ASSIGN_OR_RETURN(RunParts parts, PartsOf(run));
  return std::unique_ptr<MarginalTrainer>(new MarginalTrainer(run, std::move(parts)));
}

std::optional<Query> MarginalTrainer::Next(std::span<const std::uint64_t> left) {
  SYNOD_CHECK(left.size() == 1, "an independent_columns plan has one entry");
  if (left[0] == 0) return std::nullopt;
  Query query;
  query.kind = QueryKind::kHistogram;
  return query;
}

Status MarginalTrainer::Absorb(const Query& query, const NoisySum& sum) {
  const PlanEntry& entry = run_.plan->entries()[0];
  if (query.kind != QueryKind::kHistogram || sum.values().size() != entry.dimension) {
    return BadInput("a histogram answer has the wrong kind or length");
  }
  total_.resize(sum.values().size(), 0.0);
  for (std::size_t i = 0; i < total_.size(); ++i) total_[i] += sum.values()[i];
  variance_ += static_cast<double>(sum.answers()) * static_cast<double>(entry.site_variance) /
               (entry.grid_scale * entry.grid_scale);
  ++answers_;
  return {};
}

Result<GeneratorModel> MarginalTrainer::Finish() {
  if (answers_ == 0) return Failed("training ended before it had any answer");
  const auto answers = static_cast<double>(answers_);
  GeneratorModel model;
  model.family = kFamily;
  model.options = parts_.options.ToJson();
  model.state = {{"sigma", std::sqrt(variance_) / answers}};
  model.layout = parts_.layout;
  for (const double total : total_) model.parameters.push_back(static_cast<float>(total / answers));
  return model;
}

Bytes MarginalTrainer::Checkpoint() const {
  CheckpointWriter out(kFamily, kCheckpointVersion, run_.plan->Hash());
  out.Put(std::span(total_));
  out.Put(variance_);
  out.Put(answers_);
  return std::move(out).Finish();
}

Status MarginalTrainer::Restore(ByteView bytes) {
  SYNOD_ASSIGN_OR_RETURN(CheckpointReader in,
                         CheckpointReader::Open(bytes, kFamily, kCheckpointVersion, run_.plan->Hash()));
  SYNOD_ASSIGN_OR_RETURN(std::vector<double> total, in.Doubles(parts_.layout.size(), /*may_be_empty=*/true));
  SYNOD_ASSIGN_OR_RETURN(const double variance, in.Real());
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t answers, in.Whole());
  SYNOD_RETURN_IF_ERROR(in.Finish());
  const bool fits = total.empty() == (answers == 0) && answers <= run_.plan->entries()[0].allowed() && variance >= 0.0;
  if (!fits) return BadInput("a trainer's checkpoint does not add up");
  total_ = std::move(total);
  variance_ = variance;
  answers_ = answers;
  return {};
}

}  // namespace synod::independent_columns
