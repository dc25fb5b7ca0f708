#include "models/worker/message_parts.h"

#include <bit>
#include <cstring>
#include <utility>

#include "common/core/check.h"
#include "common/core/hex.h"

namespace synod {
namespace {

constexpr std::size_t kMaxDepth = 8;
constexpr std::uint32_t kMostUnsigned32 = 0xffffffffU;
constexpr std::string_view kWhere = "a worker's message";

static_assert(std::endian::native == std::endian::little, "float32 values are passed as they lie in memory");

ByteView BytesOf(const std::vector<float>& values) {
  return {reinterpret_cast<const std::uint8_t*>(values.data()), values.size() * sizeof(float)};
}

}  // namespace

void PartsWriter::PutPiece(const char* key, ByteView bytes) {
  header_[key] = bytes.size();
  payload_.insert(payload_.end(), bytes.begin(), bytes.end());
}

void PartsWriter::PutOffer(const RunOffer& offer) {
  PutPiece("specification", offer.specification);
  PutPiece("schema", offer.schema);
  PutPiece("plan", offer.plan);
}

void PartsWriter::PutRun(const RunId& run) {
  Put("run", ToHex(run.bytes));
}

void PartsWriter::PutName(const QueryName& name) {
  PutRun(name.run);
  Put("query", name.query);
  Put("attempt", name.attempt);
}

void PartsWriter::PutQuery(const Query& query) {
  Put("index", query.index);
  Put("entry", query.entry);
  Put("kind", QueryKindName(query.kind));
  payload_.reserve(payload_.size() + sizeof(float) * (query.context.size() + query.parameters.size()));
  PutPiece("context", BytesOf(query.context));
  PutPiece("parameters", BytesOf(query.parameters));
}

WorkerParts PartsWriter::Finish() && {
  // Texts of people travel as pieces of payload, so that the header always is valid UTF-8.
  return WorkerParts{header_.dump(), std::move(payload_)};
}

Result<PartsReader> PartsReader::Of(const Json& header, ByteView payload,
                                    std::initializer_list<std::string_view> keys) {
  SYNOD_ASSIGN_OR_RETURN(StrictObject object, StrictObject::Of(header, std::string(kWhere), keys));
  return PartsReader(std::move(object), payload);
}

Result<ByteView> PartsReader::Piece(std::string_view key, std::size_t max_bytes) {
  SYNOD_ASSIGN_OR_RETURN(const std::uint64_t length, header_.Unsigned(key, 0, max_bytes));
  if (length > rest_.size()) return header_.Wrong(key, "is longer than its payload");
  const ByteView piece = rest_.first(length);
  rest_ = rest_.subspan(length);
  return piece;
}

Result<std::string> PartsReader::Text(std::string_view key, std::size_t max_bytes) {
  SYNOD_ASSIGN_OR_RETURN(const ByteView piece, Piece(key, max_bytes));
  return std::string(AsText(piece));
}

Result<Bytes> PartsReader::PieceBytes(std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const ByteView piece, Piece(key));
  return Bytes(piece.begin(), piece.end());
}

Result<RunOffer> PartsReader::Offer() {
  RunOffer offer;
  SYNOD_ASSIGN_OR_RETURN(offer.specification, Text("specification", RunOffer::kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(offer.schema, Text("schema", RunOffer::kMaxTextBytes));
  SYNOD_ASSIGN_OR_RETURN(offer.plan, Text("plan", RunOffer::kMaxTextBytes));
  return offer;
}

Result<RunId> PartsReader::Run() const {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, header_.Text("run", 32));
  SYNOD_ASSIGN_OR_RETURN(const auto bytes, FixedFromHex<16>(text));
  return RunId{bytes};
}

Result<QueryName> PartsReader::Name() const {
  QueryName name;
  SYNOD_ASSIGN_OR_RETURN(name.run, Run());
  SYNOD_ASSIGN_OR_RETURN(name.query, header_.Unsigned32("query", 0, kMostUnsigned32));
  SYNOD_ASSIGN_OR_RETURN(name.attempt, header_.Unsigned32("attempt", 0, kMostUnsigned32));
  return name;
}

Result<std::vector<float>> PartsReader::Floats(std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const ByteView piece, Piece(key));
  if (piece.size() % sizeof(float) != 0) return header_.Wrong(key, "is not made of 32-bit numbers");
  std::vector<float> values(piece.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), piece.data(), piece.size());
  return values;
}

Result<std::shared_ptr<const Query>> PartsReader::ReadQuery() {
  auto query = std::make_shared<Query>();
  SYNOD_ASSIGN_OR_RETURN(query->index, header_.Unsigned32("index", 0, kMostUnsigned32));
  SYNOD_ASSIGN_OR_RETURN(query->entry, header_.Unsigned32("entry", 0, kMostUnsigned32));
  SYNOD_ASSIGN_OR_RETURN(const std::string kind, header_.Text("kind", 64));
  const std::optional<QueryKind> known = QueryKindFromName(kind);
  if (!known) return header_.Wrong("kind", "is not a kind of query");
  query->kind = *known;
  SYNOD_ASSIGN_OR_RETURN(query->context, Floats("context"));
  SYNOD_ASSIGN_OR_RETURN(query->parameters, Floats("parameters"));
  return std::shared_ptr<const Query>(std::move(query));
}

Status PartsReader::Finish() const {
  if (!rest_.empty()) return BadInput("a worker's message has more payload than its header says");
  return {};
}

Result<TypedHeader> ReadHeader(std::string_view text) {
  TypedHeader header;
  SYNOD_ASSIGN_OR_RETURN(header.json, ParseJson(text, kMaxWorkerHeaderBytes, kMaxDepth));
  if (!header.json.is_object()) return BadInput("the header of a worker's message is not an object");
  const auto type = header.json.find("type");
  if (type == header.json.end() || !type->is_string()) return BadInput("a worker's message has no type");
  header.type = type->get<std::string>();
  return header;
}

}  // namespace synod
