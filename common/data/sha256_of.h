// SHA-256 of a text.
#pragma once

#include <string_view>

#include "common/core/bytes.h"

namespace synod {

Digest Sha256Of(std::string_view text);

}  // namespace synod
