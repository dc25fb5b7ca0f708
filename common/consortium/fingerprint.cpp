#include "common/consortium/fingerprint.h"

#include "common/core/hex.h"

namespace synod {

std::string FingerprintText(const Digest& digest) {
  const std::string hex = ToHex(digest);
  std::string text;
  for (std::size_t i = 0; i < hex.size(); i += 4) {
    if (i != 0) text += ':';
    text.append(hex, i, 4);
  }
  return text;
}

Result<Digest> FingerprintFromText(std::string_view text) {
  constexpr std::size_t kMostCharacters = 256;
  std::string digits;
  if (text.size() <= kMostCharacters) {
    for (const char c : text) {
      if (c != ':' && c != '-' && c != ' ') digits += c;
    }
  }
  const Result<Digest> digest = FixedFromHex<32>(digits);
  if (!digest.ok()) return BadInput("a fingerprint has 64 hexadecimal digits");
  return digest;
}

}  // namespace synod
