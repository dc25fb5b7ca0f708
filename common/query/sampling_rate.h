// The probability with which each unit is drawn, as the integer that the sampler compares with.
#pragma once

#include <cstdint>

#include "common/core/result.h"

namespace synod {

class SamplingRate {
 public:
  // q in (0, 1], else BadInput. The rate that is realised is floor(q 2^64) / 2^64, which for a double is q itself
  // unless q < 2^-11, and then not above q. A q below 2^-64 is refused.
  static Result<SamplingRate> FromDouble(double q);
  static SamplingRate One() { return SamplingRate(0, true); }

  // Exactly the realised rate: what is accounted.
  double AsDouble() const { return always_ ? 1.0 : static_cast<double>(threshold_) * 0x1p-64; }
  bool always() const { return always_; }
  // A unit is drawn when always() or a uniform 64-bit word is below this.
  std::uint64_t threshold() const { return threshold_; }

  bool operator==(const SamplingRate&) const = default;

 private:
  SamplingRate(std::uint64_t threshold, bool always) : threshold_(threshold), always_(always) {}

  std::uint64_t threshold_;
  bool always_;  // q = 1, which no 64-bit threshold expresses
};

}  // namespace synod
