#include "common/wire/control_proto.h"

namespace synod {
namespace {

template <std::size_t kSize>
std::string Raw(const std::array<std::uint8_t, kSize>& bytes) {
  return std::string(AsText(bytes));
}

std::string Raw(const RunId& run) {
  return Raw(run.bytes);
}

template <typename Enum>
std::uint32_t Number(Enum value) {
  return static_cast<std::uint32_t>(value);
}

void FillName(const QueryName& name, proto::QueryName& out) {
  out.set_run(Raw(name.run));
  out.set_query(name.query);
  out.set_attempt(name.attempt);
}

// One overload for each message.
struct Filler {
  proto::Control& control;

  void operator()(const Hello& message) {
    proto::Hello& out = *control.mutable_hello();
    out.set_protocol_version(message.protocol_version);
    out.set_software_version(message.software_version);
    out.set_unix_seconds(message.unix_seconds);
    out.set_instance(Raw(message.instance));
    out.set_manifest_number(message.manifest_number);
    out.set_revocations_number(message.revocations_number);
  }
  void operator()(const Heartbeat& message) {
    proto::Heartbeat& out = *control.mutable_heartbeat();
    out.set_unix_seconds(message.unix_seconds);
    out.set_manifest_number(message.manifest_number);
    out.set_revocations_number(message.revocations_number);
    out.set_reply_wanted(message.reply_wanted);
  }
  void operator()(const Goodbye& message) { control.mutable_goodbye()->set_reason(Number(message.reason)); }
  void operator()(const TrustUpdate& message) {
    proto::TrustUpdate& out = *control.mutable_trust_update();
    out.set_manifest_number(message.manifest_number);
    out.set_revocations_number(message.revocations_number);
  }
  void operator()(const RunProposal& message) {
    proto::RunProposal& out = *control.mutable_run_proposal();
    out.set_run(Raw(message.run));
    out.set_plan_hash(Raw(message.plan_hash));
    out.set_submitter(message.submitter);
  }
  void operator()(const RunNotice& message) {
    proto::RunNotice& out = *control.mutable_run_notice();
    out.set_run(Raw(message.run));
    out.set_phase(Number(message.phase));
  }
  void operator()(const QueryAsk& message) {
    proto::QueryAsk& out = *control.mutable_query_ask();
    FillName(message.name, *out.mutable_name());
    out.set_entry(message.entry);
    out.set_kind(Number(message.kind));
    out.set_context_values(message.context_values);
    out.set_parameter_values(message.parameter_values);
    out.set_seconds_left(message.seconds_left);
  }
  void operator()(const QueryClosed& message) {
    proto::QueryClosed& out = *control.mutable_query_closed();
    out.set_run(Raw(message.run));
    out.set_query(message.query);
  }
  void operator()(const DraftToSign& message) { control.mutable_draft_to_sign()->set_run(Raw(message.run)); }
  void operator()(const RunDecision& message) {
    proto::RunDecision& out = *control.mutable_run_decision();
    out.set_run(Raw(message.run));
    out.set_plan_hash(Raw(message.plan_hash));
    out.set_decision(Number(message.decision));
    out.set_reason(Number(message.reason));
    out.set_signature(Raw(message.signature));
  }
  void operator()(const Answer& message) { FillName(message.name, *control.mutable_answer()->mutable_name()); }
  void operator()(const AnswerRefused& message) {
    proto::AnswerRefused& out = *control.mutable_answer_refused();
    FillName(message.name, *out.mutable_name());
    out.set_reason(Number(message.reason));
  }
  void operator()(const CounterSignature& message) {
    proto::CounterSignature& out = *control.mutable_counter_signature();
    out.set_run(Raw(message.run));
    out.set_file_digest(Raw(message.file_digest));
    for (const std::uint64_t attempts : message.attempts) out.add_attempts(attempts);
    out.set_ledger_head(Raw(message.ledger_head));
    out.set_signature(Raw(message.signature));
  }
  void operator()(const DraftRefused& message) {
    proto::DraftRefused& out = *control.mutable_draft_refused();
    out.set_run(Raw(message.run));
    out.set_file_digest(Raw(message.file_digest));
  }
  void operator()(const LedgerHeads& message) {
    proto::LedgerHeads& out = *control.mutable_ledger_heads();
    for (const SignedHead& head : message.heads) out.add_heads(std::string(AsText(EncodeHead(head))));
  }
  void operator()(const OperatorRequest& message) {
    proto::OperatorRequest& out = *control.mutable_operator_request();
    out.set_id(message.id);
    out.set_verb(Number(message.verb));
    out.set_run(Raw(message.run));
  }
  void operator()(const OperatorReply& message) {
    proto::OperatorReply& out = *control.mutable_operator_reply();
    out.set_id(message.id);
    // A negative code becomes a large number, which no reader takes.
    out.set_error_code(static_cast<std::uint32_t>(message.error_code));
    out.set_message(message.message);
    out.set_hint(message.hint);
    out.set_more(message.more);
  }
  void operator()(const AggregationStep& message) {
    FillName(message.name, *control.mutable_aggregation_step()->mutable_name());
  }
  void operator()(const AggregationChunk& message) {
    proto::AggregationChunk& out = *control.mutable_aggregation_chunk();
    FillName(message.name, *out.mutable_name());
    out.set_index(message.index);
  }
};

}  // namespace

proto::Control ToProto(const Control& control) {
  proto::Control out;
  std::visit(Filler{out}, control.message);
  if (control.payload) {
    proto::PayloadHeader& payload = *out.mutable_payload();
    payload.set_transfer(control.payload->transfer);
    payload.set_total_bytes(control.payload->total_bytes);
  }
  return out;
}

}  // namespace synod
