// Lower-case hexadecimal text of bytes, and back.
#pragma once

#include <array>
#include <string>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

std::string ToHex(ByteView bytes);

// Fails unless `text` is an even number of hexadecimal digits.
Result<Bytes> FromHex(std::string_view text);

// The same for a fixed number of bytes; any other length is an error.
template <std::size_t kSize>
Result<std::array<std::uint8_t, kSize>> FixedFromHex(std::string_view text) {
  SYNOD_ASSIGN_OR_RETURN(const Bytes bytes, FromHex(text));
  if (bytes.size() != kSize) return BadInput("hexadecimal text has the wrong length");
  std::array<std::uint8_t, kSize> fixed{};
  for (std::size_t i = 0; i < kSize; ++i) fixed[i] = bytes[i];
  return fixed;
}

}  // namespace synod
