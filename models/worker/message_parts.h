// The two parts of a worker's message while they are written and read: a JSON header, and pieces of payload whose
// lengths stand in the header. Shared by the codecs of requests and replies.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/core/bytes.h"
#include "common/core/canonical_json.h"
#include "common/core/result.h"
#include "common/core/strong_id.h"
#include "common/privacy/strict_object.h"
#include "common/query/query.h"
#include "models/run_offer.h"
#include "models/worker/worker_messages.h"

namespace synod {

class PartsWriter {
 public:
  explicit PartsWriter(std::string_view type) : header_{{"type", type}} {}

  void Put(const char* key, Json value) { header_[key] = std::move(value); }
  // The next piece of the payload. Texts are pieces too: they may hold any bytes.
  void PutPiece(const char* key, ByteView bytes);
  void PutPiece(const char* key, std::string_view text) { PutPiece(key, AsBytes(text)); }
  void PutOffer(const RunOffer& offer);
  void PutRun(const RunId& run);
  void PutName(const QueryName& name);
  void PutQuery(const Query& query);

  WorkerParts Finish() &&;

 private:
  Json header_;
  Bytes payload_;
};

class PartsReader {
 public:
  // `header` and `payload` must outlive it. `keys`: all of the message's, "type" too.
  static Result<PartsReader> Of(const Json& header, ByteView payload, std::initializer_list<std::string_view> keys);

  const StrictObject& header() const { return header_; }
  // Pieces come in the order in which they were put.
  Result<ByteView> Piece(std::string_view key, std::size_t max_bytes = kMaxWorkerPayloadBytes);
  Result<std::string> Text(std::string_view key, std::size_t max_bytes);
  Result<Bytes> PieceBytes(std::string_view key);
  Result<RunOffer> Offer();
  Result<RunId> Run() const;
  Result<QueryName> Name() const;
  Result<std::shared_ptr<const Query>> ReadQuery();
  // Fails where payload is left over.
  Status Finish() const;

 private:
  PartsReader(StrictObject header, ByteView rest) : header_(std::move(header)), rest_(rest) {}
  Result<std::vector<float>> Floats(std::string_view key);

  StrictObject header_;
  ByteView rest_;
};

// The header's JSON, with its type. Fails where it is no such object.
struct TypedHeader {
  std::string type;
  Json json;
};
Result<TypedHeader> ReadHeader(std::string_view text);

}  // namespace synod
