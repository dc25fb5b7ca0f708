// Where a process may be killed in tests: before and after every durable write and every send. A port: installed
// programs have NoFailPoints; the tests' own programs kill themselves at a chosen one.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace synod {

enum class FailPoint : std::uint8_t {
  kSiteBeforeDecisionStored,
  kSiteAfterDecisionStored,
  kSiteBeforeDecisionSent,
  kSiteAfterDecisionSent,
  kSiteBeforeCharge,  // the row of the ledger and the answer: one transaction
  kSiteAfterCharge,
  kSiteBeforeAnswerSent,
  kSiteAfterAnswerSent,
  kSiteBeforePromise,  // to one survivor set of an attempt
  kSiteAfterPromise,
  kSiteBeforeStepSent,  // of a secure aggregation, the chunks of the masked answer excepted
  kSiteAfterStepSent,
  kSiteBeforeCounterSignatureSent,
  kSiteAfterCounterSignatureSent,
  kSiteBeforeHeadSent,  // the signed head of its ledger
  kSiteAfterHeadSent,
  kSiteBeforeHeadStored,  // of another site's ledger, or one that contradicts its own
  kSiteAfterHeadStored,
  kCoordinatorBeforeRunStored,
  kCoordinatorAfterRunStored,
  kCoordinatorBeforeProposalSent,
  kCoordinatorAfterProposalSent,
  kCoordinatorBeforeDecisionStored,
  kCoordinatorAfterDecisionStored,
  kCoordinatorBeforeCharge,
  kCoordinatorAfterCharge,
  kCoordinatorBeforeQuerySent,
  kCoordinatorAfterQuerySent,
  kCoordinatorBeforeSumStored,
  kCoordinatorAfterSumStored,
  kCoordinatorBeforeCheckpointStored,
  kCoordinatorAfterCheckpointStored,
  kCoordinatorBeforeDraftStored,
  kCoordinatorAfterDraftStored,
  kCoordinatorBeforeDraftSent,
  kCoordinatorAfterDraftSent,
  kCoordinatorBeforeSignatureStored,
  kCoordinatorAfterSignatureStored,
  kCoordinatorBeforePublished,
  kCoordinatorAfterPublished,
  kCoordinatorBeforeHeadStored,  // of a site's ledger
  kCoordinatorAfterHeadStored,
  kWorkerBeforeAnswer,
  kWorkerAfterAnswer,
  kWorkerBeforeTrained,
  kWorkerAfterTrained,
};
inline constexpr std::size_t kFailPoints = static_cast<std::size_t>(FailPoint::kWorkerAfterTrained) + 1;

// "site_before_charge" and so on; stable.
std::string_view FailPointName(FailPoint point);

class FailPoints {
 public:
  virtual ~FailPoints() = default;
  virtual void At(FailPoint point) = 0;
};

class NoFailPoints final : public FailPoints {
 public:
  void At(FailPoint) override {}
};

}  // namespace synod
