#include "common/query/sampling_rate.h"

namespace synod {

Result<SamplingRate> SamplingRate::FromDouble(double q) {
  if (!(q >= 0x1p-64 && q <= 1.0)) return BadInput("a sampling rate lies in (0, 1]");
  if (q == 1.0) return One();
  return SamplingRate(static_cast<std::uint64_t>(q * 0x1p64), false);  // the product is exact, the cast floors
}

}  // namespace synod
