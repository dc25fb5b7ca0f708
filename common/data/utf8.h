// Validation of UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF) in pieces of a stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace synod {

class Utf8Validator {
 public:
  static constexpr std::size_t kValid = static_cast<std::size_t>(-1);

  // Feeds the next piece. Returns kValid, or the position in `piece` of the first byte that is wrong.
  std::size_t Feed(std::string_view piece);
  // False where the stream ended inside a character.
  bool AtBoundary() const { return pending_ == 0; }

 private:
  bool Step(std::uint8_t byte);
  unsigned pending_ = 0;     // continuation bytes still to come
  std::uint8_t low_ = 0x80;  // range of the next continuation byte
  std::uint8_t high_ = 0xBF;
};

bool IsValidUtf8(std::string_view text);

}  // namespace synod
