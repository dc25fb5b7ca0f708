#include "site_agent/site_run_record.h"

#include "common/core/canonical_json.h"
#include "common/core/hex.h"
#include "site_agent/sql_row_reader.h"

namespace synod {
namespace {

constexpr std::size_t kMaxReviewBytes = 16u << 20;

Json ReviewToJson(const SiteReview& review) {
  return {{"plan_matches", review.plan_matches},
          {"difference", review.difference},
          {"explanation", review.explanation},
          {"epsilon", review.epsilon},
          {"parameters", review.parameters}};
}

// Of our own making: a value that is not as written is damage.
Result<SiteReview> ReviewFromText(const std::string& text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, kMaxReviewBytes));
  try {
    SiteReview review;
    json.at("plan_matches").get_to(review.plan_matches);
    json.at("difference").get_to(review.difference);
    json.at("explanation").get_to(review.explanation);
    json.at("epsilon").get_to(review.epsilon);
    json.at("parameters").get_to(review.parameters);
    return review;
  } catch (const Json::exception&) {
    return VerificationFailed("the database holds a review of a run that does not follow the rules");
  }
}

Result<std::vector<std::string>> TextsFromJson(const std::string& text) {
  SYNOD_ASSIGN_OR_RETURN(const Json json, ParseJson(text, kMaxReviewBytes, 2));
  try {
    return json.get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    return VerificationFailed("the database holds findings about a run that do not follow the rules");
  }
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Bytes BlobOf(ByteView bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string RunText(const RunId& run) {
  return ToHex(run.bytes);
}

std::string_view SiteRunStateName(SiteRunState state) {
  switch (state) {
    case SiteRunState::kReviewing:
      return "reviewing";
    case SiteRunState::kWaiting:
      return "waiting";
    case SiteRunState::kApproved:
      return "approved";
    case SiteRunState::kDenied:
      return "denied";
    case SiteRunState::kSigned:
      return "signed";
    case SiteRunState::kEnded:
      return "ended";
  }
  return "unknown";
}

bool MayFollow(SiteRunState from, SiteRunState to) {
  switch (from) {
    case SiteRunState::kReviewing:
    case SiteRunState::kWaiting:
      return to != SiteRunState::kSigned && to != SiteRunState::kReviewing;
    case SiteRunState::kApproved:
      return to == SiteRunState::kSigned || to == SiteRunState::kDenied || to == SiteRunState::kEnded;
    case SiteRunState::kSigned:
    case SiteRunState::kDenied:
      return to == SiteRunState::kEnded;
    case SiteRunState::kEnded:
      return false;
  }
  return false;
}

Decision SiteRunRecord::decision() const {
  switch (state) {
    case SiteRunState::kApproved:
    case SiteRunState::kSigned:
      return Decision::kApproved;
    case SiteRunState::kDenied:
    case SiteRunState::kEnded:
      return Decision::kDenied;
    case SiteRunState::kReviewing:
    case SiteRunState::kWaiting:
      break;
  }
  return Decision::kWaiting;
}

SqlRow SiteRunRecord::ToRow() const {
  return {BlobOf(run.bytes),
          BlobOf(plan_hash),
          offer.ToJsonText(),
          coordinator,
          submitter,
          static_cast<std::int64_t>(state),
          static_cast<std::int64_t>(reason),
          dataset,
          decided_by,
          note,
          Dump(Json(findings)),
          review ? Dump(ReviewToJson(*review)) : std::string(),
          end ? static_cast<std::int64_t>(*end) : std::int64_t{0},
          proposed_unix,
          decided_unix};
}

Result<SiteRunRecord> SiteRunRecord::FromRow(const SqlRow& row) {
  SqlRowReader reader(row);
  SiteRunRecord record;
  record.run = reader.Id<RunId>();
  record.plan_hash = reader.Fixed<Digest>();
  const std::string offer = reader.Text();
  record.coordinator = reader.Text();
  record.submitter = reader.Text();
  const std::int64_t state = reader.Integer();
  const std::int64_t reason = reader.Integer();
  record.dataset = reader.Text();
  record.decided_by = reader.Text();
  record.note = reader.Text();
  const std::string findings = reader.Text();
  const std::string review = reader.Text();
  const std::int64_t end = reader.Integer();
  record.proposed_unix = reader.Integer();
  record.decided_unix = reader.Integer();
  if (state < 1 || state > static_cast<std::int64_t>(SiteRunState::kEnded)) reader.Reject();
  if (reason < 0 || reason > static_cast<std::int64_t>(DenialReason::kUnavailable)) reader.Reject();
  if (end < 0 || end > static_cast<std::int64_t>(RunPhase::kAborted)) reader.Reject();
  SYNOD_RETURN_IF_ERROR(reader.Finish("a run"));
  record.state = static_cast<SiteRunState>(state);
  record.reason = static_cast<DenialReason>(reason);
  if (end != 0) record.end = static_cast<RunPhase>(end);
  SYNOD_ASSIGN_OR_RETURN(record.offer, RunOffer::FromJsonText(offer));
  SYNOD_ASSIGN_OR_RETURN(record.findings, TextsFromJson(findings));
  if (!review.empty()) {
    SYNOD_ASSIGN_OR_RETURN(record.review, ReviewFromText(review));
  }
  return record;
}

}  // namespace synod
