// What a daemon and its worker say to each other over their local pair, one daemon to one worker. Each message is two
// ZeroMQ parts: a JSON header and a payload (queries, sums, checkpoints, drafts). The worker is a child of the daemon,
// yet every length is checked against the plan or limits before it is used.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/artefact/participation.h"
#include "common/core/bytes.h"
#include "common/core/error.h"
#include "common/core/strong_id.h"
#include "common/privacy/plan.h"
#include "common/query/query.h"
#include "models/family.h"
#include "models/run_offer.h"

namespace synod {

// Of one message. A payload holds at most a checkpoint, a draft, or a sum: each is bounded by its maker; this bounds
// what is read at all.
inline constexpr std::size_t kMaxWorkerHeaderBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxWorkerPayloadBytes = std::size_t{4} << 30;

// ---- daemon to worker ----

// Where a site's records are: opened by the worker alone.
struct RecordSource {
  std::string csv_file;
  std::string bad_rows = "drop";  // rows with numbers out of bounds: drop or clamp
};

// Resolve a specification to an offer (coordinator).
struct ResolveRequest {
  std::string specification;
  std::string schema;
  std::vector<RosterSite> roster;
};
// Resolve an offer again, compare, and explain it (site).
struct ReviewRequest {
  RunOffer offer;
};
// Read the records for a run and get ready to answer (site).
struct OpenSiteRequest {
  RunId run;
  RunOffer offer;
  RecordSource source;
};
struct AnswerRequest {
  QueryName name;
  std::shared_ptr<const Query> query;
};
// Get ready to train (coordinator): from a checkpoint, or from the start.
struct OpenTrainerRequest {
  RunId run;
  RunOffer offer;
  std::optional<Bytes> checkpoint;
};
// Absorb a sum, if there is one, then give the next query.
struct TrainRequest {
  bool has_sum = false;
  std::shared_ptr<const Query> answered;  // index, entry and kind count; its values may be empty
  Bytes words;                            // NoisySum::words
  std::uint32_t answers = 0;
  std::vector<std::uint64_t> left;
  bool want_checkpoint = false;  // taken after the sum was absorbed, before the next query; a family may have none
};
// Finish training and write the draft of the generator file.
struct DraftRequest {
  RunId run;
  Participation participation;
  std::int64_t created_unix = 0;
};
// Check a draft in full against an offer: certificate rebuilt, readings recomputed (site).
struct CheckDraftRequest {
  RunOffer offer;
  Bytes draft;
};
using WorkerRequest = std::variant<ResolveRequest, ReviewRequest, OpenSiteRequest, AnswerRequest, OpenTrainerRequest,
                                   TrainRequest, DraftRequest, CheckDraftRequest>;

// ---- worker to daemon: one reply to each request, in order ----

struct ResolveReply {
  RunOffer offer;
  std::string explanation;  // JSON text of ExplainPlan
};
struct ReviewReply {
  bool plan_matches = false;
  std::string difference;   // the first field that differs
  std::string explanation;  // JSON text of ExplainPlan
  // Upper bounds, [reading][m - 1], in the order of kTrustReadings.
  std::array<std::array<double, Plan::kMaxSitesPerSubject>, 3> epsilon{};
  std::uint64_t parameters = 0;  // of the model
};
struct OpenSiteReply {
  std::string report;  // for the site's own log and status: counts by rule, no values. Never sent.
};
struct AnswerReply {
  QueryName name;
  // Aggregation none: StandaloneSum::Encode. Secure: UnmaskedWords::EncodeForLocalPair, to be masked before it goes
  // anywhere else.
  Bytes words;
};
// The query is malformed: never because of a record.
struct AnswerMalformedReply {
  QueryName name;
};
struct OpenTrainerReply {};
struct TrainReply {
  std::shared_ptr<const Query> next;  // nothing: training is done
  TrainingNews news;
  std::optional<Bytes> checkpoint;
};
struct DraftReply {
  Bytes draft;
  Digest file_digest{};
};
struct CheckDraftReply {
  bool agrees = false;
  std::string difference;
  Digest file_digest{};
  RunId run;
  Participation participation;
  std::int64_t created_unix = 0;  // as the certificate states
};
struct FailedReply {
  Error error;
};
using WorkerReply = std::variant<ResolveReply, ReviewReply, OpenSiteReply, AnswerReply, AnswerMalformedReply,
                                 OpenTrainerReply, TrainReply, DraftReply, CheckDraftReply, FailedReply>;

// Two parts of a ZeroMQ message. The header is JSON, {"type": NAME, ...}, with the length of each piece of the payload
// under the piece's name; the pieces follow one another in a fixed order. Decoding is strict: an unknown type or key, a
// length that does not add up, or a number out of range is BadInput. Values of queries are passed as they are, finite
// or not: whoever computes looks at them.
struct WorkerParts {
  std::string header;
  Bytes payload;
};
WorkerParts EncodeRequest(const WorkerRequest& request);
Result<WorkerRequest> DecodeRequest(std::string_view header, ByteView payload);
WorkerParts EncodeReply(const WorkerReply& reply);
Result<WorkerReply> DecodeReply(std::string_view header, ByteView payload);

}  // namespace synod
