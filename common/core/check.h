// SYNOD_CHECK: always-on assertions for our own bugs. Never for input, files or peers: those are Errors.
#pragma once

namespace synod::internal {
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line, const char* message);
}  // namespace synod::internal

// Ends the program when `condition` is false; `message` is a literal that says which promise was broken.
#define SYNOD_CHECK(condition, message) \
  ((condition) ? static_cast<void>(0) : ::synod::internal::CheckFailed(#condition, __FILE__, __LINE__, message))
