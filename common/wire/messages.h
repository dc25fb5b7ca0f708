// What peers say to each other, as plain structs. The Protobuf forms of these stay inside this module (codec.h).
//
// A message may have a payload: bytes of any size that travel in chunks after it (common/net). Each message type says
// what its payload is; the receiver states beforehand how many bytes it takes.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/error.h"
#include "common/core/strong_id.h"
#include "common/crypto/ed25519.h"
#include "common/privacy/ledger_head.h"
#include "common/privacy/query_kind.h"
#include "common/query/refusal.h"

namespace synod {

// ---- between links themselves (common/net answers these; programs never see them) ----

// First message of each side. `instance` is drawn when a process starts: two processes with one identity differ in it.
struct Hello {
  std::uint32_t protocol_version = 0;
  std::string software_version;
  std::int64_t unix_seconds = 0;
  std::array<std::uint8_t, 16> instance{};
  std::uint64_t manifest_number = 0;
  std::uint64_t revocations_number = 0;
  bool operator==(const Hello&) const = default;
};

struct Heartbeat {
  std::int64_t unix_seconds = 0;
  std::uint64_t manifest_number = 0;
  std::uint64_t revocations_number = 0;
  bool reply_wanted = false;
  bool operator==(const Heartbeat&) const = default;
};

// Why a link is closed. The numbers are on the wire; they never change.
enum class GoodbyeReason : std::uint8_t {
  kShuttingDown = 1,
  kOtherVersion = 2,       // protocol versions differ
  kClock = 3,              // clocks differ by more than five minutes
  kDuplicateIdentity = 4,  // another process with the same identity is connected
  kRevoked = 5,
  kNotAllowed = 6,    // the role may not connect here
  kProtocol = 7,      // a message that does not follow the rules
  kTooSlow = 8,       // the queue of what waits for this peer is full
  kTooManyLinks = 9,  // of this identity, or of all together
};
std::string_view GoodbyeReasonName(GoodbyeReason reason);

struct Goodbye {
  GoodbyeReason reason = GoodbyeReason::kShuttingDown;
  bool operator==(const Goodbye&) const = default;
};

// ---- coordinator to site ----

// Payload: TrustBundle JSON.
struct TrustUpdate {
  std::uint64_t manifest_number = 0;
  std::uint64_t revocations_number = 0;
  bool operator==(const TrustUpdate&) const = default;
};

// A run that the site may take part in. Payload: RunOffer JSON (models/run_offer.h): specification, schema, plan.
struct RunProposal {
  RunId run;
  Digest plan_hash{};
  std::string submitter;  // name of the operator, as the coordinator says; at most 63 bytes
  bool operator==(const RunProposal&) const = default;
};

// The coordinator's state of a run, to the sites of its roster.
enum class RunPhase : std::uint8_t {
  kProposed = 1,
  kRunning = 2,
  kSigning = 3,
  kPublished = 4,
  kFailed = 5,
  kAborted = 6
};
std::string_view RunPhaseName(RunPhase phase);

struct RunNotice {
  RunId run;
  RunPhase phase = RunPhase::kProposed;
  bool operator==(const RunNotice&) const = default;
};

// A query of a run. Payload: its context, then its parameters, as little-endian float32.
struct QueryAsk {
  QueryName name;
  std::uint32_t entry = 0;
  QueryKind kind = QueryKind::kHistogram;
  std::uint64_t context_values = 0;
  std::uint64_t parameter_values = 0;
  double seconds_left = 0.0;  // until the coordinator's deadline
  bool operator==(const QueryAsk&) const = default;
};

// The query is closed, or its sum is stored: the site may forget the answer.
struct QueryClosed {
  RunId run;
  std::uint32_t query = 0;
  bool operator==(const QueryClosed&) const = default;
};

// Payload: the bytes of the generator file that its digest covers.
struct DraftToSign {
  RunId run;
  bool operator==(const DraftToSign&) const = default;
};

// ---- site to coordinator ----

enum class Decision : std::uint8_t { kApproved = 1, kDenied = 2, kWaiting = 3 };
std::string_view DecisionName(Decision decision);

// A closed list: none is caused by the content of records.
enum class DenialReason : std::uint8_t {
  kNone = 0,
  kPolicy = 1,        // the site's policy does not allow this run
  kPlanMismatch = 2,  // the site's own resolution gives another plan
  kBudget = 3,        // the data set's life-time budget does not allow it
  kNotOnRoster = 4,   // the roster lacks this site, or names another key for it
  kMalformed = 5,     // specification, schema or plan cannot be read
  kPerson = 6,        // the administrator said no; of a decision that waits: has to decide
  kUnavailable = 7,   // the site cannot take part now
};
std::string_view DenialReasonName(DenialReason reason);

struct RunDecision {
  RunId run;
  Digest plan_hash{};
  Decision decision = Decision::kWaiting;
  DenialReason reason = DenialReason::kNone;
  Signature signature{};  // of an approval: label "synod.approval" over run | plan hash | site name
  bool operator==(const RunDecision&) const = default;
};

// Payload: StandaloneSum::Encode (aggregation none).
struct Answer {
  QueryName name;
  bool operator==(const Answer&) const = default;
};

struct AnswerRefused {
  QueryName name;
  RefusalReason reason = RefusalReason::kOutsidePlan;
  bool operator==(const AnswerRefused&) const = default;
};

// ---- secure aggregation, both ways ----

// A message of one attempt at a masked sum. Payload: its encoding (secure_agg/codec.h).
struct AggregationStep {
  QueryName name;
  bool operator==(const AggregationStep&) const = default;
};

// A piece of a site's masked answer. Payload: its words; every piece but the last has secure_agg::kChunkBytes.
struct AggregationChunk {
  QueryName name;
  std::uint32_t index = 0;
  bool operator==(const AggregationChunk&) const = default;
};

struct CounterSignature {
  RunId run;
  Digest file_digest{};
  std::vector<std::uint64_t> attempts;
  Digest ledger_head{};
  Signature signature{};
  bool operator==(const CounterSignature&) const = default;
};

// The draft does not agree with the site's own ledger or plan.
struct DraftRefused {
  RunId run;
  Digest file_digest{};
  bool operator==(const DraftRefused&) const = default;
};

// ---- between coordinator and site, both ways ----

// Signed heads of sites' ledgers: of the sender's own, and those that it has witnessed. Who signed them, the receiver
// checks.
struct LedgerHeads {
  static constexpr std::size_t kMaxHeads = 128;
  std::vector<SignedHead> heads;
  bool operator==(const LedgerHeads&) const = default;
};

// ---- operator to coordinator and back ----

enum class OperatorVerb : std::uint8_t {
  kRunSubmit = 1,  // payload: JSON {"specification": TOML, "schema": TOML, "sites": [..]}; run: the idempotency key
  kRunList = 2,
  kRunShow = 3,
  kRunWatch = 4,  // replies go on until the run ends or the link closes
  kRunWhy = 5,
  kRunAbort = 6,
  kRunFetch = 7,  // reply payload: the generator file
  kSiteList = 8,
};
std::string_view OperatorVerbName(OperatorVerb verb);

struct OperatorRequest {
  std::uint64_t id = 0;
  OperatorVerb verb = OperatorVerb::kRunList;
  RunId run;  // zero where the verb has none
  bool operator==(const OperatorRequest&) const = default;
};

// Payload: JSON text of the reply, or a file. An error has a code other than 0.
struct OperatorReply {
  std::uint64_t id = 0;
  int error_code = 0;  // 0, or an ErrorCode
  std::string message;
  std::string hint;
  bool more = false;  // of a watch: another reply follows
  bool operator==(const OperatorReply&) const = default;
};

using Message = std::variant<Hello, Heartbeat, Goodbye, TrustUpdate, RunProposal, RunNotice, QueryAsk, QueryClosed,
                             DraftToSign, RunDecision, Answer, AnswerRefused, CounterSignature, DraftRefused,
                             LedgerHeads, OperatorRequest, OperatorReply, AggregationStep, AggregationChunk>;

std::string_view MessageName(const Message& message);

// A message and its payload (nothing: no payload). The payload is shared: one query goes to many sites.
struct Envelope {
  Message message;
  std::shared_ptr<const Bytes> payload;
};

}  // namespace synod
