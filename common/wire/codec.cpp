#include "common/wire/codec.h"

#include <algorithm>
#include <array>

#include "common/wire/control_proto.h"
#include "common/wire/limits.h"

namespace synod {
namespace {

// In the order of the variant; equal to the field numbers of control.proto.
constexpr std::array<std::uint16_t, std::variant_size_v<Message>> kTypes = {
    proto::Control::kHello,
    proto::Control::kHeartbeat,
    proto::Control::kGoodbye,
    proto::Control::kTrustUpdate,
    proto::Control::kRunProposal,
    proto::Control::kRunNotice,
    proto::Control::kQueryAsk,
    proto::Control::kQueryClosed,
    proto::Control::kDraftToSign,
    proto::Control::kRunDecision,
    proto::Control::kAnswer,
    proto::Control::kAnswerRefused,
    proto::Control::kCounterSignature,
    proto::Control::kDraftRefused,
    proto::Control::kLedgerHeads,
    proto::Control::kOperatorRequest,
    proto::Control::kOperatorReply,
    proto::Control::kAggregationStep,
    proto::Control::kAggregationChunk,
};

Bytes Serialized(const google::protobuf::MessageLite& message) {
  Bytes bytes(message.ByteSizeLong());
  const bool ok = message.SerializeToArray(bytes.data(), static_cast<int>(bytes.size()));
  SYNOD_CHECK(ok, "a message of known size did not fit its buffer");
  return bytes;
}

bool SameBytes(const Bytes& left, ByteView right) {
  return left.size() == right.size() && std::equal(left.begin(), left.end(), right.begin());
}

bool Parse(ByteView bytes, google::protobuf::MessageLite& message) {
  return bytes.size() <= limits::kMaxControlBytes &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

}  // namespace

std::uint16_t FrameType(const Message& message) {
  return kTypes[message.index()];
}

Result<Bytes> EncodeControl(const Control& control) {
  const proto::Control form = ToProto(control);
  const Result<Control> readable = FromProto(form);
  if (!readable.ok()) return readable.error();
  Bytes bytes = Serialized(form);
  if (bytes.size() > limits::kMaxControlBytes) {
    return BadInput("message " + std::string(MessageName(control.message)) + " is too long");
  }
  return bytes;
}

Result<Control> DecodeControl(std::uint16_t type, ByteView bytes) {
  proto::Control form;
  if (!Parse(bytes, form)) return BadInput("a control message that cannot be parsed");
  SYNOD_ASSIGN_OR_RETURN(Control control, FromProto(form));
  if (FrameType(control.message) != type) return BadInput("a control message of another type than its frame says");
  if (!SameBytes(Serialized(ToProto(control)), bytes)) {
    return BadInput("message " + std::string(MessageName(control.message)) + " is not in its one encoding");
  }
  return control;
}

Bytes EncodeCredit(const Credit& credit) {
  proto::Credit form;
  form.set_received_bytes(credit.received_bytes);
  return Serialized(form);
}

Result<Credit> DecodeCredit(ByteView bytes) {
  proto::Credit form;
  if (!Parse(bytes, form)) return BadInput("a credit that cannot be parsed");
  const Credit credit{form.received_bytes()};
  if (!SameBytes(EncodeCredit(credit), bytes)) return BadInput("a credit that is not in its one encoding");
  return credit;
}

Bytes EncodeResume(const Resume& resume) {
  proto::Resume form;
  form.set_transfer(resume.transfer);
  form.set_bytes(resume.bytes);
  form.set_chunks(std::string(resume.chunks.begin(), resume.chunks.end()));
  return Serialized(form);
}

Result<Resume> DecodeResume(ByteView bytes) {
  proto::Resume form;
  if (!Parse(bytes, form)) return BadInput("a resume that cannot be parsed");
  Resume resume{form.transfer(), form.bytes(), {}};
  if (form.chunks().size() != resume.chunks.size()) return BadInput("a resume without a proper digest");
  std::copy(form.chunks().begin(), form.chunks().end(), resume.chunks.begin());
  if (!SameBytes(EncodeResume(resume), bytes)) return BadInput("a resume that is not in its one encoding");
  return resume;
}

}  // namespace synod
