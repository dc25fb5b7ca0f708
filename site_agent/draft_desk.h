// From a draft of the published file to this site's counter-signature: the worker checks the draft in full against the
// offer that was approved, and the site compares what the draft says of it with its own ledger.
//
// A site signs its own counts, which may be higher than the coordinator's (an answer may have come too late to be used)
// and never lower. Before it signs, the run is closed for further answers, durably: the counts are final. Threads: one.
#pragma once

#include "common/artefact/participation.h"
#include "common/core/result.h"
#include "site_agent/answer_desk.h"
#include "site_agent/site_context.h"

namespace synod {

class DraftDesk {
 public:
  // `stopped`: called when a run may give no further answer.
  DraftDesk(SiteContext& context, const AnswerDesk& answers, std::function<void(const RunId&)> stopped)
      : context_(context), answers_(answers), stopped_(std::move(stopped)) {}

  void OnDraft(const DraftToSign& draft, ByteView bytes);
  void OnChecked(const DraftChecked& checked);

 private:
  Status Check(const SiteRunRecord& record, const DraftChecked& checked) const;
  void Sign(const RunId& run, const Digest& file_digest);
  void Refuse(const RunId& run, const Digest& file_digest, const Error& why);

  SiteContext& context_;
  const AnswerDesk& answers_;
  std::function<void(const RunId&)> stopped_;
};

// Whether what a draft says of the roster's `site` is covered by what that site charged: every answer that is named is
// in the ledger, under the same entry. VerificationFailed naming the first that is not.
Status CheckParticipation(const Participation& participation, std::uint32_t site, const AnswerDesk::Charged& charged);

}  // namespace synod
