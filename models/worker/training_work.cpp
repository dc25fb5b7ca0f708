#include "models/worker/training_work.h"

#include "common/artefact/certify.h"
#include "common/artefact/generator_file.h"
#include "common/core/version.h"
#include "common/query/grid.h"
#include "common/query/sum_accumulator.h"
#include "common/query/words.h"
#include "models/family_table.h"
#include "models/worker/plan_work.h"

namespace synod {

Result<std::unique_ptr<TrainingWork>> TrainingWork::Open(const OpenTrainerRequest& request) {
  SYNOD_ASSIGN_OR_RETURN(OpenedOffer offer, OpenOffer(request.offer));
  SYNOD_RETURN_IF_ERROR(CheckAggregation(offer.resolved.run.plan->facts().aggregation));
  SYNOD_ASSIGN_OR_RETURN(std::unique_ptr<Trainer> trainer, MakeTrainer(offer.resolved.run));
  if (request.checkpoint) SYNOD_RETURN_IF_ERROR(trainer->Restore(*request.checkpoint));
  return std::unique_ptr<TrainingWork>(
      new TrainingWork(request.run, std::move(offer.resolved.run), std::move(trainer)));
}

Status TrainingWork::Absorb(const TrainRequest& request) {
  const auto& entries = run_.plan->entries();
  const Query& answered = *request.answered;
  if (answered.entry >= entries.size() || entries[answered.entry].kind != answered.kind) {
    return BadInput("a sum to train on is not one of the plan's entries");
  }
  const PlanEntry& entry = entries[answered.entry];
  SYNOD_ASSIGN_OR_RETURN(const Grid grid, Grid::Make(entry.grid_scale, entry.clip, entry.dimension));
  SYNOD_ASSIGN_OR_RETURN(const WordBits bits, WordBitsFromNumber(entry.word_bits));
  SYNOD_ASSIGN_OR_RETURN(const NoisySum sum, SumAccumulator::Decode(grid, bits, request.words, request.answers));
  return trainer_->Absorb(answered, sum);
}

Result<TrainReply> TrainingWork::Train(const TrainRequest& request) {
  if (request.left.size() != run_.plan->entries().size()) return BadInput("one number of answers left for each entry");
  if (request.has_sum) SYNOD_RETURN_IF_ERROR(Absorb(request));
  TrainReply reply;
  if (request.want_checkpoint) {
    Bytes checkpoint = trainer_->Checkpoint();
    if (!checkpoint.empty()) reply.checkpoint = std::move(checkpoint);
  }
  if (std::optional<Query> next = trainer_->Next(request.left)) {
    reply.next = std::make_shared<const Query>(std::move(*next));
  }
  reply.news = trainer_->news();
  return reply;
}

Result<DraftReply> TrainingWork::Draft(const DraftRequest& request) {
  if (request.run != run_id_) return BadInput("the draft of a run that is not open");
  SYNOD_ASSIGN_OR_RETURN(GeneratorModel model, trainer_->Finish());
  const GeneratorContent content{
      *run_.schema,           *run_.plan,          std::move(model.family),    std::move(model.options),
      std::move(model.state), model.layout.Hash(), std::move(model.parameters)};
  CertificateRequest certificate_request;
  certificate_request.kind = CertificateClass::kFederated;
  certificate_request.run = request.run;
  certificate_request.participation = request.participation;
  SYNOD_ASSIGN_OR_RETURN(certificate_request.content_digest, ContentDigest(content));
  certificate_request.software_version = kVersion;
  certificate_request.created_unix = request.created_unix;
  certificate_request.float_error = FloatError::kMeasured;
  SYNOD_ASSIGN_OR_RETURN(const Certificate certificate, Certify(*run_.plan, std::move(certificate_request)));
  SYNOD_ASSIGN_OR_RETURN(const GeneratorDraft draft, GeneratorDraft::Create(content, certificate));
  return DraftReply{draft.bytes(), draft.file_digest()};
}

}  // namespace synod
