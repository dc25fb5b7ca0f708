// A SHA-256 as people read it to each other on the telephone: 16 groups of four hexadecimal digits.
#pragma once

#include <string>
#include <string_view>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

// "1a2b:3c4d:...", 79 characters.
std::string FingerprintText(const Digest& digest);
// Takes it in either case, with colons, blanks, dashes or nothing between the digits.
Result<Digest> FingerprintFromText(std::string_view text);

}  // namespace synod
