#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "common/core/canonical_json.h"
#include "common/core/identity.h"
#include "common/wire/control_proto.h"
#include "common/wire/limits.h"
#include "common/wire/peer_text.h"

namespace synod {
namespace {

// No query is answered later than this.
constexpr double kMaxSecondsLeft = 366.0 * 86400.0;
// Of values in a query: far above what memory holds, far below an overflow of their bytes.
constexpr std::uint64_t kMaxValues = std::uint64_t{1} << 40;

// Copies fields of one message and keeps the first thing that is wrong with them.
class FieldReader {
 public:
  explicit FieldReader(std::string_view message) : message_(message) {}

  template <std::size_t kSize>
  void Fixed(std::string_view field, const std::string& raw, std::array<std::uint8_t, kSize>& out) {
    if (raw.size() != kSize) return Fail(field, "has the wrong length");
    std::copy(raw.begin(), raw.end(), out.begin());
  }
  void Run(std::string_view field, const std::string& raw, RunId& out) { Fixed(field, raw, out.bytes); }

  template <typename Enum>
  void Enumeration(std::string_view field, std::uint32_t number, Enum first, Enum last, Enum& out) {
    if (number < static_cast<std::uint32_t>(first) || number > static_cast<std::uint32_t>(last)) {
      return Fail(field, "is not one of the known values");
    }
    out = static_cast<Enum>(number);
  }

  // Of printable characters and line breaks.
  void Text(std::string_view field, const std::string& text, std::string& out) {
    if (text.size() > limits::kMaxTextBytes) return Fail(field, "is too long");
    if (std::any_of(text.begin(), text.end(), IsControlCharacter)) return Fail(field, "has a control character");
    if (!CanonicalJsonText(text).ok()) return Fail(field, "is not UTF-8");
    out = text;
  }

  void Name(const proto::QueryName& name, QueryName& out) {
    Run("name.run", name.run(), out.run);
    out.query = name.query();
    out.attempt = name.attempt();
  }
  void Require(std::string_view field, bool condition, std::string_view rule) {
    if (!condition) Fail(field, rule);
  }

  template <typename T>
  Result<Message> Done(T message) const {
    if (error_) return *error_;
    return Message(std::move(message));
  }

 private:
  void Fail(std::string_view field, std::string_view rule) {
    if (!error_) error_ = BadInput(fmt::format("message {}: {} {}", message_, field, rule));
  }
  std::string_view message_;
  std::optional<Error> error_;
};

Result<Message> Read(const proto::Hello& in) {
  FieldReader reader("hello");
  Hello out;
  out.protocol_version = in.protocol_version();
  reader.Text("software_version", in.software_version(), out.software_version);
  out.unix_seconds = in.unix_seconds();
  reader.Fixed("instance", in.instance(), out.instance);
  out.manifest_number = in.manifest_number();
  out.revocations_number = in.revocations_number();
  return reader.Done(out);
}

Result<Message> Read(const proto::Heartbeat& in) {
  return Message(Heartbeat{in.unix_seconds(), in.manifest_number(), in.revocations_number(), in.reply_wanted()});
}

Result<Message> Read(const proto::Goodbye& in) {
  FieldReader reader("goodbye");
  Goodbye out;
  reader.Enumeration("reason", in.reason(), GoodbyeReason::kShuttingDown, GoodbyeReason::kTooManyLinks, out.reason);
  return reader.Done(out);
}

Result<Message> Read(const proto::TrustUpdate& in) {
  return Message(TrustUpdate{in.manifest_number(), in.revocations_number()});
}

Result<Message> Read(const proto::RunProposal& in) {
  FieldReader reader("run_proposal");
  RunProposal out;
  reader.Run("run", in.run(), out.run);
  reader.Fixed("plan_hash", in.plan_hash(), out.plan_hash);
  out.submitter = in.submitter();
  reader.Require("submitter", CheckName(out.submitter).ok(), "is not a name");
  return reader.Done(out);
}

Result<Message> Read(const proto::RunNotice& in) {
  FieldReader reader("run_notice");
  RunNotice out;
  reader.Run("run", in.run(), out.run);
  reader.Enumeration("phase", in.phase(), RunPhase::kProposed, RunPhase::kAborted, out.phase);
  return reader.Done(out);
}

Result<Message> Read(const proto::QueryAsk& in) {
  FieldReader reader("query_ask");
  QueryAsk out;
  reader.Name(in.name(), out.name);
  out.entry = in.entry();
  reader.Require("entry", out.entry < limits::kMaxPlanEntries, "is too large");
  reader.Enumeration("kind", in.kind(), QueryKind::kHistogram, QueryKind::kGradient, out.kind);
  out.context_values = in.context_values();
  out.parameter_values = in.parameter_values();
  reader.Require("context_values", out.context_values <= kMaxValues, "is too large");
  reader.Require("parameter_values", out.parameter_values <= kMaxValues, "is too large");
  out.seconds_left = in.seconds_left();
  const bool in_range = out.seconds_left >= 0.0 && out.seconds_left <= kMaxSecondsLeft;
  reader.Require("seconds_left", in_range && !std::signbit(out.seconds_left), "is out of range");
  return reader.Done(out);
}

Result<Message> Read(const proto::QueryClosed& in) {
  FieldReader reader("query_closed");
  QueryClosed out;
  reader.Run("run", in.run(), out.run);
  out.query = in.query();
  return reader.Done(out);
}

Result<Message> Read(const proto::DraftToSign& in) {
  FieldReader reader("draft_to_sign");
  DraftToSign out;
  reader.Run("run", in.run(), out.run);
  return reader.Done(out);
}

bool GoesWith(Decision decision, DenialReason reason) {
  switch (decision) {
    case Decision::kApproved:
      return reason == DenialReason::kNone;
    case Decision::kDenied:
      return reason != DenialReason::kNone;
    case Decision::kWaiting:  // for the review, or for a person
      return reason == DenialReason::kNone || reason == DenialReason::kPerson;
  }
  return false;
}

Result<Message> Read(const proto::RunDecision& in) {
  FieldReader reader("run_decision");
  RunDecision out;
  reader.Run("run", in.run(), out.run);
  reader.Fixed("plan_hash", in.plan_hash(), out.plan_hash);
  reader.Enumeration("decision", in.decision(), Decision::kApproved, Decision::kWaiting, out.decision);
  reader.Enumeration("reason", in.reason(), DenialReason::kNone, DenialReason::kUnavailable, out.reason);
  reader.Require("reason", GoesWith(out.decision, out.reason), "does not go with the decision");
  reader.Fixed("signature", in.signature(), out.signature);
  return reader.Done(out);
}

Result<Message> Read(const proto::Answer& in) {
  FieldReader reader("answer");
  Answer out;
  reader.Name(in.name(), out.name);
  return reader.Done(out);
}

Result<Message> Read(const proto::AnswerRefused& in) {
  FieldReader reader("answer_refused");
  AnswerRefused out;
  reader.Name(in.name(), out.name);
  reader.Enumeration("reason", in.reason(), RefusalReason::kOutsidePlan, RefusalReason::kLedgerUnavailable, out.reason);
  return reader.Done(out);
}

Result<Message> Read(const proto::CounterSignature& in) {
  FieldReader reader("counter_signature");
  CounterSignature out;
  reader.Run("run", in.run(), out.run);
  reader.Fixed("file_digest", in.file_digest(), out.file_digest);
  const auto count = static_cast<std::size_t>(in.attempts_size());
  reader.Require("attempts", count <= limits::kMaxPlanEntries, "has too many entries");
  out.attempts.assign(in.attempts().begin(), in.attempts().end());
  reader.Fixed("ledger_head", in.ledger_head(), out.ledger_head);
  reader.Fixed("signature", in.signature(), out.signature);
  return reader.Done(std::move(out));
}

Result<Message> Read(const proto::DraftRefused& in) {
  FieldReader reader("draft_refused");
  DraftRefused out;
  reader.Run("run", in.run(), out.run);
  reader.Fixed("file_digest", in.file_digest(), out.file_digest);
  return reader.Done(out);
}

Result<Message> Read(const proto::LedgerHeads& in) {
  FieldReader reader("ledger_heads");
  LedgerHeads out;
  reader.Require("heads", static_cast<std::size_t>(in.heads_size()) <= LedgerHeads::kMaxHeads, "has too many entries");
  for (const std::string& bytes : in.heads()) {
    if (out.heads.size() == LedgerHeads::kMaxHeads) break;
    Result<SignedHead> head = DecodeHead(AsBytes(bytes));
    reader.Require("heads", head.ok(), "has an entry that is no ledger head");
    if (head.ok()) out.heads.push_back(std::move(*head));
  }
  return reader.Done(std::move(out));
}

Result<Message> Read(const proto::OperatorRequest& in) {
  FieldReader reader("operator_request");
  OperatorRequest out;
  out.id = in.id();
  reader.Enumeration("verb", in.verb(), OperatorVerb::kRunSubmit, OperatorVerb::kSiteList, out.verb);
  reader.Run("run", in.run(), out.run);
  return reader.Done(out);
}

Result<Message> Read(const proto::OperatorReply& in) {
  FieldReader reader("operator_reply");
  OperatorReply out;
  out.id = in.id();
  const auto last_code = static_cast<std::uint32_t>(ErrorCode::kVerificationFailed);
  reader.Require("error_code", in.error_code() <= last_code, "is not one of the known values");
  out.error_code = in.error_code() <= last_code ? static_cast<int>(in.error_code()) : 0;
  reader.Text("message", in.message(), out.message);
  reader.Text("hint", in.hint(), out.hint);
  out.more = in.more();
  return reader.Done(std::move(out));
}

Result<Message> Read(const proto::AggregationStep& in) {
  FieldReader reader("aggregation_step");
  AggregationStep out;
  reader.Name(in.name(), out.name);
  return reader.Done(out);
}

Result<Message> Read(const proto::AggregationChunk& in) {
  FieldReader reader("aggregation_chunk");
  AggregationChunk out;
  reader.Name(in.name(), out.name);
  out.index = in.index();
  return reader.Done(out);
}

Result<Message> ReadBody(const proto::Control& control) {
  switch (control.body_case()) {
    case proto::Control::kHello:
      return Read(control.hello());
    case proto::Control::kHeartbeat:
      return Read(control.heartbeat());
    case proto::Control::kGoodbye:
      return Read(control.goodbye());
    case proto::Control::kTrustUpdate:
      return Read(control.trust_update());
    case proto::Control::kRunProposal:
      return Read(control.run_proposal());
    case proto::Control::kRunNotice:
      return Read(control.run_notice());
    case proto::Control::kQueryAsk:
      return Read(control.query_ask());
    case proto::Control::kQueryClosed:
      return Read(control.query_closed());
    case proto::Control::kDraftToSign:
      return Read(control.draft_to_sign());
    case proto::Control::kRunDecision:
      return Read(control.run_decision());
    case proto::Control::kAnswer:
      return Read(control.answer());
    case proto::Control::kAnswerRefused:
      return Read(control.answer_refused());
    case proto::Control::kCounterSignature:
      return Read(control.counter_signature());
    case proto::Control::kDraftRefused:
      return Read(control.draft_refused());
    case proto::Control::kLedgerHeads:
      return Read(control.ledger_heads());
    case proto::Control::kOperatorRequest:
      return Read(control.operator_request());
    case proto::Control::kOperatorReply:
      return Read(control.operator_reply());
    case proto::Control::kAggregationStep:
      return Read(control.aggregation_step());
    case proto::Control::kAggregationChunk:
      return Read(control.aggregation_chunk());
    case proto::Control::BODY_NOT_SET:
      break;
  }
  return BadInput("a control message without a body");
}

}  // namespace

Result<Control> FromProto(const proto::Control& control) {
  SYNOD_ASSIGN_OR_RETURN(Message message, ReadBody(control));
  Control out{std::move(message), std::nullopt};
  if (control.has_payload()) {
    out.payload = PayloadHeader{control.payload().transfer(), control.payload().total_bytes()};
  }
  return out;
}

}  // namespace synod
