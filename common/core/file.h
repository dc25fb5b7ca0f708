// Whole-file reads and writes with errors as values. The caller states the largest size it accepts.
#pragma once

#include <cstddef>
#include <string>

#include "common/core/bytes.h"
#include "common/core/result.h"

namespace synod {

// The bytes of a regular file of at most `max_bytes`.
Result<std::string> ReadFile(const std::string& path, std::size_t max_bytes);

// Writes to `path` + ".tmp", syncs, and renames: the file is either whole or was not touched. A device such as
// /dev/stdout or /dev/full is written in place. A full disk is an error that says so; the temporary file is removed.
Status WriteFileAtomically(const std::string& path, ByteView bytes);

}  // namespace synod
