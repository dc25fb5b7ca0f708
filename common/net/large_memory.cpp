#include "common/net/large_memory.h"

#include <sys/mman.h>

#include <cstdint>

namespace synod {
namespace {

constexpr std::size_t kLargePageBytes = std::size_t{2} << 20;

}  // namespace

void ReserveLarge(Bytes& bytes, std::size_t size) {
  bytes.reserve(size);
  const auto begin = reinterpret_cast<std::uintptr_t>(bytes.data());
  const std::uintptr_t first = (begin + kLargePageBytes - 1) / kLargePageBytes * kLargePageBytes;
  const std::uintptr_t last = (begin + bytes.capacity()) / kLargePageBytes * kLargePageBytes;
  if (first >= last) return;
  // Only whole large pages inside, so that no other memory is meant. A system that has none goes on without.
  static_cast<void>(madvise(reinterpret_cast<void*>(first), last - first, MADV_HUGEPAGE));
}

}  // namespace synod
