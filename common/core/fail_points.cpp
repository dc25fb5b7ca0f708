#include "common/core/fail_points.h"

namespace synod {
namespace {

constexpr std::array<std::string_view, kFailPoints> kNames = {
    "site_before_decision_stored",
    "site_after_decision_stored",
    "site_before_decision_sent",
    "site_after_decision_sent",
    "site_before_charge",
    "site_after_charge",
    "site_before_answer_sent",
    "site_after_answer_sent",
    "site_before_promise",
    "site_after_promise",
    "site_before_step_sent",
    "site_after_step_sent",
    "site_before_counter_signature_sent",
    "site_after_counter_signature_sent",
    "site_before_head_sent",
    "site_after_head_sent",
    "site_before_head_stored",
    "site_after_head_stored",
    "coordinator_before_run_stored",
    "coordinator_after_run_stored",
    "coordinator_before_proposal_sent",
    "coordinator_after_proposal_sent",
    "coordinator_before_decision_stored",
    "coordinator_after_decision_stored",
    "coordinator_before_charge",
    "coordinator_after_charge",
    "coordinator_before_query_sent",
    "coordinator_after_query_sent",
    "coordinator_before_sum_stored",
    "coordinator_after_sum_stored",
    "coordinator_before_checkpoint_stored",
    "coordinator_after_checkpoint_stored",
    "coordinator_before_draft_stored",
    "coordinator_after_draft_stored",
    "coordinator_before_draft_sent",
    "coordinator_after_draft_sent",
    "coordinator_before_signature_stored",
    "coordinator_after_signature_stored",
    "coordinator_before_published",
    "coordinator_after_published",
    "coordinator_before_head_stored",
    "coordinator_after_head_stored",
    "worker_before_answer",
    "worker_after_answer",
    "worker_before_trained",
    "worker_after_trained",
};

}  // namespace

std::string_view FailPointName(FailPoint point) {
  return kNames[static_cast<std::size_t>(point)];
}

}  // namespace synod
