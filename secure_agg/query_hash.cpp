#include "secure_agg/query_hash.h"

#include <bit>
#include <span>

#include "common/crypto/sha256.h"

namespace synod::secure_agg {
namespace {

static_assert(std::endian::native == std::endian::little, "values are hashed little-endian");

void Update(Sha256Hasher& hasher, std::span<const float> values) {
  hasher.UpdateLittleEndian64(values.size());
  hasher.Update(ByteView(reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()));
}

}  // namespace

Digest HashOfQuery(const Query& query) {
  Sha256Hasher hasher;
  hasher.Update("synod.secure_agg.query.v1");
  hasher.UpdateLittleEndian64(query.index);
  hasher.UpdateLittleEndian64(query.entry);
  hasher.UpdateLittleEndian64(static_cast<std::uint64_t>(query.kind));
  Update(hasher, query.context);
  Update(hasher, query.parameters);
  return hasher.Finish();
}

}  // namespace synod::secure_agg
