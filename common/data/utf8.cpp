#include "common/data/utf8.h"

#include <cstring>

namespace synod {

bool Utf8Validator::Step(std::uint8_t byte) {
  if (pending_ > 0) {
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xBF;
    --pending_;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xC2 || byte > 0xF4) return false;
  pending_ = byte < 0xE0 ? 1 : byte < 0xF0 ? 2 : 3;
  // The second byte's range excludes overlong forms, surrogates and what lies above U+10FFFF.
  if (byte == 0xE0) low_ = 0xA0;
  if (byte == 0xED) high_ = 0x9F;
  if (byte == 0xF0) low_ = 0x90;
  if (byte == 0xF4) high_ = 0x8F;
  return true;
}

std::size_t Utf8Validator::Feed(std::string_view piece) {
  std::size_t i = 0;
  while (i < piece.size()) {
    if (pending_ == 0 && piece.size() - i >= 8) {
      std::uint64_t eight = 0;
      std::memcpy(&eight, piece.data() + i, 8);
      if ((eight & 0x8080808080808080ull) == 0) {  // the common case: eight ASCII characters
        i += 8;
        continue;
      }
    }
    if (!Step(static_cast<std::uint8_t>(piece[i]))) return i;
    ++i;
  }
  return kValid;
}

bool IsValidUtf8(std::string_view text) {
  Utf8Validator validator;
  return validator.Feed(text) == Utf8Validator::kValid && validator.AtBoundary();
}

}  // namespace synod
