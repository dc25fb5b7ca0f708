// What a command-line program prints at its end, the same in all of them: text for a person, or one JSON object
//   {"schema_version": 1, "status": "ok" | "error", "exit_code": n, "data" | "error": {...}}
// The exit code of an error is its ErrorCode.
#pragma once

#include <string>

#include "common/core/canonical_json.h"
#include "common/core/error.h"

namespace synod {

enum class ProgramFormat : std::uint8_t { kText, kJson };

// One line on stdout; bytes that are no UTF-8 are replaced.
void PrintJsonLine(const Json& json);

// Text on stderr after the program's name, or the object on stdout. Gives the exit code.
int PrintError(const char* program, const Error& error, ProgramFormat format);

// `text` or `data`. A full disk behind a redirected stdout does not look like success. Gives the exit code.
int PrintResult(const char* program, const std::string& text, const Json& data, int exit_code, ProgramFormat format);

// Runs `body`; an exception that reaches it is an internal error, whose text is not printed: it may hold what must not
// be.
int RunGuarded(const char* program, int (*body)(int argc, char** argv), int argc, char** argv);

}  // namespace synod
