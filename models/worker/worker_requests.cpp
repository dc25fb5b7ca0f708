// The codec of what a daemon asks its worker.
#include <array>

#include "common/core/check.h"
#include "common/core/hex.h"
#include "models/worker/message_parts.h"
#include "models/worker/worker_messages.h"

namespace synod {
namespace {

constexpr std::size_t kMaxPathBytes = 4096;
constexpr std::size_t kMaxParticipationBytes = std::size_t{64} << 20;
constexpr std::uint64_t kMaxUnixSeconds = std::uint64_t{1} << 40;

WorkerParts Encode(const ResolveRequest& request) {
  PartsWriter out("resolve");
  Json roster = Json::array();
  for (const RosterSite& site : request.roster) {
    roster.push_back({{"id", ToHex(AsBytes(site.id))}, {"key_fingerprint", ToHex(site.key_fingerprint)}});
  }
  out.Put("roster", std::move(roster));
  out.PutPiece("specification", request.specification);
  out.PutPiece("schema", request.schema);
  return std::move(out).Finish();
}

Result<RosterSite> DecodeSite(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject object,
                         StrictObject::Of(json, "a site of a worker's message", {"id", "key_fingerprint"}));
  SYNOD_ASSIGN_OR_RETURN(const std::string id, object.Text("id", 512));
  SYNOD_ASSIGN_OR_RETURN(const Bytes bytes, FromHex(id));
  RosterSite site;
  site.id = AsText(bytes);
  SYNOD_ASSIGN_OR_RETURN(site.key_fingerprint, object.Hash("key_fingerprint"));
  return site;
}

Result<WorkerRequest> DecodeResolve(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in,
                         PartsReader::Of(header, payload, {"type", "roster", "specification", "schema"}));
  ResolveRequest request;
  SYNOD_ASSIGN_OR_RETURN(const Json* roster, in.header().Array("roster", Plan::kMaxSites));
  for (const Json& item : *roster) {
    SYNOD_ASSIGN_OR_RETURN(RosterSite site, DecodeSite(item));
    request.roster.push_back(std::move(site));
  }
  SYNOD_ASSIGN_OR_RETURN(request.specification, in.Text("specification", RunOffer::kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(request.schema, in.Text("schema", RunOffer::kMaxTextBytes));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const ReviewRequest& request) {
  PartsWriter out("review");
  out.PutOffer(request.offer);
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeReview(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload, {"type", "specification", "schema", "plan"}));
  ReviewRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.offer, in.Offer());
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const OpenSiteRequest& request) {
  PartsWriter out("open_site");
  out.PutRun(request.run);
  out.PutOffer(request.offer);
  out.PutPiece("csv_file", request.source.csv_file);
  out.PutPiece("bad_rows", request.source.bad_rows);
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeOpenSite(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(
      PartsReader in,
      PartsReader::Of(header, payload, {"type", "run", "specification", "schema", "plan", "csv_file", "bad_rows"}));
  OpenSiteRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.run, in.Run());
  SYNOD_ASSIGN_OR_RETURN(request.offer, in.Offer());
  SYNOD_ASSIGN_OR_RETURN(request.source.csv_file, in.Text("csv_file", kMaxPathBytes));
  SYNOD_ASSIGN_OR_RETURN(request.source.bad_rows, in.Text("bad_rows", 64));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const AnswerRequest& request) {
  SYNOD_CHECK(request.query != nullptr, "an answer is asked for with its query");
  PartsWriter out("answer");
  out.PutName(request.name);
  out.PutQuery(*request.query);
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeAnswer(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload,
                                                         {"type", "run", "query", "attempt", "index", "entry", "kind",
                                                          "context", "parameters"}));
  AnswerRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.name, in.Name());
  SYNOD_ASSIGN_OR_RETURN(request.query, in.ReadQuery());
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const OpenTrainerRequest& request) {
  PartsWriter out("open_trainer");
  out.PutRun(request.run);
  out.PutOffer(request.offer);
  out.Put("has_checkpoint", request.checkpoint.has_value());
  out.PutPiece("checkpoint", request.checkpoint ? ByteView(*request.checkpoint) : ByteView());
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeOpenTrainer(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in, PartsReader::Of(header, payload,
                                                         {"type", "run", "specification", "schema", "plan",
                                                          "has_checkpoint", "checkpoint"}));
  OpenTrainerRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.run, in.Run());
  SYNOD_ASSIGN_OR_RETURN(request.offer, in.Offer());
  SYNOD_ASSIGN_OR_RETURN(const bool has_checkpoint, in.header().Boolean("has_checkpoint"));
  SYNOD_ASSIGN_OR_RETURN(Bytes checkpoint, in.PieceBytes("checkpoint"));
  if (!has_checkpoint && !checkpoint.empty()) return in.header().Wrong("checkpoint", "is there and must not be");
  if (has_checkpoint) request.checkpoint = std::move(checkpoint);
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const TrainRequest& request) {
  SYNOD_CHECK(!request.has_sum || request.answered != nullptr, "a sum is absorbed with its query");
  PartsWriter out("train");
  out.Put("has_sum", request.has_sum);
  out.PutQuery(request.has_sum ? *request.answered : Query{});
  out.PutPiece("words", request.has_sum ? ByteView(request.words) : ByteView());
  out.Put("answers", request.has_sum ? request.answers : 0U);
  out.Put("left", request.left);
  out.Put("want_checkpoint", request.want_checkpoint);
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeTrain(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in,
                         PartsReader::Of(header, payload,
                                         {"type", "has_sum", "index", "entry", "kind", "context", "parameters", "words",
                                          "answers", "left", "want_checkpoint"}));
  TrainRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.has_sum, in.header().Boolean("has_sum"));
  SYNOD_ASSIGN_OR_RETURN(std::shared_ptr<const Query> query, in.ReadQuery());
  SYNOD_ASSIGN_OR_RETURN(request.words, in.PieceBytes("words"));
  SYNOD_ASSIGN_OR_RETURN(request.answers, in.header().Unsigned32("answers", 0, Plan::kMaxSites));
  if (request.has_sum) {
    if (request.answers == 0) return in.header().Wrong("answers", "is 0 for a sum");
    request.answered = std::move(query);
  } else if (*query != Query{} || !request.words.empty() || request.answers != 0) {
    return in.header().Wrong("has_sum", "is false and there is a sum");
  }
  SYNOD_ASSIGN_OR_RETURN(const Json* left, in.header().Array("left", Plan::kMaxEntries));
  for (const Json& item : *left) {
    if (!item.is_number_unsigned()) return in.header().Wrong("left", "is not a list of whole numbers");
    request.left.push_back(item.get<std::uint64_t>());
  }
  SYNOD_ASSIGN_OR_RETURN(request.want_checkpoint, in.header().Boolean("want_checkpoint"));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const DraftRequest& request) {
  PartsWriter out("draft");
  out.PutRun(request.run);
  out.Put("created_unix", request.created_unix);
  out.PutPiece("participation", request.participation.ToJson().dump());
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeDraft(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in,
                         PartsReader::Of(header, payload, {"type", "run", "created_unix", "participation"}));
  DraftRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.run, in.Run());
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t created, in.header().Unsigned("created_unix", 0, kMaxUnixSeconds));
  request.created_unix = static_cast<std::int64_t>(created);
  SYNOD_ASSIGN_OR_RETURN(const ByteView text, in.Piece("participation", kMaxParticipationBytes));
  SYNOD_ASSIGN_OR_RETURN(const Json participation, ParseJson(AsText(text), kMaxParticipationBytes));
  SYNOD_ASSIGN_OR_RETURN(request.participation, Participation::FromJson(participation));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

WorkerParts Encode(const CheckDraftRequest& request) {
  PartsWriter out("check_draft");
  out.PutOffer(request.offer);
  out.PutPiece("draft", request.draft);
  return std::move(out).Finish();
}

Result<WorkerRequest> DecodeCheckDraft(const Json& header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(PartsReader in,
                         PartsReader::Of(header, payload, {"type", "specification", "schema", "plan", "draft"}));
  CheckDraftRequest request;
  SYNOD_ASSIGN_OR_RETURN(request.offer, in.Offer());
  SYNOD_ASSIGN_OR_RETURN(request.draft, in.PieceBytes("draft"));
  SYNOD_RETURN_IF_ERROR(in.Finish());
  return WorkerRequest(std::move(request));
}

struct RequestType {
  std::string_view name;
  Result<WorkerRequest> (*decode)(const Json&, ByteView);
};
constexpr std::array<RequestType, std::variant_size_v<WorkerRequest>> kRequestTypes = {{
    {"resolve", &DecodeResolve},
    {"review", &DecodeReview},
    {"open_site", &DecodeOpenSite},
    {"answer", &DecodeAnswer},
    {"open_trainer", &DecodeOpenTrainer},
    {"train", &DecodeTrain},
    {"draft", &DecodeDraft},
    {"check_draft", &DecodeCheckDraft},
}};

}  // namespace

WorkerParts EncodeRequest(const WorkerRequest& request) {
  return std::visit([](const auto& one) { return Encode(one); }, request);
}

Result<WorkerRequest> DecodeRequest(std::string_view header, ByteView payload) {
  SYNOD_ASSIGN_OR_RETURN(const TypedHeader typed, ReadHeader(header));
  for (const RequestType& type : kRequestTypes) {
    if (type.name == typed.type) return type.decode(typed.json, payload);
  }
  return BadInput("a worker was asked for something that it does not know");
}

}  // namespace synod
