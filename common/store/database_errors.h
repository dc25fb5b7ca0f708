// SQLite's result codes as errors of ours.
#pragma once

#include <string>
#include <string_view>

#include "common/core/error.h"

struct sqlite3;

namespace synod {

// What the last call on `handle` (may be null) failed with; `code` is its extended result code. `doing`: "open", ...
Error DatabaseError(sqlite3* handle, int code, const std::string& path, std::string_view doing);

}  // namespace synod
