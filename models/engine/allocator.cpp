#include "models/engine/allocator.h"

#include <malloc.h>

namespace synod::engine {

void KeepFreedMemory() {
  constexpr int kNothingIsMapped = 0;
  constexpr int kTrimBytes = 1 << 30;
  mallopt(M_MMAP_MAX, kNothingIsMapped);
  mallopt(M_TRIM_THRESHOLD, kTrimBytes);
}

}  // namespace synod::engine
