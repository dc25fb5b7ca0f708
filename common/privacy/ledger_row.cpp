#include "common/privacy/ledger_row.h"

#include <cmath>
#include <limits>

#include "common/core/check.h"
#include "common/core/hex.h"
#include "common/crypto/sha256.h"
#include "common/privacy/strict_object.h"

namespace synod {
namespace {

constexpr std::uint32_t kMax32 = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kMax64 = std::numeric_limits<std::uint64_t>::max();

Json Unhashed(const LedgerRow& row) {
  if (row.restored) {
    return {{"index", row.index}, {"restored", row.restored->ToJson()}, {"previous", ToHex(row.previous)}};
  }
  const LedgerCharge& charge = row.charge;
  return {{"index", row.index},
          {"dataset", ToHex(charge.dataset.bytes)},
          {"run", ToHex(charge.name.run.bytes)},
          {"query", charge.name.query},
          {"attempt", charge.name.attempt},
          {"plan_hash", ToHex(charge.plan_hash)},
          {"entry", charge.entry},
          {"event",
           {{"sampling_rate", charge.event.sampling_rate},
            {"noise_multiplier", charge.event.noise_multiplier},
            {"count", charge.event.count}}},
          {"previous", ToHex(row.previous)}};
}

template <typename Id>
Result<Id> IdFrom(const StrictObject& fields, std::string_view key) {
  SYNOD_ASSIGN_OR_RETURN(const std::string text, fields.Text(key, 32));
  const auto bytes = FixedFromHex<16>(text);
  if (!bytes.ok() || ToHex(*bytes) != text) return fields.Wrong(key, "is not 32 lower-case hexadecimal digits");
  return Id{*bytes};
}

Result<PrivacyEvent> EventFrom(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "ledger row: event", {"sampling_rate", "noise_multiplier", "count"}));
  PrivacyEvent event;
  SYNOD_ASSIGN_OR_RETURN(event.sampling_rate, fields.Real("sampling_rate"));
  SYNOD_ASSIGN_OR_RETURN(event.noise_multiplier, fields.Real("noise_multiplier"));
  SYNOD_ASSIGN_OR_RETURN(event.count, fields.Unsigned("count", 1, kMax64));
  if (!(event.sampling_rate >= 0 && event.sampling_rate <= 1)) return fields.Wrong("sampling_rate", "is not in [0, 1]");
  if (!(event.noise_multiplier > 0)) return fields.Wrong("noise_multiplier", "is not positive");
  return event;
}

Result<LedgerRow> RestoredRowFrom(const Json& json) {
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "ledger row", {"index", "restored", "previous", "hash"}));
  LedgerRow row;
  SYNOD_ASSIGN_OR_RETURN(row.index, fields.Unsigned("index", 0, kMax64));
  SYNOD_ASSIGN_OR_RETURN(row.restored, LedgerRestoration::FromJson(fields.At("restored")));
  SYNOD_ASSIGN_OR_RETURN(row.previous, fields.Hash("previous"));
  SYNOD_ASSIGN_OR_RETURN(row.hash, fields.Hash("hash"));
  return row;
}

}  // namespace

Digest LedgerGenesis() {
  return Sha256(AsBytes("synod.ledger_genesis/1\n"));
}

Digest HashOfRow(const LedgerRow& row) {
  const Result<std::string> text = CanonicalJson("synod.ledger_row", 1, Unhashed(row));
  SYNOD_CHECK(text.ok(), "a ledger row has only finite numbers");
  return Sha256(AsBytes(*text));
}

Json LedgerRow::ToJson() const {
  Json json = Unhashed(*this);
  json["hash"] = ToHex(hash);
  return json;
}

Result<LedgerRow> LedgerRow::FromJson(const Json& json) {
  if (json.is_object() && json.contains("restored")) return RestoredRowFrom(json);
  SYNOD_ASSIGN_OR_RETURN(const StrictObject fields,
                         StrictObject::Of(json, "ledger row",
                                          {"index", "dataset", "run", "query", "attempt", "plan_hash", "entry", "event",
                                           "previous", "hash"}));
  LedgerRow row;
  SYNOD_ASSIGN_OR_RETURN(row.index, fields.Unsigned("index", 0, kMax64));
  SYNOD_ASSIGN_OR_RETURN(row.charge.dataset, IdFrom<DatasetId>(fields, "dataset"));
  SYNOD_ASSIGN_OR_RETURN(row.charge.name.run, IdFrom<RunId>(fields, "run"));
  SYNOD_ASSIGN_OR_RETURN(row.charge.name.query, fields.Unsigned32("query", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.charge.name.attempt, fields.Unsigned32("attempt", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.charge.plan_hash, fields.Hash("plan_hash"));
  SYNOD_ASSIGN_OR_RETURN(row.charge.entry, fields.Unsigned32("entry", 0, kMax32));
  SYNOD_ASSIGN_OR_RETURN(row.charge.event, EventFrom(fields.At("event")));
  SYNOD_ASSIGN_OR_RETURN(row.previous, fields.Hash("previous"));
  SYNOD_ASSIGN_OR_RETURN(row.hash, fields.Hash("hash"));
  return row;
}

}  // namespace synod
