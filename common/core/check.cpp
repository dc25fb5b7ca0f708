#include "common/core/check.h"

#include <cstdio>
#include <cstdlib>

namespace synod::internal {

void CheckFailed(const char* condition, const char* file, int line, const char* message) {
  std::fprintf(stderr, "synod: internal error at %s:%d: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace synod::internal
