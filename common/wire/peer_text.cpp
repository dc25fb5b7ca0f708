#include "common/wire/peer_text.h"

#include "common/core/canonical_json.h"
#include "common/wire/limits.h"

namespace synod {

bool IsControlCharacter(char c) {
  return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == '\x7f';
}

std::string TextForPeer(std::string text) {
  const bool is_utf8 = CanonicalJsonText(text).ok();
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  for (char& c : text) {
    if (IsControlCharacter(c) || (!is_utf8 && !is_ascii(c))) c = '?';
  }
  if (text.size() <= limits::kMaxTextBytes) return text;
  std::size_t end = limits::kMaxTextBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // within a character
  text.resize(end);
  return text;
}

}  // namespace synod
