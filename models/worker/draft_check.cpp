#include "models/worker/draft_check.h"

#include "common/artefact/certificate_sentences.h"
#include "common/artefact/generator_file.h"
#include "common/artefact/verify_claims.h"

namespace synod {
namespace {

Status CheckAgainstPlan(const GeneratorDraft& draft, const Plan& approved) {
  if (draft.certificate().kind != CertificateClass::kFederated) {
    return VerificationFailed("the draft is not one of a federation");
  }
  if (draft.content().plan != approved) return VerificationFailed("the draft's plan is not the one that was approved");
  // The weaker of the two sentences: no family of this version has a proof for all of its float32 sums.
  if (draft.certificate().not_claimed != NotClaimedOf(draft.certificate(), approved, FloatError::kMeasured)) {
    return VerificationFailed("the draft leaves out something that is not claimed");
  }
  SYNOD_RETURN_IF_ERROR(VerifyClaims(draft));
  return {};
}

}  // namespace

Result<CheckDraftReply> CheckDraft(const CheckDraftRequest& request) {
  SYNOD_ASSIGN_OR_RETURN(const OpenedOffer offer, OpenOffer(request.offer));
  CheckDraftReply reply;
  const Result<GeneratorDraft> draft = GeneratorDraft::FromBytes(request.draft);
  if (!draft.ok()) {
    reply.difference = draft.error().message;
    return reply;
  }
  reply.file_digest = draft->file_digest();
  reply.run = draft->certificate().run;
  reply.participation = draft->certificate().participation;
  reply.created_unix = draft->certificate().created_unix;
  const Status agrees = CheckAgainstPlan(*draft, *offer.resolved.run.plan);
  reply.agrees = agrees.ok();
  if (!agrees.ok()) reply.difference = agrees.error().message;
  return reply;
}

}  // namespace synod
