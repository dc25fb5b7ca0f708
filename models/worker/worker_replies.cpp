// The codec of what a worker says to its daemon.
#include <array>
#include <cmath>

#include "common/core/check.h"
#include "common/core/hex.h"
#include "models/worker/message_parts.h"
#include "models/worker/worker_messages.h"

namespace synod {
namespace {

constexpr std::size_t kMaxTextBytes = std::size_t{16} << 20;
constexpr std::size_t kMaxParticipationBytes = std::size_t{64} << 20;
constexpr std::uint64_t kMaxUnixSeconds = std::uint64_t{1} << 40;
constexpr std::uint64_t kMostUnsigned64 = ~std::uint64_t{0};

// A number, or a text for what JSON has no number for: an epsilon without bound stays one.
Json RealToJson(double value) {
  SYNOD_CHECK(!std::isnan(value), "an epsilon is a number");
  return std::isinf(value) ? Json("infinite") : Json(value);
}

Result<double> RealFromJson(const Json& json) {
  if (json.is_string() && json.get_ref<const std::string&>() == "infinite") return HUGE_VAL;
  if (!json.is_number()) return BadInput("a worker's message has an epsilon that is no number");
  const double value = json.get<double>();
  if (!(value >= 0.0)) return BadInput("a worker's message has an epsilon below 0");
  return value;
}

WorkerParts Encode(const ResolveReply& reply) {
  PartsWriter out("resolved");
  out.PutOffer(reply.offer);
  out.PutPiece("explanation", reply.explanation);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeResolved(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in,
                         PartsReader::Of(header, payload, {"type", "specification", "schema", "plan", "explanation"}));
  ResolveReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.offer, in.Offer());
  SYNOD_ASSIGN_OR_RETURN(reply.explanation, in.Text("explanation", kMaxTextBytes));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const ReviewReply& reply) {
  PartsWriter out("reviewed");
  out.Put("plan_matches", reply.plan_matches);
  Json epsilon = Json::array();
  for (const auto& reading : reply.epsilon) {
    for (const double value : reading) epsilon.push_back(RealToJson(value));
  }
  out.Put("epsilon", std::move(epsilon));
  out.Put("parameters", reply.parameters);
  out.PutPiece("difference", reply.difference);
  out.PutPiece("explanation", reply.explanation);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeReviewed(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(
      PartsReader in,
      PartsReader::Of(header, payload, {"type", "plan_matches", "epsilon", "parameters", "difference", "explanation"}));
  ReviewReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.plan_matches, in.header().Boolean("plan_matches"));
  const std::size_t count = reply.epsilon.size() * reply.epsilon[0].size();
  SYNOD_ASSIGN_OR_RETURN(const Json* epsilon, in.header().Array("epsilon", count));
  if (epsilon->size() != count) return in.header().Wrong("epsilon", "has too few numbers");
  for (std::size_t i = 0; i < count; ++i) {
    SYNOD_ASSIGN_OR_RETURN(reply.epsilon[i / reply.epsilon[0].size()][i % reply.epsilon[0].size()],
                           RealFromJson((*epsilon)[i]));
  }
  SYNOD_ASSIGN_OR_RETURN(reply.parameters, in.header().Unsigned("parameters", 0, kMostUnsigned64));
  SYNOD_ASSIGN_OR_RETURN(reply.difference, in.Text("difference", kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(reply.explanation, in.Text("explanation", kMaxTextBytes));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const OpenSiteReply& reply) {
  PartsWriter out("site_open");
  out.PutPiece("report", reply.report);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeSiteOpen(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload, {"type", "report"}));
  OpenSiteReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.report, in.Text("report", kMaxTextBytes));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const AnswerReply& reply) {
  PartsWriter out("answer");
  out.PutName(reply.name);
  out.PutPiece("words", reply.words);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeAnswer(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in,
                         PartsReader::Of(header, payload, {"type", "run", "query", "attempt", "words"}));
  AnswerReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.name, in.Name());
  SYNOD_ASSIGN_OR_RETURN(reply.words, in.PieceBytes("words"));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const AnswerMalformedReply& reply) {
  PartsWriter out("malformed");
  out.PutName(reply.name);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeMalformed(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload, {"type", "run", "query", "attempt"}));
  AnswerMalformedReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.name, in.Name());
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(reply);
}

WorkerParts Encode(const OpenTrainerReply&) {
  return PartsWriter("trainer_open").Finish();
}

Result<WorkerReply> DecodeTrainerOpen(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload, {"type"}));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(OpenTrainerReply{});
}

Json NewsToJson(const TrainingNews& news) {
  Json json = Json::object();
  const auto put = [&](const char* key, const std::optional<double>& value) {
    if (value && std::isfinite(*value)) json[key] = *value;
  };
  put("loss", news.loss);
  put("clipped_fraction", news.clipped_fraction);
  return json;
}

Result<TrainingNews> NewsFromJson(const Json& json) {
  const Error broken = BadInput("a worker's message has news of another form");
  if (!json.is_object()) return broken;
  TrainingNews news;
  for (const auto& [key, value] : json.items()) {
    if (!value.is_number() || !std::isfinite(value.get<double>())) return broken;
    if (key != "loss" && key != "clipped_fraction") return broken;
    (key == "loss" ? news.loss : news.clipped_fraction) = value.get<double>();
  }
  return news;
}

WorkerParts Encode(const TrainReply& reply) {
  PartsWriter out("trained");
  out.Put("has_next", reply.next != nullptr);
  out.PutQuery(reply.next ? *reply.next : Query{});
  out.Put("news", NewsToJson(reply.news));
  out.Put("has_checkpoint", reply.checkpoint.has_value());
  out.PutPiece("checkpoint", reply.checkpoint ? ByteView(*reply.checkpoint) : ByteView());
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeTrained(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload,
                                                         {"type", "has_next", "index", "entry", "kind", "context",
                                                          "parameters", "news", "has_checkpoint", "checkpoint"}));
  TrainReply reply;
  SYNOD_ASSIGN_OR_RETURN(const bool has_next, in.header().Boolean("has_next"));
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const Query> next, in.ReadQuery());
  if (!has_next && *next != Query{}) return in.header().Wrong("has_next", "is false and there is a query");
  if (has_next) reply.next = std::move(next);
  SYNOD_ASSIGN_OR_RETURN(reply.news, NewsFromJson(in.header().At("news")));
  SYNOD_ASSIGN_OR_RETURN(const bool has_checkpoint, in.header().Boolean("has_checkpoint"));
  SYNOD_ASSIGN_OR_RETURN(Bytes checkpoint, in.PieceBytes("checkpoint"));
  if (!has_checkpoint && !checkpoint.empty()) return in.header().Wrong("checkpoint", "is there and must not be");
  if (has_checkpoint) reply.checkpoint = std::move(checkpoint);
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const DraftReply& reply) {
  PartsWriter out("draft");
  out.Put("file_digest", ToHex(reply.file_digest));
  out.PutPiece("draft", reply.draft);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeDraft(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload, {"type", "file_digest", "draft"}));
  DraftReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.file_digest, in.header().Hash("file_digest"));
  SYNOD_ASSIGN_OR_RETURN(reply.draft, in.PieceBytes("draft"));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const CheckDraftReply& reply) {
  PartsWriter out("draft_checked");
  out.Put("agrees", reply.agrees);
  out.Put("file_digest", ToHex(reply.file_digest));
  out.PutRun(reply.run);
  out.Put("created_unix", reply.created_unix);
  out.PutPiece("difference", reply.difference);
  out.PutPiece("participation", reply.participation.ToJson().dump());
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeDraftChecked(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload,
                                                         {"type", "agrees", "file_digest", "run", "created_unix",
                                                          "difference", "participation"}));
  CheckDraftReply reply;
  SYNOD_ASSIGN_OR_RETURN(reply.agrees, in.header().Boolean("agrees"));
  SYNOD_ASSIGN_OR_RETURN(reply.file_digest, in.header().Hash("file_digest"));
  SYNOD_ASSIGN_OR_RETURN(reply.run, in.Run());
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t created, in.header().Unsigned("created_unix", 0, kMaxUnixSeconds));
  reply.created_unix = static_cast<std::int64_t>(created);
  SYNOD_ASSIGN_OR_RETURN(reply.difference, in.Text("difference", kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(const ByteView text, in.Piece("participation", kMaxParticipationBytes));
  SYNOD_ASSIGN_OR_RETURN(const Json participation, ParseJson(AsText(text), kMaxParticipationBytes));
  SYNOD_ASSIGN_OR_RETURN(reply.participation, Participation::FromJson(participation));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

WorkerParts Encode(const FailedReply& reply) {
  PartsWriter out("failed");
  out.Put("code", static_cast<int>(reply.error.code));
  out.PutPiece("message", reply.error.message);
  out.PutPiece("hint", reply.error.hint);
  return std::move(out).Finish();
}

Result<WorkerReply> DecodeFailed(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload, {"type", "code", "message", "hint"}));
  FailedReply reply;
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t code,
                         in.header().Unsigned("code", static_cast<std::uint64_t>(ErrorCode::kFailed),
                                              static_cast<std::uint64_t>(ErrorCode::kVerificationFailed)));
  reply.error.code = static_cast<ErrorCode>(code);
  SYNOD_ASSIGN_OR_RETURN(reply.error.message, in.Text("message", kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(reply.error.hint, in.Text("hint", kMaxTextBytes));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerReply(std::move(reply));
}

struct ReplyType {
  std::string_view name;
  Result<WorkerReply> (*decode)(const Json&, ByteView);
};
constexpr std::array<ReplyType, std::variant_size_v<WorkerReply>> kReplyTypes = {{
    {"resolved", &DecodeResolved},
    {"reviewed", &DecodeReviewed},
    {"site_open", &DecodeSiteOpen},
    {"answer", &DecodeAnswer},
    {"malformed", &DecodeMalformed},
    {"trainer_open", &DecodeTrainerOpen},
    {"trained", &DecodeTrained},
    {"draft", &DecodeDraft},
    {"draft_checked", &DecodeDraftChecked},
    {"failed", &DecodeFailed},
}};

}  // namespace

WorkerParts EncodeReply(const WorkerReply& reply) {
  return std::visit([](const auto& one) { return Encode(one); }, reply);
}

Result<WorkerReply> DecodeReply(std::string_view header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(const TypedHeader typed, ReadHeader(header));
  for (const ReplyType& type : kReplyTypes) {
    if (type.name == typed.type) return type.decode(typed.json, payload);
  }
  return BadInput("a worker said something that its daemon does not know");
}

}  // namespace synod
