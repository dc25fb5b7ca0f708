// Bytes that are hashed, signed or derived from: numbers little-endian in a fixed size, anything of variable length
// behind its length, so that no two values have the same bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/strong_id.h"

namespace synod::secure_agg {

class CanonicalBytes {
 public:
  CanonicalBytes() = default;
  explicit CanonicalBytes(std::string_view label) { Text(label); }

  CanonicalBytes& Number(std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) bytes_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
    return *this;
  }
  // Of a size that is fixed by what it is.
  CanonicalBytes& Fixed(ByteView bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  CanonicalBytes& Variable(ByteView bytes) { return Number(bytes.size()).Fixed(bytes); }
  CanonicalBytes& Text(std::string_view text) { return Variable(AsBytes(text)); }
  CanonicalBytes& Name(const QueryName& name) { return Fixed(name.run.bytes).Number(name.query).Number(name.attempt); }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
};

}  // namespace synod::secure_agg
